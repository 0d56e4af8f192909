/// `millrace version`.
struct VersionCommand: Command {
    let name = "version"
    let summary = "the version"
    let examples = [Example("millrace version", "prints it")]

    func run(_ arguments: Arguments) async throws(CommandError) -> Int32 {
        Output.line("millrace \(App.version)")
        return 0
    }
}

/// `millrace help`, and the text of `--help`.
struct HelpCommand: Command {
    let name = "help"
    let summary = "this list, or all about one command"
    let operands = [Operand(name: "COMMAND", isRequired: false)]
    let examples = [Example("millrace help run", "options and examples of one command")]

    func run(_ arguments: Arguments) async throws(CommandError) -> Int32 {
        if let name = arguments.operands.first {
            Output.line(Self.page(of: try App.command(named: name)))
        } else {
            Output.line(Self.overview)
        }
        return 0
    }

    static var overview: String {
        let width = App.commands.map(\.name.count).max() ?? 0
        let list = App.commands.map { command in
            "  " + command.name + String(repeating: " ", count: width - command.name.count + 2)
                + command.summary
        }
        return """
            Millrace polls customer-management APIs, keeps each change exactly once in a durable, ordered log, and
            publishes the log to Kafka topics and webhooks.

            Usage: millrace COMMAND [OPTIONS]

            \(list.joined(separator: "\n"))

            First steps: millrace demo (needs nothing), millrace check, millrace run.
            Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 75 temporary: try again later.
            """
    }

    static func page(of command: any Command) -> String {
        let operands = command.operands.map { $0.isRequired ? " \($0.name)" : " [\($0.name)]" }.joined()
        let usage = "Usage: millrace \(command.name)\(operands)\(command.options.isEmpty ? "" : " [OPTIONS]")"
        let lines = command.options.map { option in
            (left: "--\(option.name)" + (option.value.map { " \($0)" } ?? ""), option)
        }
        let width = lines.map(\.left.count).max() ?? 0
        let options = lines.map { left, option in
            "  " + left + String(repeating: " ", count: width - left.count + 2) + option.help
                + (option.isRepeatable ? " (repeatable)" : "")
        }
        let examples = command.examples.map { "  \($0.line)\n      \($0.does)" }
        var parts = ["millrace \(command.name): \(command.summary)", usage]
        if !options.isEmpty { parts.append("Options:\n" + options.joined(separator: "\n")) }
        parts.append("Examples:\n" + examples.joined(separator: "\n"))
        return parts.joined(separator: "\n\n")
    }
}

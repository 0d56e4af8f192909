/// One thing the binary can do.
protocol Command: Sendable {
    var name: String { get }
    /// One line for the list of commands.
    var summary: String { get }
    /// What stands between the options, such as `SOURCE`; empty for none.
    var operands: [Operand] { get }
    var options: [Option] { get }
    /// Command lines that work, each with what it does.
    var examples: [Example] { get }
    func run(_ arguments: Arguments) async throws(CommandError) -> Int32
}

extension Command {
    var operands: [Operand] { [] }
    var options: [Option] { [] }
}

/// A command line that works, and what it does.
struct Example: Sendable {
    let line: String
    let does: String

    init(_ line: String, _ does: String) {
        (self.line, self.does) = (line, does)
    }
}

/// A word of a command line that is no option.
struct Operand: Sendable {
    let name: String
    let isRequired: Bool
}

/// `--name`, or `--name VALUE`.
struct Option: Sendable {
    let name: String
    /// What the value is called in help; nil for a flag.
    var value: String?
    var isRepeatable = false
    let help: String
}

extension Option {
    static let config = Option(
        name: "config", value: "FILE",
        help: "the configuration (default: $MILLRACE_CONFIG, then ./millrace.yaml)")
}

/// Why a command ends without having done its work; the message goes to stderr.
struct CommandError: Error {
    let exitCode: Int32
    let message: String

    static func failed(_ message: String) -> CommandError {
        CommandError(exitCode: 1, message: "millrace: " + message)
    }
    static func usage(_ message: String) -> CommandError {
        CommandError(exitCode: 2, message: "millrace: " + message)
    }
    static func temporary(_ message: String) -> CommandError {
        CommandError(exitCode: 75, message: "millrace: " + message)
    }
}

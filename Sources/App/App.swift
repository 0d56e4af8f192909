import Foundation
import Services

/// The program behind the binary: finds the command, runs it, turns its end into an exit code.
///
///     0 done · 1 failed · 2 bad usage or configuration, or a store of another relay · 75 temporary, try again
package enum App {
    package static let version = "0.1.0"

    /// Every command, in the order help lists them. To add one: a file in `Commands`, a line here.
    static let commands: [any Command] = [
        RunCommand(), DemoCommand(), SimulateCommand(), CheckCommand(), PollCommand(), EventsCommand(),
        ReplayCommand(), StatusCommand(), AuditCommand(), SchemaCommand(), VersionCommand(), HelpCommand(),
    ]

    /// - Parameter arguments: as the process got them, its own name first.
    /// - Returns: the exit code.
    package static func run(_ arguments: [String]) async -> Int32 {
        // A reader of our output that goes away is an error to read from write(2), not a signal that kills.
        signal(SIGPIPE, SIG_IGN)
        let rest = Array(arguments.dropFirst())
        do throws(CommandError) {
            let code = try await dispatch(rest)
            return code == 0 ? Output.exitCode : code
        } catch {
            if !error.message.isEmpty { Terminal.say(error.message) }
            return error.exitCode
        }
    }

    static func command(named name: String) throws(CommandError) -> any Command {
        if let command = commands.first(where: { $0.name == name }) { return command }
        let near = Nearest.name(to: name, among: commands.map(\.name)).map { ", did you mean \($0)?" } ?? ""
        throw .usage("unknown command \(name)\(near)\nRun `millrace help` for the list.")
    }

    private static func dispatch(_ arguments: [String]) async throws(CommandError) -> Int32 {
        guard let name = arguments.first else {
            Terminal.say(HelpCommand.overview)
            return 2
        }
        if ["--help", "-h"].contains(name) { return try await HelpCommand().run(Arguments.none) }
        if name == "--version" { return try await VersionCommand().run(Arguments.none) }
        let command = try command(named: name)
        let rest = Array(arguments.dropFirst())
        if rest.contains("--help") || rest.contains("-h") {
            Output.line(HelpCommand.page(of: command))
            return 0
        }
        return try await command.run(try Arguments(rest, of: command))
    }
}

import Configuration
import Foundation
import Persisting
import Services

/// Finds and reads the configuration for a command.
enum ConfigurationFile {
    static func path(_ arguments: Arguments) -> String {
        arguments.text("config") ?? ProcessInfo.processInfo.environment["MILLRACE_CONFIG"]
            ?? "./millrace.yaml"
    }

    static func read(_ arguments: Arguments) -> ConfigurationReading {
        ConfigurationReader(surroundings: .process(now: SystemTimekeeper().now)).read(path: path(arguments))
    }

    /// The settings, or every problem on stderr and exit code 2.
    static func settings(_ arguments: Arguments) throws(CommandError) -> Settings {
        let reading = read(arguments)
        guard let settings = reading.settings else {
            for problem in reading.problems { Terminal.say(problem.description) }
            throw .usage(
                "the configuration has \(reading.problems.count) problem\(reading.problems.count == 1 ? "" : "s")"
            )
        }
        return settings
    }

    /// The store's path: `--store`, or the configuration's.
    static func storePath(_ arguments: Arguments) throws(CommandError) -> String {
        if let path = arguments.text("store") { return path }
        return try settings(arguments).store.path
    }
}

extension CommandError {
    /// The store's refusals as exit codes: in use is temporary, another's is a mistake of configuration.
    init(_ error: LogError) {
        switch error.kind {
        case .inUse: self = .temporary(error.description)
        case .foreign: self = .usage(error.description)
        case .missing, .storage, .corrupt, .other: self = .failed(error.description)
        }
    }
}

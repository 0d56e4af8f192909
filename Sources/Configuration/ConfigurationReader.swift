package import EventModel
import Foundation
import YAML

/// Reads a configuration file into `Settings`, or says everything that is wrong with it at once.
///
///     text ──YAML──▶ nodes ──Section, Rule──▶ Draft ──CrossChecks──▶ Settings
///                        every problem, with its line and key ──▶ [ConfigurationProblem]
///
/// `Section` reads one mapping and knows which keys were asked for, so that the rest are unknown ones; `Rule` says what
/// one value may be; the `…Reading` files say which keys a part has. Checks over several keys are in `CrossChecks`.
/// To add a key: a property in `Settings`, a line in the part's `…Reading` file, in `schemas/configuration.schema.json`
/// and in `deploy/millrace.yaml`; a test compares the three.
package struct ConfigurationReader: Sendable {
    private let surroundings: ConfigurationSurroundings

    package init(surroundings: ConfigurationSurroundings) {
        self.surroundings = surroundings
    }

    /// Reads a file of this machine; one that cannot be read is a problem like any other.
    package func read(path: String) -> ConfigurationReading {
        do {
            return read(try surroundings.readFile(path), file: path)
        } catch {
            let reason = (error as? UnreadableFile)?.reason ?? "it cannot be read"
            return .invalid(
                [
                    ConfigurationProblem(
                        file: path, line: 1, key: Reading.wholeFile, message: reason,
                        allowed: "allowed: a readable YAML file in UTF-8")
                ], warnings: [])
        }
    }

    /// - Parameter file: the name that problems begin with.
    package func read(_ text: String, file: String) -> ConfigurationReading {
        let reading = Reading(file: file, surroundings: surroundings)
        do throws(YAMLError) {
            let root = try YAMLNode.parse(text)
            if let draft = Section.read(root, at: "", in: reading, { $0.draft() }) {
                CrossChecks(draft: draft, reading: reading).run()
                if reading.problems.isEmpty {
                    return .valid(draft.finished, warnings: reading.sortedWarnings)
                }
            }
        } catch {
            reading.refuse(
                Reading.wholeFile, line: error.line, "is not valid YAML (\(error.cause))",
                "allowed: one YAML document")
        }
        return .invalid(reading.sortedProblems, warnings: reading.sortedWarnings)
    }
}

/// What came out of a file: settings, or at least one problem; warnings either way. Both lists go by line.
package enum ConfigurationReading: Sendable {
    case valid(Settings, warnings: [ConfigurationProblem])
    case invalid([ConfigurationProblem], warnings: [ConfigurationProblem])

    /// Nil when there is any problem.
    package var settings: Settings? {
        guard case .valid(let settings, _) = self else { return nil }
        return settings
    }

    package var problems: [ConfigurationProblem] {
        guard case .invalid(let problems, _) = self else { return [] }
        return problems
    }

    package var warnings: [ConfigurationProblem] {
        switch self {
        case .valid(_, let warnings), .invalid(_, let warnings): warnings
        }
    }
}

/// Everything outside the file that a reading looks at.
package struct ConfigurationSurroundings: Sendable {
    /// The value of an environment variable; nil when it is unset.
    package let environment: @Sendable (String) -> String?
    /// A file's whole text; may throw `UnreadableFile` to say why not.
    package let readFile: @Sendable (String) throws -> String
    /// Whether there is a file that this process may read.
    package let isReadable: @Sendable (String) -> Bool
    /// Only for warnings about times in the future.
    package let now: Timestamp

    package init(
        now: Timestamp,
        environment: @escaping @Sendable (String) -> String?,
        readFile: @escaping @Sendable (String) throws -> String,
        isReadable: @escaping @Sendable (String) -> Bool
    ) {
        (self.now, self.environment, self.readFile, self.isReadable) = (
            now, environment, readFile, isReadable
        )
    }

    /// This process's environment and files.
    package static func process(now: Timestamp) -> ConfigurationSurroundings {
        ConfigurationSurroundings(
            now: now,
            environment: { ProcessInfo.processInfo.environment[$0] },
            readFile: { path in
                guard let bytes = FileManager.default.contents(atPath: path) else {
                    let exists = FileManager.default.fileExists(atPath: path)
                    throw UnreadableFile(reason: exists ? "it cannot be read" : "it does not exist")
                }
                guard let text = String(bytes: bytes, encoding: .utf8) else {
                    throw UnreadableFile(reason: "it is not UTF-8")
                }
                return text
            },
            isReadable: { path in
                var isDirectory: ObjCBool = false
                return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
                    && !isDirectory.boolValue && FileManager.default.isReadableFile(atPath: path)
            })
    }
}

/// Why a file could not be read; the reason is shown, so it holds nothing of the content.
package struct UnreadableFile: Error, Sendable {
    package let reason: String

    package init(reason: String) {
        self.reason = reason
    }
}

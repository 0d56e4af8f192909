import Foundation

/// The built binary, and the repository it was built from.
enum Millrace {
    /// One finished run.
    struct Finished: Sendable {
        let end: ChildProcess.End
        let output: String
        let errors: String
        let lines: [String]

        var exitCode: Int32? {
            if case .exited(let code) = end { code } else { nil }
        }
    }

    static let repository: String = {
        // Tests/EndToEndTests/Harness/Millrace.swift
        var url = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { url.deleteLastPathComponent() }
        return url.path
    }()

    /// `$MILLRACE_BINARY`, or the one beside this test bundle, or the debug build of the repository.
    static let binary: String = {
        if let path = ProcessInfo.processInfo.environment["MILLRACE_BINARY"] { return path }
        let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let beside = bundle.deletingLastPathComponent().appendingPathComponent("millrace").path
        return FileManager.default.isExecutableFile(atPath: beside)
            ? beside : repository + "/.build/debug/millrace"
    }()

    static func file(_ path: String) -> String { repository + "/" + path }

    static func start(
        _ arguments: [String], in folder: String = repository, environment: [String: String] = [:]
    ) throws -> ChildProcess {
        try ChildProcess(binary, arguments, folder: folder, environment: environment)
    }

    /// Runs a command to its end.
    static func run(
        _ arguments: [String], in folder: String = repository, environment: [String: String] = [:],
        within limit: Duration = .seconds(30)
    ) async throws -> Finished {
        try await finished(try start(arguments, in: folder, environment: environment), within: limit)
    }

    static func finished(_ process: ChildProcess, within limit: Duration = .seconds(30)) async throws
        -> Finished
    {
        let end = try await process.ended(within: limit)
        return Finished(
            end: end, output: process.output.text, errors: process.errors.text, lines: process.output.texts)
    }
}

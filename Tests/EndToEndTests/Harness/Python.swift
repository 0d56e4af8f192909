import Foundation

/// The interpreter that has the libraries of `Independent/requirements.txt`.
enum Python {
    static func interpreter() throws -> String {
        let path = ProcessInfo.processInfo.environment["MILLRACE_PYTHON"] ?? Millrace.file(".venv/bin/python")
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Failure(
                "there is no Python interpreter with the independent libraries at \(path): `make test` prepares it"
            )
        }
        return path
    }

    static func script(_ name: String) -> String { Millrace.file("Tests/EndToEndTests/Independent/\(name)") }
}

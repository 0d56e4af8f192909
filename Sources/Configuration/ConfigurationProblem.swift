/// One thing that is wrong in a configuration file, or, among the warnings, one that is probably not meant.
///
/// Safe to show and to log: it never holds the value of a secret, nor any value that came from a variable or a file.
package struct ConfigurationProblem: Error, Sendable, Equatable, CustomStringConvertible {
    package let file: String
    /// Counted from 1; of a missing key, the line of the part it is missing from.
    package let line: Int
    /// The dotted path, such as `sources[1].every`; `file` when the file as a whole is meant.
    package let key: String
    /// What is wrong.
    package let message: String
    /// What is allowed, or what to do instead.
    package let allowed: String

    package init(file: String, line: Int, key: String, message: String, allowed: String) {
        (self.file, self.line, self.key, self.message, self.allowed) = (file, line, key, message, allowed)
    }

    /// `FILE:LINE: key: what is wrong, what is allowed`.
    package var description: String { "\(file):\(line): \(key): \(message), \(allowed)" }
}

package import Persisting
package import Ports

/// What one poll cycle gave.
package struct PollCycle: Sendable {
    package internal(set) var result = ReadingResult()
    /// Customers that could not be read, and why the last one could not.
    package internal(set) var failed = 0
    package internal(set) var failure: SourceError?

    package init(_ result: ReadingResult = ReadingResult()) {
        self.result = result
    }
}

import Foundation

/// Which seeds a suite runs with: the usual ones, more of them, or the one that failed.
package enum Seeds {
    /// A new one on each run, or the one that failed: `NAME_SEED`.
    package static func drawn(_ name: String) -> UInt64 {
        ProcessInfo.processInfo.environment["\(name)_SEED"].flatMap(UInt64.init)
            ?? UInt64.random(in: 0...UInt64(UInt32.max))
    }

    /// Whether somebody asked for more than the usual: there is time for everything then.
    package static func isSoaking(_ name: String) -> Bool {
        ProcessInfo.processInfo.environment["\(name)_SEEDS"] != nil
    }

    /// - Parameter name: `NAME_SEED` is one seed, `NAME_SEEDS` a number of random ones.
    package static func chosen(_ name: String, usual: Int) -> [UInt64] {
        let environment = ProcessInfo.processInfo.environment
        if let one = environment["\(name)_SEED"].flatMap(UInt64.init) { return [one] }
        if let count = environment["\(name)_SEEDS"].flatMap(Int.init) {
            return (0..<count).map { _ in UInt64.random(in: 0...UInt64(UInt32.max)) }
        }
        return (1...UInt64(usual)).map { $0 }
    }
}

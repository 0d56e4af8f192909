import Dispatch

/// Blocks one after the other.
final class BlockingSerialQueue: Sendable {
    private let queue = DispatchQueue(label: "millrace.simulation")

    func add(_ block: @escaping @Sendable () -> Void) {
        queue.async(execute: block)
    }
}

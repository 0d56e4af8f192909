import Synchronization

/// Whether every enabled part of the relay has started; told by whoever starts them.
package final class Readiness: Sendable {
    private let flag = Mutex(false)

    package init() {}

    package var isReady: Bool { flag.withLock { $0 } }

    package func set(_ isReady: Bool) {
        flag.withLock { $0 = isReady }
    }
}

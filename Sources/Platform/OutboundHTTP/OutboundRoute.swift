import Synchronization

/// What all requests to one endpoint have in common, made ready once: a handle that served the route before is set up for
/// its next request by its body and its own headers alone.
package final class OutboundRoute: Sendable {
    let number: Int
    let headers: HeaderBlock
    /// How many requests of the route have begun and not ended.
    let underWay = Atomic<Int>(0)

    private static let last = Mutex(0)

    /// - Parameter headers: sent with every request of the route.
    package init(headers: [(name: String, value: String)]) {
        number = Self.last.withLock { last in
            last += 1
            return last
        }
        var block = HeaderBlock.beginning
        for header in headers { block.append(header.name, header.value) }
        self.headers = block
    }
}

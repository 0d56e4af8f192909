import Synchronization

/// What all requests to one endpoint have in common, made ready once: a handle that served the route before is set up for
/// its next request by its body and its own headers alone.
package final class OutboundRoute: Sendable {
    let number: Int
    let headers: HeaderLines.Block
    /// False when one of the common headers is not allowed in HTTP.
    let isLawful: Bool

    private static let last = Mutex(0)

    /// - Parameter headers: sent with every request of the route.
    package init(headers: [(name: String, value: String)]) {
        number = Self.last.withLock { last in
            last += 1
            return last
        }
        var block = HeaderLines.Block.beginning
        var isLawful = true
        for header in headers where !block.append(header.name, header.value) { isLawful = false }
        (self.headers, self.isLawful) = (block, isLawful)
    }
}

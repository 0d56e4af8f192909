package import EventModel
package import Ports
import Signing

/// `weiban.outflow`: `GET /open-api/external_user/list/outflow`.
///
/// Order, bounds and filter of the list are unknown: a window is read whole, page after page by offset, and read again when
/// the list moved meanwhile, three times at most. What was found is stored in any case; the watermark stays until a window
/// was read whole.
package struct WeibanOutflows: WindowSource {
    package let kind = SourceKind.outflow
    private let client: WeibanClient
    private let pageSize: Int

    static let path = "/open-api/external_user/list/outflow"
    static let readings = 3

    package init(_ client: WeibanClient, pageSize: Int) {
        (self.client, self.pageSize) = (client, pageSize)
    }

    package nonisolated(nonsending) func read(
        _ window: Window, lane: String,
        store: nonisolated(nonsending) (Page) async throws(SourceError) -> Void
    ) async throws(SourceError) {
        let doing = "read outflow from \(window.from.rfc3339) to \(window.to.rfc3339)"
        var cause = ""
        for _ in 0..<Self.readings {
            guard let moved = try await readOnce(window, doing, store) else { return }
            cause = moved
        }
        throw SourceError(.malformed, doing: doing, cause: "\(cause), \(Self.readings) times")
    }

    /// - Returns: nil when the window was read whole, else why not.
    private nonisolated(nonsending) func readOnce(
        _ window: Window, _ doing: String,
        _ store: nonisolated(nonsending) (Page) async throws(SourceError) -> Void
    ) async throws(SourceError) -> String? {
        var reading = OffsetReading()
        while true {
            let reply = try await client.get(Self.path, query: query(window, reading.offset), doing: doing)
            try await store(Page(rows: reply.rows, vendorTime: reply.vendorTime))
            switch reading.received(reply.rows.map(Self.identity), total: reply.totalCount ?? 0) {
            case .next: continue
            case .whole: return nil
            case .again(let cause): return cause
            }
        }
    }

    private func query(_ window: Window, _ offset: Int) -> [(name: String, value: String)] {
        [
            ("start_time", String(window.from.seconds)), ("end_time", String(window.to.seconds)),
            ("limit", String(pageSize)), ("offset", String(offset)),
        ]
    }

    /// A row that cannot be read counts as itself.
    private static func identity(_ row: [UInt8]) -> String {
        do throws(RowError) {
            return try WeibanOutflow(row).identity
        } catch {
            return Digest.sha256(row).hexadecimal
        }
    }
}

import EventModel
import Foundation
import RowDecoding

/// Reads a running relay's feed page by page and prints each event's bytes as they came.
struct FeedFollower {
    let client: RelayClient
    let types: [NamePattern]?
    let accounts: [NamePattern]?

    private static let page: Int64 = 500
    private static let wait = 30

    private struct Position: Decodable {
        let nextAfter, head: Int64

        enum CodingKeys: String, CodingKey {
            case head
            case nextAfter = "next_after"
        }
    }

    func run(after: Int64?, limit: Int64, follows: Bool) async throws(CommandError) -> Int32 {
        defer { client.close() }
        var (position, left) = (after, limit)
        while left > 0 {
            let body = try await client.get(
                path(after: position, limit: min(left, Self.page), follows),
                timeout: .seconds(Self.wait + 30))
            guard let page = RowSlicer.slice(body, path: ["items"]) else { throw Self.unknown }
            for event in page.rows {
                guard Output.bytes(event + [UInt8(ascii: "\n")]) else { return 0 }
            }
            left -= Int64(page.rows.count)
            let reached = try Self.position(page.envelope)
            position = reached.nextAfter
            if !follows, reached.nextAfter >= reached.head { return 0 }
            guard Output.hasReader else { return 0 }
        }
        return 0
    }

    private func path(after: Int64?, limit: Int64, _ follows: Bool) -> String {
        var parts = ["limit=\(limit)"]
        if let after { parts.append("after=\(after)") }
        if let types { parts.append("types=\(types.map(\.text).joined(separator: ","))") }
        if let accounts { parts.append("accounts=\(accounts.map(\.text).joined(separator: ","))") }
        if follows { parts.append("wait=\(Self.wait)s") }
        return "/v1/events?" + parts.joined(separator: "&")
    }

    private static func position(_ envelope: [UInt8]) throws(CommandError) -> Position {
        do {
            return try JSONDecoder().decode(Position.self, from: Data(envelope))
        } catch {
            throw unknown
        }
    }

    private static let unknown = CommandError.failed("the answer is not a page of a relay's feed")
}

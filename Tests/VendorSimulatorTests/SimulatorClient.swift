import EventModel
import Foundation
import Signing
import Synchronization
import VendorSimulator

/// A clock that stands still until a test moves it.
final class StandingClock: Sendable {
    private let time: Mutex<Timestamp>

    init(_ text: String = "2026-03-02 10:00:00") {
        time = Mutex(Timestamp(chinaText: text) ?? Timestamp(seconds: 0))
    }

    var now: Timestamp { time.withLock { $0 } }

    func advance(by duration: Duration) {
        time.withLock { $0 = $0 + duration }
    }
}

/// A reader of the visits endpoint that signs as the vendor asks for, and shows everything of a reply.
struct SimulatorClient {
    struct Page: Decodable {
        struct Content: Decodable {
            let list: [SimulatedVisit]
            let nextCursor: String?
        }

        let code: Int
        let data: Content?
    }

    static let path = "/api/v3/visitor/list-visit-by-time-asc"

    let simulator: VendorSimulator
    let clock: StandingClock
    var appID = "ww0123456789abcdef_Demo01"
    var appKey = "demoAppKey"

    init(_ clock: StandingClock = StandingClock(), _ change: (inout SimulatorOptions) -> Void = { _ in })
        throws
    {
        var options = SimulatorOptions()
        change(&options)
        self.clock = clock
        simulator = try VendorSimulator(options, now: { clock.now })
    }

    /// One page, by the fields of the request.
    func page(
        since: String = "2000-01-01 00:00:00", before: String? = nil, size: Int = 100, unionid: String? = nil,
        cursor: String? = nil
    ) throws -> Page {
        var fields: [String: Any] = ["since": since, "size": size]
        fields["before"] = before ?? NSNull()
        if let unionid { fields["unionid"] = unionid }
        if let cursor { fields["cursor"] = cursor }
        return try page(fields)
    }

    func page(_ fields: [String: Any]) throws -> Page {
        let body = try JSONSerialization.data(withJSONObject: fields)
        return try JSONDecoder().decode(
            Page.self, from: Data(try post(String(decoding: body, as: UTF8.self)).body))
    }

    /// One request on a connection of its own.
    /// - Parameter change: may change or remove header fields after the request is signed.
    func post(
        _ body: String = #"{"since":"2000-01-01 00:00:00"}"#, path: String = path, method: String = "POST",
        change: (inout [String: String]) -> Void = { _ in }
    ) throws -> LoopbackReply {
        let timestamp = String(clock.now.milliseconds)
        var headers = [
            "Host": "127.0.0.1", "Connection": "close", "Content-Type": "application/json",
            "Content-Length": String(body.utf8.count), "appId": appID, "timestamp": timestamp,
            "sign": Digest.sha256(Array("\(appID)\(timestamp)\(body)\(appKey)".utf8)).hexadecimal,
        ]
        change(&headers)
        let lines = ["\(method) \(path) HTTP/1.1"] + headers.map { "\($0.key): \($0.value)" } + ["", body]
        return try LoopbackReply(to: lines.joined(separator: "\r\n"), port: simulator.port)
    }
}

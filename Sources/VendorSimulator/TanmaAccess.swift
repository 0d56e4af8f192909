import EventModel
import InboundHTTP
import Signing

/// Checks the headers every request to Tanma carries.
struct TanmaAccess: Sendable {
    /// How far a request's timestamp may be from the simulator's clock; the vendor's number is unknown.
    private static let tolerance: Int64 = 5 * 60 * 1000

    let appID: String
    let appKey: String

    /// What is wrong with a request, or nil: first the signature, then the clock, so that a stranger learns
    /// nothing.
    func refusal(of request: InboundRequest, now: Timestamp) -> Refusal? {
        guard request.headers["appId"] == appID, let timestamp = request.headers["timestamp"],
            timestamp.utf8.count == 13, let milliseconds = Int64(timestamp), milliseconds >= 0,
            request.headers["sign"] == signature(timestamp: timestamp, body: request.body)
        else { return .signature }
        guard abs(milliseconds - now.milliseconds) <= Self.tolerance else { return .clock }
        let type = request.headers["Content-Type"]?.lowercased() ?? ""
        return type.hasPrefix("application/json") ? nil : .parameter("Content-Type")
    }

    func signature(timestamp: String, body: [UInt8]) -> String {
        Digest.sha256(Array((appID + timestamp).utf8) + body + Array(appKey.utf8)).hexadecimal
    }
}

/// A request the vendor answers with HTTP 200 and a code that is not 0.
enum Refusal: Error, Equatable {
    case signature
    case clock
    /// The number is made up: what the vendor sends is unknown.
    case parameter(String)
    /// What the vendor's page shows for "exception".
    case exception

    var code: Int64 {
        switch self {
        case .exception: 1000
        case .parameter: 1001
        case .signature: 1002
        case .clock: 1003
        }
    }

    var message: String {
        switch self {
        case .exception: "异常"
        case .parameter(let name): "参数错误: \(name)"
        case .signature: "签名错误"
        case .clock: "时间戳超出允许范围"
        }
    }
}

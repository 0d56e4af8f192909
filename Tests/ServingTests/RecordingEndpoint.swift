import Dispatch
import EventModel
import Ports
import Synchronization

/// An endpoint that keeps what it was sent and answers with the status it is told to.
final class RecordingEndpoint: Endpoint {
    private let state = Mutex<(deliveries: [Delivery], status: Int)>(([], 200))
    private let queue = DispatchQueue(label: "recording-endpoint")

    var deliveries: [Delivery] { state.withLock { $0.deliveries } }

    func answer(with status: Int) {
        state.withLock { $0.status = status }
    }

    func begin(_ delivery: Delivery, _ done: @escaping @Sendable (AttemptResult) -> Void) {
        let status = state.withLock { state in
            state.deliveries.append(delivery)
            return state.status
        }
        queue.async { done(Self.result(status)) }
    }

    func askConsent(perMinute: Double?, _ done: @escaping @Sendable (Consent) -> Void) {
        queue.async { done(.granted(perMinute: nil)) }
    }

    private static func result(_ status: Int) -> AttemptResult {
        let answer = Array("told so".utf8)
        switch status {
        case 200...299: return AttemptResult(.accepted, status: status, answer: answer)
        case 415:
            return AttemptResult(
                .refused, status: status, failure: .status, reason: "HTTP status 415", answer: answer)
        default:
            return AttemptResult(
                .failed, status: status, failure: .status, reason: "HTTP status \(status)", answer: answer)
        }
    }
}

import EventModel
import InboundHTTP
import Synchronization

/// What all of Tanma's endpoints have in common: the fault of a request, its signature and clock, the counts.
///
///     fault of this request? ──▶ signature, clock ──▶ the endpoint's own answer
final class TanmaDoor: Sendable {
    /// What the server is to do with a request.
    enum Reply: Sendable {
        case answer(HTTPAnswer, after: Duration?)
        case drop
    }

    private struct State {
        var dice: FaultDice
        var statistics = SimulatorStatistics()
    }

    let options: SimulatorOptions
    private let access: TanmaAccess
    private let now: @Sendable () -> Timestamp
    private let state: Mutex<State>

    init(_ options: SimulatorOptions, now: @escaping @Sendable () -> Timestamp) {
        (self.options, self.now) = (options, now)
        access = TanmaAccess(appID: options.appID, appKey: options.appKey)
        state = Mutex(State(dice: FaultDice(options.faults, seed: options.seed)))
    }

    var statistics: SimulatorStatistics { state.withLock { $0.statistics } }

    /// - Parameter page: the endpoint's answer to a request that is signed and on time.
    func serve(
        _ request: InboundRequest, at path: String,
        page: (_ instant: Timestamp, _ line: inout SimulatedRequest) throws(Refusal) -> HTTPAnswer
    ) -> Reply {
        serveUnsigned(request, at: path) { instant, line in
            if let refusal = access.refusal(of: request, now: instant) { return refuse(refusal, &line) }
            do throws(Refusal) {
                return try page(instant, &line)
            } catch {
                return refuse(error, &line)
            }
        }
    }

    /// The same for an endpoint that has an authentication of its own.
    func serveUnsigned(
        _ request: InboundRequest, at path: String,
        page: (_ instant: Timestamp, _ line: inout SimulatedRequest) -> HTTPAnswer
    ) -> Reply {
        let fault = state.withLock { state in
            state.statistics.requests[path, default: 0] += 1
            return state.dice.next()
        }
        var line = SimulatedRequest(endpoint: path, fault: fault)
        defer { options.requestLog?(line) }
        switch fault {
        case .drop:
            count(fault)
            line.status = nil
            return .drop
        case .status500:
            count(fault)
            line.status = 500
            return .answer(
                HTTPAnswer(
                    status: 500, headers: ["Content-Type": "text/html"], body: bytes("<html>500</html>")),
                after: nil)
        case .throttle:
            count(fault)
            line.status = 429
            return .answer(HTTPAnswer(status: 429, headers: ["Retry-After": "1"]), after: nil)
        case .code:
            count(fault)
            return .answer(refuse(.exception, &line), after: nil)
        case .none, .slow, .malformedRow, .malformedPage:
            let answer = page(now(), &line)
            if fault == .slow { count(fault) }
            return .answer(answer, after: fault == .slow ? options.faults.slowDelay : nil)
        }
    }

    /// Counts a page that was answered, and its fault when it had one.
    func served(_ rows: Int, fault: Fault) {
        state.withLock { state in
            state.statistics.rowsServed += rows
            if fault == .malformedRow || fault == .malformedPage {
                state.statistics.faults[fault, default: 0] += 1
            }
        }
    }

    private func refuse(_ refusal: Refusal, _ line: inout SimulatedRequest) -> HTTPAnswer {
        line.code = refusal.code
        state.withLock { state in
            switch refusal {
            case .signature: state.statistics.signatureRefusals += 1
            case .clock: state.statistics.clockRefusals += 1
            case .parameter: state.statistics.parameterRefusals += 1
            case .exception: break
            }
        }
        return Self.json(Self.envelope(refusal.code, refusal.message))
    }

    private func count(_ fault: Fault) {
        state.withLock { $0.statistics.faults[fault, default: 0] += 1 }
    }

    /// A reply without a payload.
    static func envelope(_ code: Int64, _ message: String) -> [UInt8] {
        var writer = JSONWriter(reserving: 128)
        writer.object { reply in
            reply.member("code", code)
            reply.member("message", message)
            reply.key("data")
            reply.null()
        }
        return writer.bytes
    }

    static func json(_ body: [UInt8], status: Int = 200) -> HTTPAnswer {
        HTTPAnswer(
            status: status, headers: ["Content-Type": "application/json;charset=UTF-8"], body: body)
    }
}

import EventModel
import InboundHTTP
import OutboundHTTP
import Ports
import Services
import Synchronization
import TestSupport

@testable import TanmaSource

/// A gate that lets everything through once and remembers what failed.
final class OpenGate: RequestGate {
    private let state = Mutex<[SourceError.Kind]>([])

    var failures: [SourceError.Kind] { state.withLock { $0 } }

    func admitted<T: Sendable>(
        _ request: () async throws(SourceError) -> T
    ) async throws(SourceError) -> T {
        do throws(SourceError) {
            return try await request()
        } catch {
            state.withLock { $0.append(error.kind) }
            throw error
        }
    }
}

/// Real: an HTTP server on loopback, answering by script and writing down what it was asked.
final class ScriptedVendor: Sendable {
    private final class Recorder: Sendable {
        let requests = Mutex<[InboundRequest]>([])
    }

    private let recorder: Recorder
    private let server: HTTPServer
    let clock = ManualClock()
    let gate = OpenGate()

    /// - Parameter bodies: one for each request; the last one answers all that follow.
    init(_ bodies: String..., status: Int = 200) throws {
        let script = Mutex(bodies)
        let recorder = Recorder()
        server = try HTTPServer(.init()) { request, responder in
            recorder.requests.withLock { $0.append(request) }
            let body = script.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
            responder.answer(HTTPAnswer(status: status, body: Array(body.utf8)))
        }
        self.recorder = recorder
    }

    var asked: [InboundRequest] { recorder.requests.withLock { $0 } }

    func stop() {
        server.stop()
    }

    func client(sendAppKeyHeader: Bool = false) -> TanmaClient {
        TanmaClient(
            .demo("http://127.0.0.1:\(server.port)/apiServer", sendAppKeyHeader: sendAppKeyHeader),
            http: HTTPClient(), gate: gate, timekeeper: clock)
    }
}

extension TanmaAccount {
    static func demo(_ baseURL: String, appKey: String = "demoAppKey", sendAppKeyHeader: Bool = false) -> Self
    {
        TanmaAccount(
            name: "acme-tanma", baseURL: baseURL, appID: "ww0123456789abcdef_Demo01", appKey: Secret(appKey),
            sendAppKeyHeader: sendAppKeyHeader, timeout: .seconds(20), caFile: nil, proxy: nil)
    }
}

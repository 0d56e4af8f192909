import EventModel
import Foundation
import Ports
import Services
import Signing
import YAML

@testable import Configuration
@testable import InboundHTTP
@testable import Ingesting
@testable import KafkaSink
@testable import Normalizing
@testable import OutboundHTTP
@testable import Persisting
@testable import RowDecoding
@testable import TanmaSource
@testable import WeibanSource

/// What reads bytes that somebody else wrote. A target traps where a promise about its input is broken; anything else it may
/// answer as it likes. To add one: a case, its inputs in `Corpus/NAME/`.
enum FuzzTarget: String, CaseIterable {
    /// A reply of Tanma's: envelope, rows, and each row through every normalizer.
    case tanma
    /// A reply of Weiban's, the same.
    case weiban
    /// A configuration: YAML, variables, every rule.
    case configuration
    /// The target of an HTTP request.
    case target
    /// A request to the API: its target in the first line, a JSON body behind it.
    case requests
    /// A webhook's answer: its header lines, and its consent with the rate it allows.
    case answers
    /// Retry-After and HTTP dates.
    case dates
    /// What the store and Kafka keep as text: positions of sources and sinks, settled ranges; ids.
    case positions

    func run(_ input: [UInt8]) {
        switch self {
        case .tanma: Self.tanma(input)
        case .weiban: Self.weiban(input)
        case .configuration: Self.configuration(String(decoding: input, as: UTF8.self))
        case .target: Self.target(String(decoding: input, as: UTF8.self))
        case .requests: Self.requests(input)
        case .answers: Self.answers(String(decoding: input, as: UTF8.self))
        case .dates: Self.dates(String(decoding: input, as: UTF8.self))
        case .positions: Self.positions(String(decoding: input, as: UTF8.self))
        }
    }

    static let now = Timestamp(seconds: 1_790_000_000)

    // MARK: - Vendors

    private static func tanma(_ body: [UInt8]) {
        let normalizers: [any Normalizer] = [
            TanmaVisitNormalizer(), TanmaRelationNormalizer(privacy: .keepEverything),
            TanmaFollowRecordNormalizer(privacy: .keepEverything),
            TanmaCustomerFileNormalizer(privacy: .keepEverything),
        ]
        let response = OutboundResponse(status: 200, headers: [], body: body)
        for shape in [TanmaReply.Shape.pages, .whole, .counted] {
            do throws(SourceError) {
                let reply = try TanmaReply(response, shape: shape, now: now, doing: "read")
                for normalizer in normalizers { rows(reply.rows, normalizer) }
            } catch {
                check(error.kind == .malformed, "a whole reply is refused as \(error.kind)")
            }
        }
        for normalizer in normalizers { rows([body], normalizer) }
    }

    private static func weiban(_ body: [UInt8]) {
        let normalizer = WeibanOutflowNormalizer(privacy: .keepEverything)
        do throws(SourceError) {
            let reply = try WeibanReply(
                OutboundResponse(status: 200, headers: [], body: body), now: now, doing: "read")
            rows(reply.rows, normalizer)
            grant(reply)
        } catch {
            check(error.kind == .malformed, "a whole reply is refused as \(error.kind)")
        }
        rows([body], normalizer)
    }

    private static func grant(_ reply: WeibanReply) {
        do throws(SourceError) {
            let grant = try reply.grant(doing: "ask for a token", refusals: 0)
            check(grant.lifetime > .zero, "a token that was never valid")
        } catch {
            check(error.kind != .cancelled, "a reply cancels")
        }
    }

    /// A row becomes an event whose bytes are JSON and whose slots can be filled, or it is rejected.
    private static func rows(_ rows: [[UInt8]], _ normalizer: any Normalizer) {
        let normalizing = RowNormalizing(relay: "acme", account: "acme", normalizer: normalizer)
        for row in normalizing.normalize(rows) {
            guard case .event(let draft, _) = row else { continue }
            let id = draft.id(revision: 1)
            var body = draft.encoded(id: id, revision: 1)
            let recorded = Timestamp(seconds: 1_790_000_000)
            EventSlots.fill(&body, offset: 7, recordedTime: Array(recorded.rfc3339Milliseconds.utf8))
            check(
                body.starts(with: EventSlots.front(id: id, offset: 7, recorded: recorded)), "the slots moved")
            check(isJSON(body), "an event is no JSON")
            check(!draft.subject.isEmpty, "an event has no subject")
        }
        for row in rows { _ = RowShape.of(row) }
    }

    private static func isJSON(_ bytes: [UInt8]) -> Bool {
        do {
            return try JSONSerialization.jsonObject(with: Data(bytes)) is [String: Any]
        } catch {
            return false
        }
    }

    // MARK: - Texts

    private static func configuration(_ text: String) {
        let surroundings = ConfigurationSurroundings(
            now: now, environment: { $0 == "SET" ? "set" : nil },
            readFile: { _ in throw UnreadableFile(reason: "it does not exist") }, isReadable: { _ in false })
        let reading = ConfigurationReader(surroundings: surroundings).read(text, file: "m.yaml")
        check(reading.settings != nil || !reading.problems.isEmpty, "refused without a reason")
        check(
            reading.problems.allSatisfy { $0.description.hasPrefix("m.yaml:") }, "a problem without its place"
        )
    }

    private static func target(_ text: String) {
        let target = RequestTarget(text)
        check(target.query.count <= text.utf8.count, "more parameters than bytes")
    }

    private static func dates(_ text: String) {
        if let wait = HTTPDate.retryAfter(text, now: now) { check(wait >= .zero, "a wait below nothing") }
        if let time = HTTPDate.parse(text) { _ = time.rfc3339 }
        if let time = Timestamp(rfc3339: text) {
            check(Timestamp(rfc3339: time.rfc3339Milliseconds) == time, "a time reads as another")
        }
    }

    private static func positions(_ text: String) {
        let ranges = SinkLedger.decode(text)
        check(SinkLedger.decode(SinkLedger.encode(ranges)) == ranges, "ranges read as others")
        if let writer = PositionMetadata(text) {
            check(PositionMetadata(writer.text) == writer, "a position's writer reads as another")
        }
        _ = LanePlans.State(SourcePosition(state: text, watermark: nil))
        if let id = EventID(text: text) { check(id.text == text, "an id reads as another") }
        if let pattern = NamePattern(text) { _ = [pattern].match("visit.recorded") }
    }

    static func check(_ holds: Bool, _ promise: String) {
        if !holds { fatalError(promise) }
    }
}

import EventModel
import Foundation
import Ports
import Services

/// `millrace replay`: has a running relay send a range of its log again, and shows how it gets on.
struct ReplayCommand: Command {
    let name = "replay"
    let summary = "sends a range of the log again through a running relay, beside the live flow"
    let options =
        [
            Option(name: "to", value: "SUBSCRIPTION|kafka", help: "a subscription's id or name, or kafka"),
            Option(
                name: "from", value: "OFFSET|TIME",
                help: "the first event, the first recorded at or after a time, or beginning"),
            Option(
                name: "until", value: "OFFSET|TIME",
                help: "the first event not to send (default: all there are now)"),
            Option(
                name: "type", value: "T", isRepeatable: true,
                help: "only this type or pattern: visit.updated, visit.*"),
            Option(name: "rate", value: "N", help: "at most this many events a second"),
            Option(
                name: "topic", value: "T", help: "kafka: another topic than the configured one, or a template"
            ),
            Option(name: "detach", help: "begins the replay and does not wait for its end"),
            Option.config,
        ] + RelayClient.options
    let examples = [
        Example(
            "millrace replay --to crm-sync --from 2026-11-01T00:00:00+08:00 --type 'visit.*' --rate 50",
            "a part, slowly; each request carries the header millrace-replay"),
        Example(
            "millrace replay --to kafka --from 1 --topic millrace.rebuild",
            "everything once more, into another topic"),
    ]

    func run(_ arguments: Arguments) async throws(CommandError) -> Int32 {
        let order = try order(arguments)
        let client = try RelayClient(configured: arguments)
        defer { client.close() }
        let replay: ReplayState = try await client.posted("/v1/replays", order)
        if arguments.has("detach") {
            Output.line(replay.summary)
            return 0
        }
        return try await follow(replay, client)
    }

    private func order(_ arguments: Arguments) throws(CommandError) -> [String: Any] {
        guard let to = arguments.text("to") else {
            throw .usage("replay: needs --to, a subscription or kafka")
        }
        guard let from = arguments.text("from") else { throw .usage("replay: needs --from OFFSET|TIME") }
        var order: [String: Any] = ["to": to, "from": try Self.point(from, "from", words: ["beginning"])]
        if let until = arguments.text("until") { order["until"] = try Self.point(until, "until", words: []) }
        let types = arguments.texts("type")
        for type in types where NamePattern(type) == nil {
            throw .usage("--type \(type): not a pattern; allowed: *, a prefix like visit.*, or an exact name")
        }
        if !types.isEmpty { order["types"] = types }
        if let rate = try arguments.number("rate", in: 0.001...1_000_000) { order["rate"] = rate }
        if let topic = arguments.text("topic") { order["topic"] = topic }
        return order
    }

    static func point(_ text: String, _ option: String, words: [String]) throws(CommandError) -> Any {
        if words.contains(text) { return text }
        if let offset = Int64(text), offset >= 1 { return offset }
        if Timestamp(rfc3339: text) != nil { return text }
        throw .usage(
            "--\(option) \(text): neither an offset from 1 nor a time; allowed: 4711, 2026-11-01T00:00:00+08:00"
        )
    }

    // MARK: - Following

    private static let askEvery: Duration = .milliseconds(500)

    /// Until the replay has ended, or the person has seen enough: it goes on without a looker-on.
    private func follow(_ first: ReplayState, _ client: RelayClient) async throws(CommandError) -> Int32 {
        let signals = Signals()
        let bars = Terminal.errorIsTerminal ? ProgressBars() : nil
        let timekeeper = SystemTimekeeper()
        var replay = first
        if bars == nil { Terminal.say("replay \(replay.id): \(replay.events) events to \(replay.to)") }
        while replay.state == "running" {
            bars?.show(replay.to, fraction: Double(replay.percent) / 100, detail: replay.detail)
            let isOver = await signals.comes(within: Self.askEvery, timekeeper)
            if isOver {
                bars?.end(replay.to)
                Terminal.say("\(replay.id) goes on; DELETE /v1/replays/\(replay.id) cancels it")
                return 0
            }
            replay = try await client.decoded("/v1/replays/\(replay.id)")
        }
        bars?.end(replay.to)
        Output.line(replay.summary)
        if let failure = replay.failure { Terminal.say("replay: \(failure)") }
        return replay.state == "done" && replay.dead == 0 ? 0 : 1
    }
}

/// A replay as the API tells of it.
private struct ReplayState: Decodable {
    let id, to, state: String
    let percent: Int
    let from, until, position, events, delivered, filtered, dead, expired: Int64
    let failure: String?

    var detail: String {
        "offset \(position), \(delivered) delivered" + (failure.map { " (\($0))" } ?? "")
    }

    var summary: String {
        #"{"id":"\#(id)","to":"\#(to)","state":"\#(state)","from":\#(from),"until":\#(until),"delivered":\#(delivered),"#
            + #""filtered":\#(filtered),"dead":\#(dead),"expired":\#(expired)}"#
    }
}

extension Signals {
    /// Waits; true when a signal came meanwhile.
    fileprivate func comes(within time: Duration, _ timekeeper: any Timekeeper) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await self.wait()
                return !Task.isCancelled
            }
            group.addTask {
                do throws(CancellationError) { try await timekeeper.sleep(for: time) } catch { return false }
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
    }
}

import EventModel
import Foundation
import InboundHTTP
import Persisting
import Ports
import Services

/// Sends the log to every open event stream (Server-Sent Events).
///
///     log's tail ──▶ one reading for all ──▶ streams at the head     a full buffer ends the stream, with a reason
///     store      ──▶ a reading of its own ──▶ a stream behind it     waits for its client, buffers nothing
///
/// A stream begins behind and joins the others when it has caught up; the join and the sending happen in one actor without a
/// pause between, so no event is skipped or doubled.
actor StreamHub {
    struct Reader {
        let stream: OutgoingStream
        let filter: EventFilter
        var position: Int64
    }

    /// Clients and proxies take silence for death; a closed client is noticed only when something is written.
    static let heartbeat: Duration = .seconds(15)
    /// What may wait for one client before it counts as too slow.
    static let capacity = 256 << 10
    /// How many streams there may be.
    static let most = 10_000

    private let log: EventLog
    private let metrics: RelayMetrics
    private let timekeeper: any Timekeeper
    private let logger: Logger
    private let joins: AsyncStream<Reader>
    private let newcomers: AsyncStream<Reader>.Continuation
    private var live: [Reader] = []
    private var position: Int64
    private var count = 0

    init(_ log: EventLog, metrics: RelayMetrics, timekeeper: any Timekeeper, logger: Logger) {
        (self.log, self.metrics, self.timekeeper, self.logger) = (log, metrics, timekeeper, logger)
        position = log.head
        (joins, newcomers) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.most))
    }

    /// Takes a place for a stream that is about to begin; false when there is none.
    func reserve() -> Bool {
        guard count < Self.most else { return false }
        count += 1
        metrics.httpStreams.set(Double(count))
        return true
    }

    /// - Parameter stream: nil gives a reserved place back.
    func join(_ stream: OutgoingStream?, _ order: StreamOrder) {
        guard let stream else { return left() }
        _ = stream.send(Array("retry: 3000\n\n".utf8))
        newcomers.yield(Reader(stream: stream, filter: order.filter, position: order.after))
    }

    /// Runs until its task is cancelled; then every stream ends with a comment.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.follow() }
            group.addTask { await self.beat() }
            for await reader in joins {
                group.addTask { await self.catchUp(reader) }
            }
            group.cancelAll()
        }
        for reader in live { end(reader, "the relay is stopping") }
    }

    // MARK: - At the head

    private func follow() async {
        while !Task.isCancelled {
            await log.waitForEvent(after: position)
            do throws(LogError) {
                let events = try await log.events(after: position, limit: 500)
                if let last = events.last {
                    send(events)
                    position = last.offset
                }
            } catch {
                logger.warning(
                    "streams cannot read the log, will be tried again", [.cause: .text(error.description)])
                await pause(.seconds(1))
            }
        }
    }

    private func send(_ events: [StoredEvent]) {
        guard !live.isEmpty else { return }
        var over: Set<Int> = []
        for event in events {
            let frame = Self.frame(event)
            for (place, reader) in live.enumerated()
            where reader.position < event.offset && !over.contains(place) && reader.filter.wants(event) {
                switch reader.stream.send(frame) {
                case .taken: break
                case .full:
                    drop(reader)
                    over.insert(place)
                case .closed:
                    left()
                    over.insert(place)
                }
            }
        }
        if !over.isEmpty { live = live.enumerated().filter { !over.contains($0.offset) }.map(\.element) }
    }

    private func beat() async {
        let comment = Array(":\n\n".utf8)
        while !Task.isCancelled {
            await pause(Self.heartbeat)
            // A client whose buffer is full reads nothing: the connection's own time limit sees to it.
            live.removeAll { reader in
                guard case .closed = reader.stream.send(comment) else { return false }
                left()
                return true
            }
        }
    }

    // MARK: - Behind

    private func catchUp(_ newcomer: Reader) async {
        var reader = newcomer
        while !Task.isCancelled {
            if reader.position >= position {
                live.append(reader)
                return
            }
            do throws(LogError) {
                let events = try await log.events(after: reader.position, limit: 200, maxBytes: Self.capacity)
                // What it was to begin with is gone: the client asks again and is told so.
                if let first = events.first, first.offset > reader.position + 1 {
                    return end(reader, "events were removed")
                }
                for event in events where reader.filter.wants(event) {
                    guard await deliver(Self.frame(event), to: reader) else { return left() }
                }
                reader.position = events.last?.offset ?? max(position, reader.position)
            } catch {
                return end(reader, "the store cannot be read")
            }
        }
        end(reader, "the relay is stopping")
    }

    /// Waits for the client as long as it is there.
    private func deliver(_ frame: [UInt8], to reader: Reader) async -> Bool {
        while true {
            switch reader.stream.send(frame) {
            case .taken: return true
            case .closed: return false
            case .full:
                await reader.stream.drained()
                if Task.isCancelled {
                    reader.stream.finish()
                    return false
                }
            }
        }
    }

    // MARK: - Endings

    private func drop(_ reader: Reader) {
        metrics.httpStreamsDropped.increment()
        logger.info("event stream dropped, its reader is too slow", [.count: .count(count)])
        end(reader, "this reader is too slow; go on with Last-Event-ID")
    }

    private func end(_ reader: Reader, _ reason: String) {
        reader.stream.finish(Array(": \(reason)\n\n".utf8))
        left()
    }

    private func left() {
        count -= 1
        metrics.httpStreams.set(Double(count))
    }

    private func pause(_ duration: Duration) async {
        do throws(CancellationError) { try await timekeeper.sleep(for: duration) } catch { return }
    }

    /// The event's bytes are one line: JSON has no raw line breaks.
    static func frame(_ event: StoredEvent) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(event.body.count + 80)
        bytes += Array("id: \(event.offset)\nevent: \(event.type)\ndata: ".utf8)
        bytes += event.body
        bytes += Array("\n\n".utf8)
        return bytes
    }
}

extension EventFilter {
    func wants(_ event: StoredEvent) -> Bool {
        wants(type: event.type, account: event.account, key: event.key)
    }
}

import EventModel
import Ports

/// What arrived at one end, whatever became of the relay meanwhile.
struct Arrivals: Sendable {
    struct Accepted: Sendable {
        let offset: Int64
        /// Which run of the relay was told so; nil when no run ever heard of it.
        let run: Int?
        /// The refused event of its key that it got through behind; it comes again once that one is settled.
        let behind: Int64?
    }

    /// In the order in which they came.
    private(set) var accepted: [Accepted] = []
    private(set) var refused: Set<Int64> = []
    /// The bytes that were offered under each offset.
    private(set) var bodies: [Int64: [UInt8]] = [:]
    /// What was offered again with other bytes, or in other company than the batch it was frozen in.
    private(set) var changed: Set<Int64> = []
    /// The webhook-id that each event came under last, and who came with it.
    private var deliveries: [Int64: (id: String, members: Set<Int64>)] = [:]
    private var run = 0
    /// Calls that nobody has answered yet.
    var underWay = 0

    /// The process ended without a word: what the next one sends again is no fault.
    mutating func relayDied() {
        run += 1
    }

    mutating func offered(_ events: [StoredEvent]) {
        for event in events {
            if let before = bodies.updateValue(event.body, forKey: event.offset), before != event.body {
                changed.insert(event.offset)
            }
        }
    }

    /// A webhook's delivery: the same id and the same members on every attempt, whatever happened in between; only one
    /// that is too large is split.
    mutating func offered(_ delivery: Delivery) {
        offered(delivery.events)
        let members = Set(delivery.events.map(\.offset))
        for event in delivery.events {
            let before = deliveries.updateValue((delivery.id, members), forKey: event.offset)
            let isSame = before.map { $0.id == delivery.id && $0.members == members } ?? true
            let isSplit = before.map {
                $0.members.isStrictSuperset(of: members) && $0.members.contains(where: Self.isTooLargeForHook)
            }
            if !isSame, isSplit != true { changed.insert(event.offset) }
            if !delivery.isBatch, delivery.id != event.id.text { changed.insert(event.offset) }
        }
    }

    /// Some events are too large for the endpoints at any time.
    static func isTooLargeForHook(_ offset: Int64) -> Bool { offset % 37 == 0 }

    /// - Parameters:
    ///   - isTold: whether the relay hears of it.
    ///   - refused: the event of the same key that was refused just before.
    mutating func accept(_ events: [StoredEvent], isTold: Bool = true, behind refused: Int64? = nil) {
        accepted += events.map { Accepted(offset: $0.offset, run: isTold ? run : nil, behind: refused) }
    }

    mutating func refuse(_ events: [StoredEvent]) {
        refused.formUnion(events.map(\.offset))
    }
}

import EventModel

/// Many successful attempts in one row of the store, in the order they ended.
///
///     offset 8 │ time 8 │ duration in µs 4 │ attempt 2 │ status 2 │ id's length 1 │ id │ answer's length 2 │ answer
///
/// Numbers are big-endian. A chunk that is cut reads as what is whole of it.
enum SuccessChunk {
    static func encode(_ attempts: [AttemptRecord]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(attempts.count * 64)
        for attempt in attempts {
            append(UInt64(bitPattern: attempt.offset), 8, &bytes)
            append(UInt64(bitPattern: attempt.time.milliseconds), 8, &bytes)
            append(UInt64(clamping: microseconds(attempt.duration)), 4, &bytes)
            append(UInt64(clamping: attempt.attempt), 2, &bytes)
            append(UInt64(clamping: attempt.status ?? 0), 2, &bytes)
            let id = attempt.webhookID.utf8.prefix(255)
            bytes.append(UInt8(id.count))
            bytes.append(contentsOf: id)
            let answer = attempt.answer.prefix(0xFFFF)
            append(UInt64(answer.count), 2, &bytes)
            bytes.append(contentsOf: answer)
        }
        return bytes
    }

    static func decode(_ bytes: [UInt8]) -> [AttemptRecord] {
        var reader = Reader(bytes: bytes)
        var attempts: [AttemptRecord] = []
        while let attempt = reader.attempt() { attempts.append(attempt) }
        return attempts
    }

    private static func microseconds(_ duration: Duration) -> UInt32 {
        UInt32(clamping: Int64(duration.inSeconds * 1e6))
    }

    private static func append(_ value: UInt64, _ width: Int, _ bytes: inout [UInt8]) {
        let value = width == 8 ? value : min(value, (1 << UInt64(width * 8)) - 1)
        for place in (0..<width).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(place * 8)))
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var place = 0

        mutating func attempt() -> AttemptRecord? {
            guard let offset = number(8), let time = number(8), let duration = number(4),
                let attempt = number(2), let status = number(2), let idLength = number(1),
                let id = take(Int(idLength)), let answerLength = number(2),
                let answer = take(Int(answerLength))
            else { return nil }
            return AttemptRecord(
                offset: Int64(bitPattern: offset), webhookID: String(decoding: id, as: UTF8.self),
                time: Timestamp(milliseconds: Int64(bitPattern: time)), attempt: Int(attempt),
                status: status == 0 ? nil : Int(status), duration: .microseconds(Int64(duration)),
                failure: nil, reason: nil, answer: answer)
        }

        private mutating func number(_ width: Int) -> UInt64? {
            take(width)?.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }

        private mutating func take(_ count: Int) -> [UInt8]? {
            guard place + count <= bytes.count else { return nil }
            defer { place += count }
            return Array(bytes[place..<(place + count)])
        }
    }
}

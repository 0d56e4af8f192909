extension Timestamp {
    /// RFC 3339 in UTC without a fraction: `2021-08-06T06:29:51Z`. The form of `time` and of all times in `data`.
    package var rfc3339: String {
        String(
            decoding: dateTime(separator: UInt8(ascii: "T"), civil: civil) + [UInt8(ascii: "Z")],
            as: UTF8.self)
    }

    /// RFC 3339 in UTC with three digits of fraction, always 24 bytes: the form of `recordedtime`.
    package var rfc3339Milliseconds: String {
        var bytes = dateTime(separator: UInt8(ascii: "T"), civil: civil)
        bytes.append(UInt8(ascii: "."))
        bytes.appendDecimal(milliseconds - flooredToSecond.milliseconds, width: 3)
        bytes.append(UInt8(ascii: "Z"))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Tanma's form, `yyyy-MM-dd HH:mm:ss` in fixed UTC+8 (no daylight saving; worked out from the vendor's samples).
    package var chinaText: String {
        let local = CivilTime(secondsSinceEpoch: seconds + Self.chinaOffset)
        return String(decoding: dateTime(separator: UInt8(ascii: " "), civil: local), as: UTF8.self)
    }

    /// Reads `yyyy-MM-dd HH:mm:ss` as fixed UTC+8; nil for anything else, also for days that do not exist.
    package init?(chinaText: String) {
        var reader = DigitReader(chinaText)
        guard let civil = reader.dateTime(separators: [UInt8(ascii: " ")]), reader.isAtEnd,
            let seconds = civil.secondsSinceEpoch, Self.writableSeconds.contains(seconds - Self.chinaOffset)
        else { return nil }
        self.init(seconds: seconds - Self.chinaOffset)
    }

    /// Reads RFC 3339 with an offset (`Z`, `+08:00`), a fraction of a second cut to milliseconds; nil for anything else.
    package init?(rfc3339 text: String) {
        var reader = DigitReader(text)
        guard
            let civil = reader.dateTime(separators: [UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " ")]
            ),
            let seconds = civil.secondsSinceEpoch,
            let fraction = reader.fraction(),
            let offset = reader.offset(), reader.isAtEnd, Self.writableSeconds.contains(seconds - offset)
        else { return nil }
        self.init(milliseconds: (seconds - offset) * 1000 + fraction)
    }

    private static let chinaOffset: Int64 = 8 * 3600
    /// The years 0000 to 9999 in UTC: an instant outside them could be read, but not written in four digits again.
    private static let writableSeconds: Range<Int64> = -62_167_219_200..<253_402_300_800

    private var civil: CivilTime { CivilTime(secondsSinceEpoch: seconds) }

    private func dateTime(separator: UInt8, civil: CivilTime) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(24)
        bytes.appendDecimal(civil.year, width: 4)
        bytes.append(UInt8(ascii: "-"))
        bytes.appendDecimal(civil.month, width: 2)
        bytes.append(UInt8(ascii: "-"))
        bytes.appendDecimal(civil.day, width: 2)
        bytes.append(separator)
        bytes.appendDecimal(civil.hour, width: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.appendDecimal(civil.minute, width: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.appendDecimal(civil.second, width: 2)
        return bytes
    }
}

extension [UInt8] {
    /// Appends a non-negative number in decimal, padded with zeros to `width` digits.
    mutating func appendDecimal(_ value: Int64, width: Int) {
        let digits = String(value).utf8
        for _ in 0..<Swift.max(0, width - digits.count) { append(UInt8(ascii: "0")) }
        append(contentsOf: digits)
    }
}

/// Reads the fixed-width digits of a date text from left to right.
private struct DigitReader {
    private let bytes: [UInt8]
    private var next = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    var isAtEnd: Bool { next == bytes.count }

    mutating func dateTime(separators: [UInt8]) -> CivilTime? {
        guard let year = digits(4), skip(UInt8(ascii: "-")), let month = digits(2), skip(UInt8(ascii: "-")),
            let day = digits(2), let separator = take(), separators.contains(separator),
            let hour = digits(2), skip(UInt8(ascii: ":")), let minute = digits(2), skip(UInt8(ascii: ":")),
            let second = digits(2)
        else { return nil }
        return CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    }

    /// Milliseconds of an optional `.ddd…`; nil when a point has no digit after it.
    mutating func fraction() -> Int64? {
        guard skip(UInt8(ascii: ".")) else { return 0 }
        var value: Int64 = 0
        var count = 0
        while let digit = digits(1) {
            if count < 3 { value = value * 10 + digit }
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in 0..<max(0, 3 - count) { value *= 10 }
        return value
    }

    mutating func offset() -> Int64? {
        switch take() {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"): return 0
        case UInt8(ascii: "+"): return clockOffset()
        case UInt8(ascii: "-"): return clockOffset().map { -$0 }
        default: return nil
        }
    }

    private mutating func clockOffset() -> Int64? {
        guard let hours = digits(2), skip(UInt8(ascii: ":")), let minutes = digits(2), hours <= 23,
            minutes <= 59
        else { return nil }
        return hours * 3600 + minutes * 60
    }

    private mutating func digits(_ count: Int) -> Int64? {
        guard next + count <= bytes.count else { return nil }
        var value: Int64 = 0
        for byte in bytes[next..<next + count] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        next += count
        return value
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard next < bytes.count, bytes[next] == byte else { return false }
        next += 1
        return true
    }

    private mutating func take() -> UInt8? {
        guard next < bytes.count else { return nil }
        defer { next += 1 }
        return bytes[next]
    }
}

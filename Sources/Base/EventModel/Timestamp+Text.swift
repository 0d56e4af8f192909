extension Timestamp {
    /// RFC 3339 in UTC without a fraction: `2021-08-06T06:29:51Z`. The form of `time` and of all times in `data`.
    package var rfc3339: String {
        Self.text { digits in
            digits.dateTime(civil, separator: UInt8(ascii: "T"))
            digits.append(UInt8(ascii: "Z"))
        }
    }

    /// RFC 3339 in UTC with three digits of fraction, always 24 bytes: the form of `recordedtime`.
    package var rfc3339Milliseconds: String {
        Self.text { digits in
            digits.dateTime(civil, separator: UInt8(ascii: "T"))
            digits.append(UInt8(ascii: "."))
            digits.decimal(milliseconds - flooredToSecond.milliseconds, width: 3)
            digits.append(UInt8(ascii: "Z"))
        }
    }

    /// Tanma's form, `yyyy-MM-dd HH:mm:ss` in fixed UTC+8 (no daylight saving; worked out from the vendor's samples).
    package var chinaText: String {
        Self.text { digits in
            digits.dateTime(
                CivilTime(secondsSinceEpoch: seconds + Self.chinaOffset), separator: UInt8(ascii: " "))
        }
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

    private static func text(_ write: (inout DigitWriter) -> Void) -> String {
        String(unsafeUninitializedCapacity: 32) { buffer in
            var writer = DigitWriter(buffer)
            write(&writer)
            return writer.count
        }
    }
}

/// Writes a date's digits from left to right, into the place where its text is made.
private struct DigitWriter {
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    init(_ buffer: UnsafeMutableBufferPointer<UInt8>) {
        self.buffer = buffer
    }

    mutating func dateTime(_ civil: CivilTime, separator: UInt8) {
        decimal(civil.year, width: 4)
        append(UInt8(ascii: "-"))
        decimal(civil.month, width: 2)
        append(UInt8(ascii: "-"))
        decimal(civil.day, width: 2)
        append(separator)
        decimal(civil.hour, width: 2)
        append(UInt8(ascii: ":"))
        decimal(civil.minute, width: 2)
        append(UInt8(ascii: ":"))
        decimal(civil.second, width: 2)
    }

    mutating func append(_ byte: UInt8) {
        precondition(count < buffer.count, "a date's text fits its place")
        buffer[count] = byte
        count += 1
    }

    /// A number in decimal, padded with zeros to `width` digits; longer ones are written whole.
    mutating func decimal(_ value: Int64, width: Int) {
        var divisor: Int64 = 1
        for _ in 1..<width { divisor *= 10 }
        guard value >= 0, value / divisor < 10 else {
            for byte in String(value).utf8 { append(byte) }
            return
        }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
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

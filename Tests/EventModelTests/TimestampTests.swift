import EventModel
import Foundation
import TestSupport
import Testing

/// Pins the relay's only notion of time. The independent model is Foundation's Gregorian calendar in UTC.
@Suite struct TimestampTests {
    private static func utc() throws -> Calendar {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        return calendar
    }

    /// `yyyy-MM-dd{separator}HH:mm:ss` as the calendar sees it.
    private static func text(_ seconds: Int64, separator: String, in calendar: Calendar) -> String {
        let parts = calendar.dateComponents(
            [.year, .month, .day, .hour, .minute, .second],
            from: Date(timeIntervalSince1970: Double(seconds)))
        let day = [(parts.year, 4), (parts.month, 2), (parts.day, 2)]
        let clock = [(parts.hour, 2), (parts.minute, 2), (parts.second, 2)]
        return day.map(padded).joined(separator: "-") + separator + clock.map(padded).joined(separator: ":")
    }

    private static func padded(_ value: Int?, _ width: Int) -> String {
        let digits = String(value ?? 0)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    @Test func textsAgreeWithFoundationOnRandomDays() throws {
        let calendar = try Self.utc()
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        // From 1600, behind Foundation's change of calendars, to the end of 9999.
        for _ in 0..<3000 {
            let seconds = Int64.random(in: -11_670_000_000...253_402_200_000, using: &random)
            let time = Timestamp(seconds: seconds)
            let utc = Self.text(seconds, separator: "T", in: calendar) + "Z"
            let china = Self.text(seconds + 8 * 3600, separator: " ", in: calendar)
            try #require(time.rfc3339 == utc, "seed \(seed)")
            try #require(time.chinaText == china, "seed \(seed)")
            try #require(Timestamp(rfc3339: utc) == time, "seed \(seed)")
            try #require(Timestamp(chinaText: china) == time, "seed \(seed)")
        }
    }

    @Test func millisecondsSurviveTheTextOnBothSidesOfTheEpoch() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<3000 {
            let time = Timestamp(
                milliseconds: Int64.random(in: -9_000_000_000_000...9_000_000_000_000, using: &random))
            let text = time.rfc3339Milliseconds
            try #require(text.utf8.count == 24, "seed \(seed)")
            try #require(Timestamp(rfc3339: text) == time, "seed \(seed)")
        }
    }

    @Test(arguments: [
        ("2021-08-06 14:29:51", "2021-08-06T06:29:51Z"), ("1970-01-01 08:00:00", "1970-01-01T00:00:00Z"),
        ("1970-01-01 07:59:59", "1969-12-31T23:59:59Z"), ("2024-02-29 07:59:59", "2024-02-28T23:59:59Z"),
        ("2024-03-01 00:00:00", "2024-02-29T16:00:00Z"), ("2000-01-01 00:00:00", "1999-12-31T16:00:00Z"),
        // China had daylight saving from 1986 to 1991; the offset stays +8.
        ("1988-07-01 12:00:00", "1988-07-01T04:00:00Z"),
    ])
    func chinaTextIsEightHoursAheadAllYear(china: String, utc: String) throws {
        let time = try #require(Timestamp(chinaText: china))
        #expect(time.rfc3339 == utc)
        #expect(time.chinaText == china)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", Int64(0)), ("1970-01-01t00:00:00z", 0), ("1970-01-01 00:00:00Z", 0),
        ("1970-01-01T08:00:00+08:00", 0), ("1969-12-31T16:00:00-08:00", 0), ("1970-01-01T00:00:00-00:00", 0),
        ("1970-01-01T05:45:00.5+05:45", 500), ("1970-01-01T00:00:00.001Z", 1),
        ("1970-01-01T00:00:00.0019999Z", 1), ("1970-01-01T00:00:00.12Z", 120),
        ("1969-12-31T23:59:59.999Z", -1), ("1969-12-31T23:59:59Z", -1000),
        ("2000-02-29T12:00:00Z", 951_825_600_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("0000-01-01T00:00:00Z", -62_167_219_200_000),
    ])
    func rfc3339IsReadWithOffsetsAndFractions(text: String, milliseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "2024", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01T00:00Z", "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00Zz", " 2024-01-01T00:00:00Z", "2024-01-01T00:00:00 Z", "2024-1-01T00:00:00Z",
        "24-01-01T00:00:00Z", "02024-01-01T00:00:00Z", "-024-01-01T00:00:00Z", "2024/01/01T00:00:00Z",
        "2024-00-01T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-00T00:00:00Z", "2024-01-32T00:00:00Z",
        "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-04-31T00:00:00Z", "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z", "2024-01-01T23:59:60Z", "2024-01-01T00:00:00+8:00",
        "2024-01-01T00:00:00+0800",
        "2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00+00:60", "2024-01-01T00:00:00+08",
        "2024-01-01T00:00:00,5Z",
        "２０２４-01-01T00:00:00Z", "2024-01-01T00:00:00Z\n", "2024-01-01T00:00:0\u{301}0Z", "now",
        // Instants whose year in UTC has no four digits could not be written again.
        "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
    ])
    func whatIsNoRFC3339IsRefused(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test(arguments: [
        "", "2021-08-06", "2021-08-06T14:29:51", "2021-08-06 14:29:51Z", "2021-08-06 14:29:51.0",
        "2021-08-06 14:29", "2021-8-6 14:29:51", "2021-08-06  14:29:51", " 2021-08-06 14:29:51",
        "2021-08-06 14:29:51 ", "0000-00-00 00:00:00", "2023-02-29 00:00:00", "2100-02-29 00:00:00",
        "2021-08-06 24:00:00", "2021-08-06 14:29:60", "1628231391", "0000-01-01 07:59:59",
    ])
    func whatIsNoChinaTextIsRefused(text: String) {
        #expect(Timestamp(chinaText: text) == nil)
    }

    @Test(arguments: [
        (Int64(0), Int64(0)), (999, 0), (1000, 1), (-1, -1), (-999, -1), (-1000, -1), (-1001, -2),
    ])
    func wholeSecondsAreTowardsThePast(milliseconds: Int64, seconds: Int64) {
        let time = Timestamp(milliseconds: milliseconds)
        #expect(time.seconds == seconds)
        #expect(time.flooredToSecond == Timestamp(seconds: seconds))
        #expect(time.flooredToSecond <= time)
    }

    @Test func arithmeticIsInMilliseconds() {
        let time = Timestamp(seconds: 10)
        #expect(time + .milliseconds(1) == Timestamp(milliseconds: 10_001))
        #expect(time - .seconds(11) == Timestamp(milliseconds: -1000))
        #expect(time - Timestamp(seconds: 12) == .seconds(-2))
        #expect(time + .microseconds(1999) == Timestamp(milliseconds: 10_001))
        #expect((time + .seconds(1)) > time)
        #expect(Duration.milliseconds(1500).inSeconds == 1.5)
    }
}

import Testing

@testable import EventModel

@Suite struct CivilTimeTests {
    /// 400 years of days, each the one after the day before it: the calendar by its rule, not by arithmetic.
    @Test func everyDayOfFourCenturiesFollowsTheDayBefore() throws {
        var (year, month, day): (Int64, Int64, Int64) = (1800, 1, 1)
        let first = try #require(CivilTime(year: year, month: month, day: day).secondsSinceEpoch)
        for number in 0..<Int64(146_097) {
            let civil = CivilTime(secondsSinceEpoch: first + number * 86_400)
            try #require(civil == CivilTime(year: year, month: month, day: day))
            try #require(civil.secondsSinceEpoch == first + number * 86_400)
            day += 1
            if day > Self.days(month, year) { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect((year, month, day) == (2200, 1, 1))
    }

    private static func days(_ month: Int64, _ year: Int64) -> Int64 {
        let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Int(month - 1)]
    }

    @Test(arguments: [
        (Int64(1900), false), (2000, true), (2023, false), (2024, true), (2100, false), (2400, true),
        (0, true), (-4, true), (-100, false),
    ])
    func theTwentyNinthOfFebruaryExistsInLeapYearsOnly(year: Int64, exists: Bool) {
        #expect((CivilTime(year: year, month: 2, day: 29).secondsSinceEpoch != nil) == exists)
        #expect(CivilTime(year: year, month: 2, day: 30).secondsSinceEpoch == nil)
    }

    @Test(
        arguments: [
            (Int64(-1), CivilTime(year: 1969, month: 12, day: 31, hour: 23, minute: 59, second: 59)),
            (0, CivilTime(year: 1970, month: 1, day: 1)),
            (-86_400, CivilTime(year: 1969, month: 12, day: 31)),
            (951_782_400, CivilTime(year: 2000, month: 2, day: 29)),
            (-2_203_891_200, CivilTime(year: 1900, month: 3, day: 1)),
            (-62_167_219_201, CivilTime(year: -1, month: 12, day: 31, hour: 23, minute: 59, second: 59)),
        ] as [(Int64, CivilTime)])
    func secondsAndFieldsAreTheSameInstant(seconds: Int64, civil: CivilTime) {
        #expect(CivilTime(secondsSinceEpoch: seconds) == civil)
        #expect(civil.secondsSinceEpoch == seconds)
    }

    @Test(arguments: [
        CivilTime(year: 2024, month: 0, day: 1), CivilTime(year: 2024, month: 13, day: 1),
        CivilTime(year: 2024, month: 1, day: 0), CivilTime(year: 2024, month: 1, day: 32),
        CivilTime(year: 2024, month: 6, day: 31), CivilTime(year: 2024, month: 1, day: 1, hour: 24),
        CivilTime(year: 2024, month: 1, day: 1, hour: -1),
        CivilTime(year: 2024, month: 1, day: 1, minute: 60),
        CivilTime(year: 2024, month: 1, day: 1, second: 60),
    ])
    func fieldsOutOfRangeAreNoInstant(civil: CivilTime) {
        #expect(civil.secondsSinceEpoch == nil)
    }
}

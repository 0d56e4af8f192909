import EventModel
import Testing

@Suite struct NamePatternTests {
    @Test(arguments: [
        ("*", "visit.recorded", true), ("*", "", true), ("visit.*", "visit.recorded", true),
        ("visit.*", "visit.", true), ("visit.*", "visit", false), ("visit.*", "visitor.left", false),
        ("visit.*", "a.visit.recorded", false), ("visit.recorded", "visit.recorded", true),
        ("visit.recorded", "visit.recorded2", false), ("visit.recorded", "Visit.recorded", false),
        ("visit.recorded", "visit", false), ("acme*", "acme-tanma", true), (".*", "visit.recorded", false),
    ])
    func aPatternIsAllOrAPrefixOrOneName(text: String, name: String, isMatch: Bool) throws {
        #expect(try #require(NamePattern(text)).matches(name) == isMatch)
    }

    @Test(arguments: ["", "**", "*.recorded", "visit.*.x", "*visit", "a*b*"])
    func aStarAnywhereButAtTheEndIsRefused(text: String) {
        #expect(NamePattern(text) == nil)
    }

    @Test func aListMatchesWhenAnyOfItDoes() {
        let patterns = ["visit.*", "customer.outflowed"].compactMap(NamePattern.init)
        #expect(patterns.match("visit.updated"))
        #expect(patterns.match("customer.outflowed"))
        #expect(!patterns.match("relation.created"))
        #expect(![NamePattern]().match("visit.updated"))
    }
}

import EventModel
import Testing

@Suite struct HTTPDateTests {
    private static let now = Timestamp(seconds: 784_111_777)  // Sun, 06 Nov 1994 08:49:37 GMT

    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"),
        ("Thu, 29 Feb 2024 23:59:59 GMT", "2024-02-29T23:59:59Z"),
        ("Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z"),
        ("Fri, 31 Dec 1999 00:00:00 GMT", "1999-12-31T00:00:00Z"),
    ])
    func theSendersFormIsRead(text: String, time: String) {
        #expect(HTTPDate.parse(text)?.rfc3339 == time)
    }

    @Test(arguments: [
        "", "GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:49 GMT", "06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z",
        "Xxx, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37.5 GMT", "Sun,  06 Nov 1994 08:49:37 GMT",
    ])
    func anythingElseIsNoDate(text: String) {
        #expect(HTTPDate.parse(text) == nil)
        #expect(HTTPDate.retryAfter(text, now: Self.now) == nil)
    }

    @Test(arguments: [
        ("0", Duration.zero), ("120", .seconds(120)), ("0120", .seconds(120)), ("86400", .seconds(86_400)),
        ("86401", .seconds(86_400)), ("9223372036854775807", .seconds(86_400)),
        ("99999999999999999999999999", .seconds(86_400)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", .zero), ("Sun, 06 Nov 1994 08:51:37 GMT", .seconds(120)),
        ("Sun, 06 Nov 1994 08:49:36 GMT", .zero), ("Wed, 01 Jan 1930 00:00:00 GMT", .zero),
        ("Sun, 06 Nov 2094 08:49:37 GMT", .seconds(86_400)),
    ])
    func retryAfterIsAWaitOfAtMostADay(text: String, wait: Duration) {
        #expect(HTTPDate.retryAfter(text, now: Self.now) == wait)
    }

    @Test(arguments: ["-1", "+5", "1.5", "5s", " 5", "5 ", "0x10", "٣", "soon"])
    func nonsenseIsNoWait(text: String) {
        #expect(HTTPDate.retryAfter(text, now: Self.now) == nil)
    }
}

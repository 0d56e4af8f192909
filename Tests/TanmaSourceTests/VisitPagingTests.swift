import EventModel
import Ports
import Testing

@testable import TanmaSource

/// One line of the table in `VisitPaging`: pages that came, and what follows the last of them.
struct PagingCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Rows, the second they end in, the page's cursor.
    let pages: [(count: Int, second: Int64?, cursor: String?)]
    let step: VisitPaging.Step
    var risked: Int64?

    init(
        _ name: String, _ pages: [(Int, Int64?, String?)], _ step: VisitPaging.Step, risked: Int64? = nil
    ) {
        testDescription = name
        (self.pages, self.step, self.risked) = (pages, step, risked)
    }
}

/// Pages of four rows, over the seconds 0 to 1000.
struct VisitPagingTests {
    private static func paging(size: Int = 4) -> VisitPaging {
        VisitPaging(Window(from: Timestamp(seconds: 0), to: Timestamp(seconds: 1000)), pageSize: size)
    }

    private static func next(_ since: Int64, _ size: Int = 4, _ cursor: String? = nil) -> VisitPaging.Step {
        .next(VisitPaging.Request(since: Timestamp(seconds: since), size: size, cursor: cursor))
    }

    private static let cases: [PagingCase] = [
        PagingCase("an empty page ends the window", [(0, nil, "a")], .end),
        PagingCase("a full page goes on at its last second", [(4, 7, "a")], next(7)),
        PagingCase("a full page goes on, whatever its cursor", [(4, 7, nil)], next(7)),
        PagingCase("a short page with a cursor goes on", [(3, 7, "a")], next(7)),
        PagingCase("a short page without a cursor ends the window", [(3, 7, nil)], .end),
        PagingCase("an unchanged cursor on a short page ends it", [(4, 7, "a"), (3, 9, "a")], .end),
        PagingCase("a full page of one second is asked for twice as large", [(4, 0, "a")], next(0, 8)),
        PagingCase("and twice as large again", [(4, 0, "a"), (8, 0, "b")], next(0, 16)),
        PagingCase(
            "a larger page that leaves the second goes on there", [(4, 0, "a"), (8, 5, "b")], next(5)),
        PagingCase(
            "a short larger page leads on by its cursor", [(4, 0, "a"), (6, 0, "b")], next(0, 4, "b")),
        PagingCase(
            "a larger page that is not granted is an alarm", [(4, 0, "a"), (4, 0, "a")], next(0, 4, "a"),
            risked: 0),
        PagingCase(
            "unless a larger one was granted before", [(4, 0, "a"), (6, 3, "b"), (4, 3, "b"), (4, 3, "b")],
            next(3, 4, "b")),
        PagingCase("an empty larger page is none", [(4, 0, "a"), (0, nil, nil)], next(0, 4, "a"), risked: 0),
        PagingCase("no cursor promises no more rows", [(4, 0, "a"), (4, 0, nil)], next(1)),
        PagingCase(
            "nothing behind the cursor is the end", [(4, 0, "a"), (6, 0, "b"), (0, nil, "b")], .end),
        PagingCase(
            "rows behind a short larger page betray a limit", [(4, 0, "a"), (6, 0, "b"), (2, 0, "c")],
            next(0, 4, "c"), risked: 0),
        PagingCase(
            "so do rows of a later second", [(4, 0, "a"), (6, 0, "b"), (2, 3, nil)], .end, risked: 0),
        PagingCase("a short page of one second and no cursor is the end", [(2, 0, nil)], .end),
        PagingCase("with a cursor that leads on it is not", [(2, 0, "a")], next(0, 4, "a")),
        PagingCase("a cursor that leads nowhere is the end", [(2, 0, "a"), (0, nil, "a")], .end),
        PagingCase(
            "one that leads to rows betrays a limit", [(2, 0, "a"), (1, 0, "b")], next(0, 4, "b"), risked: 0),
        PagingCase("an unchanged cursor after a larger page is the end", [(3, 7, "a"), (2, 7, "a")], .end),
        PagingCase("after no larger page it may be a limit", [(2, 7, "a"), (2, 7, "a")], next(8)),
        PagingCase(
            "which later rows betray", [(2, 7, "a"), (2, 7, "a"), (1, 9, "b")], next(9), risked: 7),
        PagingCase(
            "a repeated cursor on a short page leads to the next second",
            [(2, 0, "a"), (1, 0, "a")], next(1), risked: 0),
        PagingCase("rows before the asked time are a loop", [(4, 7, "a"), (4, 3, "b")], loop),
        PagingCase("the window's end is not passed", [(2, 999, "a"), (2, 999, "a")], .end),
        PagingCase("unreadable rows lead on by the cursor alone", [(4, nil, "a")], next(0, 4, "a")),
        PagingCase("unreadable rows without a cursor are the end", [(4, nil, nil)], .end),
        PagingCase("and so are unreadable rows that repeat it", [(4, nil, "a"), (4, nil, "a")], .end),
    ]

    private static let loop = VisitPaging.Step.loop("the vendor answers with rows before the asked time")

    @Test(arguments: cases)
    func everyPageHasItsNext(line: PagingCase) throws {
        var paging = Self.paging()
        var step = VisitPaging.Step.next(paging.request)
        for page in line.pages {
            guard case .next = step else { return #expect(Bool(false), "ended early: \(step)") }
            step = paging.received(
                VisitPaging.Reply(
                    count: page.count, lastSecond: page.second.map { Timestamp(seconds: $0) },
                    cursor: page.cursor))
        }
        #expect(step == line.step)
        #expect(paging.riskedSecond == line.risked.map { Timestamp(seconds: $0) })
    }

    @Test func theFirstPageIsAskedForWithoutACursor() {
        #expect(.next(Self.paging().request) == Self.next(0))
    }

    @Test func pagesDoNotGrowForEver() {
        var paging = Self.paging(size: 1000)
        var sizes: [Int] = []
        while paging.request.cursor == nil, sizes.count < 20 {
            sizes.append(paging.request.size)
            let full = VisitPaging.Reply(
                count: paging.request.size, lastSecond: Timestamp(seconds: 0), cursor: "a")
            _ = paging.received(full)
        }
        #expect(sizes == [1000, 2000, 4000, 8000, 16_000, 20_000])
    }

    @Test func aRefusedLargerPageIsReplacedByTheCursorOfTheOneBefore() {
        var paging = Self.paging()
        #expect(paging.largerPageRefused() == nil)
        _ = paging.received(.init(count: 4, lastSecond: Timestamp(seconds: 0), cursor: "a"))
        #expect(paging.largerPageRefused() == Self.next(0, 4, "a"))
        #expect(paging.riskedSecond == Timestamp(seconds: 0))
        #expect(paging.largerPageRefused() == nil)
    }
}

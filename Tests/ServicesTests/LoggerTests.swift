import Foundation
import Services
import Synchronization
import Testing

@Suite struct LoggerTests {
    /// Keeps every call of a logger's output.
    private final class Page: Sendable {
        private let state = Mutex<[String]>([])
        var lines: [String] { state.withLock { $0 } }

        func logger(_ level: LogLevel, _ format: LogFormat) -> Logger {
            Logger(level: level, format: format, now: { 1_793_491_200_007 }) { [self] line in
                state.withLock { $0.append(line) }
            }
        }
    }

    /// A value that is named by its escaped form, so that the test's own output stays readable.
    struct Forgery: Sendable, ExpressibleByStringLiteral, CustomTestStringConvertible {
        let value: String
        init(stringLiteral value: String) { self.value = value }
        var testDescription: String { value.debugDescription }
    }

    /// Values that would begin a line, a field or an escape sequence of their own if they could.
    private static let forgeries: [Forgery] = [
        "a\nb", "a\r\nb", "a\rb", "a\u{B}b", "a\u{C}b", "a\u{85}b", "a\u{2028}b", "a\u{2029}b", "a\tb",
        "a\0b",
        "a\u{1B}[2Jb", "a\u{7F}b", "a\u{9B}2Jb", "x status=200", "x \u{301}status=200", "x\tstatus=200",
        "\"}\n{\"level\":\"error\"}", "\\\"", "\"\u{301}", "杨 🐶", "", "\u{FFFF}",
    ]

    private static func isLineBreakOrControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}"
    }

    @Test func aJSONLineHoldsTimeLevelMessageAndValuesInOrder() {
        let page = Page()
        page.logger(.info, .json).warning(
            "went wrong",
            [.source: "visits", .count: 3, .delay: .duration(.milliseconds(1500)), .cause: "x \(1)"])
        #expect(
            page.lines == [
                #"{"time":"2026-11-01T00:00:00.007Z","level":"warning","message":"went wrong","#
                    + #""source":"visits","count":3,"delay":1.5,"cause":"x 1"}"# + "\n"
            ])
    }

    @Test func aTextLineIsForTheEye() {
        let page = Page()
        page.logger(.info, .text).info(
            "stored",
            [.source: "visits", .cause: "two words", .delay: .duration(.seconds(2)), .rows: .count(5)])
        #expect(
            page.lines == [
                "2026-11-01T00:00:00.007Z INFO    stored source=visits cause=\"two words\" delay=2s rows=5\n"
            ])
    }

    @Test(arguments: forgeries)
    func noValueCanForgeAJSONLine(forgery: Forgery) throws {
        let page = Page()
        page.logger(.debug, .json).error("happened", [.cause: .text(forgery.value)])
        let line = try #require(page.lines.first)
        #expect(page.lines.count == 1)
        #expect(line.unicodeScalars.filter(Self.isLineBreakOrControl).map(\.value) == [10])
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
        #expect(object.map { Set($0.keys) } == ["time", "level", "message", "cause"])
        #expect((object?["cause"]).map { Array($0.unicodeScalars) } == Array(forgery.value.unicodeScalars))
    }

    @Test(arguments: forgeries)
    func noValueCanForgeATextLine(forgery: Forgery) throws {
        let page = Page()
        page.logger(.debug, .text).error("happened", [.cause: .text(forgery.value), .code: 1])
        let line = try #require(page.lines.first)
        #expect(line.unicodeScalars.filter(Self.isLineBreakOrControl).map(\.value) == [10])
        // Taken apart at spaces outside quotes there are the two fields, no more.
        #expect(Self.fields(line).suffix(2).map { $0.prefix { $0 != "=" } } == ["cause", "code"])
        #expect(Self.fields(line).count == 5)
    }

    /// Splits at whitespace outside quotes, by scalars, as a shell or a log shipper would.
    private static func fields(_ line: String) -> [String] {
        var fields = [""]
        var (isQuoted, isEscaped) = (false, false)
        for scalar in line.unicodeScalars.dropLast() {
            if !isQuoted, scalar.properties.isWhitespace {
                fields.append("")
                continue
            }
            if scalar == "\"", !isEscaped { isQuoted.toggle() }
            isEscaped = scalar == "\\" && !isEscaped
            fields[fields.count - 1].unicodeScalars.append(scalar)
        }
        return fields.filter { !$0.isEmpty }
    }

    @Test(arguments: LogLevel.allCases)
    func linesBelowTheLevelAreDropped(level: LogLevel) {
        let page = Page()
        let logger = page.logger(level, .text)
        logger.debug("a")
        logger.info("a")
        logger.warning("a")
        logger.error("a")
        let words = page.lines.map { $0.split(separator: " ")[1].lowercased() }
        #expect(words == LogLevel.allCases.filter { $0 >= level }.map(\.rawValue))
    }

    @Test func manyTasksWriteWholeLines() async {
        let page = Page()
        let logger = page.logger(.info, .json)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<200 { group.addTask { logger.info("one", [.count: .count(number)]) } }
        }
        #expect(page.lines.count == 200)
        #expect(page.lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}\n") })
    }

    @Test func anOutputThatTakesNothingIsNoReasonToStop() async {
        await #expect(processExitsWith: .success) {
            close(2)
            Logger(level: .info, format: .json).info("said to nobody")
            exit(0)
        }
    }
}

import Foundation
import RowDecoding
import Testing

@Suite struct RowSlicerTests {
    private static let path = ["data", "list"]

    private static func slice(_ page: String) -> RowSlicer.Slices? {
        RowSlicer.slice(Array(page.utf8), path: path)
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    private static func page(_ rows: String) -> String {
        #"{"code":0,"data":{"list":[\#(rows)],"next":"x"},"message":"ok"}"#
    }

    @Test(arguments: [
        ("", []), (" \n\t\r ", []), ("1", ["1"]), ("null", ["null"]), ("{}", ["{}"]),
        (" {} , {} ", ["{}", "{}"]),
        (#"{"a":"]}"},{"b":"[{"}"#, [#"{"a":"]}"}"#, #"{"b":"[{"}"#]),
        (#"{"a":"\""},{"b":"\\"}"#, [#"{"a":"\""}"#, #"{"b":"\\"}"#]),
        (#"{"a":"\\\"],"},2"#, [#"{"a":"\\\"],"}"#, "2"]),
        (#"{"a\"]":1}"#, [#"{"a\"]":1}"#]),
        (#"{"a":"\ud83d"},{"b":1}"#, [#"{"a":"\ud83d"}"#, #"{"b":1}"#]),
        ("{\"a\":\"x\ny\u{1}\t\0\"},{\"b\":1}", ["{\"a\":\"x\ny\u{1}\t\0\"}", #"{"b":1}"#]),
        (
            #"{"n":123456789012345678901234567890},{"n":-1.5e+400}"#,
            [#"{"n":123456789012345678901234567890}"#, #"{"n":-1.5e+400}"#]
        ),
        (#"{"list":[1,2],"data":{"list":[3]}}"#, [#"{"list":[1,2],"data":{"list":[3]}}"#]),
        ("[1,[2]],[]", ["[1,[2]]", "[]"]), (#"{"a":nul},{"b":1}"#, [#"{"a":nul}"#, #"{"b":1}"#]),
        (#"{"a":01},NaN"#, [#"{"a":01}"#, "NaN"]),
    ])
    func aPageIsCutIntoItsRows(rows: String, expected: [String]) throws {
        let slices = try #require(Self.slice(Self.page(rows)))
        #expect(slices.rows.map(Self.text) == expected)
        #expect(Self.text(slices.envelope) == Self.page(""))
    }

    @Test func brokenUTF8StaysInItsOwnRow() throws {
        let bad: [UInt8] = Array(#"{"a":""#.utf8) + [0xFF, 0xC3, 0x28, 0xED, 0xA0, 0x80] + Array(#""}"#.utf8)
        let page = Array(#"{"data":{"list":[{"x":1},"#.utf8) + bad + Array(#",{"y":"杨"}]}}"#.utf8)
        let slices = try #require(RowSlicer.slice(page, path: Self.path))
        #expect(slices.rows == [Array(#"{"x":1}"#.utf8), bad, Array(#"{"y":"杨"}"#.utf8)])
        #expect(Self.text(slices.envelope) == #"{"data":{"list":[]}}"#)
    }

    @Test(arguments: [
        #"{"data":{}}"#, #"{"data":{"list":null}}"#, #"{"data":{"list":{}}}"#, #"{"data":{"list":"[1]"}}"#,
        #"{"data":null}"#, #"{"data":[{"list":[1]}]}"#, #"{"list":[1]}"#, #"{"data":{"x":{"list":[1]}}}"#,
        #"{"x":{"data":{"list":[1]}}}"#, #"[{"data":{"list":[1]}}]"#, #"{"code":40001,"message":"no]"}"#,
        "{}", "[]",
        " null ", #"{"data ":{"list":[1]}}"#, #"{"data":{"List":[1]}}"#,
    ])
    func aPageWithoutTheListIsItsOwnEnvelope(page: String) throws {
        let slices = try #require(Self.slice(page))
        #expect(slices.rows.isEmpty)
        #expect(Self.text(slices.envelope) == page)
    }

    @Test func listsOfTheSameNameElsewhereAreLeftAlone() throws {
        let page =
            #"{"list":[9],"x":{"data":{"list":[8]}},"data":{"info":{"list":[7]},"list":[{"list":[6]}]}}"#
        let slices = try #require(Self.slice(page))
        #expect(slices.rows.map(Self.text) == [#"{"list":[6]}"#])
        let envelope = #"{"list":[9],"x":{"data":{"list":[8]}},"data":{"info":{"list":[7]},"list":[]}}"#
        #expect(Self.text(slices.envelope) == envelope)
    }

    @Test(arguments: [
        "", " ", "{", "}", "[", "\"", "\"\\", "{]", "[}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, "[1,]", "[,1]",
        "{} {}",
        "{}x", #"{a:1}"#, #"{"a":1 "b":2}"#, "[1 2]", #"{"data":{"list":[{"a":1]}}"#,
        #"{"data":{"list":[1}}"#,
    ])
    func whatDoesNotCloseIsNoPage(page: String) {
        #expect(Self.slice(page) == nil)
    }

    @Test func theTopMayBeTheList() throws {
        let slices = try #require(RowSlicer.slice(Array("[1,[2]]".utf8), path: []))
        #expect(slices.rows.map(Self.text) == ["1", "[2]"])
        #expect(Self.text(slices.envelope) == "[]")
    }

    @Test(arguments: ["[", #"{"a":"#])
    func aDepthBombIsRefused(opening: String) {
        let closing = opening == "[" ? "]" : "}"
        for depth in [200, 100_000] {
            let bomb =
                String(repeating: opening, count: depth) + "1" + String(repeating: closing, count: depth)
            #expect(Self.slice(bomb) == nil)
            #expect(Self.slice(Self.page(bomb)) == nil)
            #expect(Self.slice(String(repeating: opening, count: depth)) == nil)
        }
    }

    @Test func theEnvelopeDecodesWhateverTheRowsHold() throws {
        struct Envelope: Decodable {
            struct Inner: Decodable {
                let list: [Int]
                let next: String
            }
            let code: Int
            let data: Inner
        }
        let slices = try #require(Self.slice(Self.page(#"{"a":nul},"\ud83d",{"n":1e999}"#)))
        let envelope = try JSONDecoder().decode(Envelope.self, from: Data(slices.envelope))
        #expect(envelope.code == 0)
        #expect(envelope.data.list.isEmpty)
        #expect(envelope.data.next == "x")
    }
}

import Foundation
import Ports
import TestSupport
import Testing

@testable import RowDecoding

/// Holds our reading of rows against Foundation's decoder: the same values, the same refusals with the same words.
@Suite struct DifferentialTests {
    /// Every way of reading every field; two readers agree when their readings are equal.
    private static func readings(_ row: [UInt8], _ names: [FieldName]) -> (
        ours: [String], foundations: [String]
    ) {
        let ours = reading {
            try VendorRow<FieldName>.read(row)
        } of: { fields in
            names.flatMap { name in
                [
                    outcome { try fields.text(name) }, outcome { try fields.integer(name) },
                    outcome { try fields.anything(name)?.asText }, "\(fields.contains(name))",
                    outcome {
                        try fields.object(name, keyedBy: FieldName.self).map { nested in
                            names.map { name in outcome { try nested.text(name) } }
                        }
                    },
                ]
            }
        }
        let foundations = reading {
            try FoundationFields.read(row)
        } of: { fields in
            names.flatMap { name in
                [
                    outcome { try fields.text(name) }, outcome { try fields.integer(name) },
                    outcome { try fields.anything(name)?.asText }, "\(fields.contains(name))",
                    outcome {
                        try fields.object(name).map { nested in
                            names.map { name in outcome { try nested.text(name) } }
                        }
                    },
                ]
            }
        }
        return (ours, foundations)
    }

    /// What the two read differently; none when they agree.
    private static func differences(_ row: [UInt8], _ names: [FieldName]) -> [String] {
        let (ours, foundations) = readings(row, names)
        guard ours.count == foundations.count else {
            return ["\(ours.first ?? "") ≠ \(foundations.first ?? "")"]
        }
        return zip(ours, foundations).filter { $0 != $1 }.map { "\($0) ≠ \($1)" }
    }

    private static func reading<Fields>(_ read: () throws -> Fields, of each: (Fields) -> [String])
        -> [String]
    {
        do { return each(try read()) } catch { return ["\(error)"] }
    }

    private static func outcome<Value>(_ read: () throws -> Value?) -> String {
        do { return try read().map { "\($0)" } ?? "nothing" } catch { return "refused: \(error)" }
    }

    private static let names = ["a", "b", "c", "é", "杨", "A\u{301}", "", "a\"b", "K"].map(FieldName.init)

    @Test(arguments: [
        // Numbers.
        "0", "-0", "00", "01", "-", "+1", ".5", "1.", "1.0", "1e3", "1E+3", "1e-3", "1e", "12e1", "-1.0",
        "1.5", "1-2", "1+",
        "34.0", "1.0000000000000001", "9007199254740993.0", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "-9223372036854775809", "999999999999999999", "-999999999999999999",
        "1000000000000000000", "123456789012345678901234567890", "1e18", "1e19", "1e400", "-1e400", "NaN",
        "Infinity",
        "0x10", "1_000", "١",
        // Words.
        "true", "false", "null", "True", "nul", "nulll", "tru", "truefalse", "undefined",
        // Texts.
        #""""#, #""x""#, #""[]""#, #""{}""#, #""12""#, #""+12""#, #""-0""#, #"" ""#, #""\u0041""#,
        #""\u00e9""#, #""\u6768\u5C0f""#,
        #""\ud83d\udc36""#, #""\uD83D""#, #""\uDC36\uD83D""#, #""\ud83d\u0041""#, #""\ud83dx""#,
        #""\ud83d\n""#, #""\u12""#, #""\u12"34""#, #""\u\"34""#, #""\u""#, #""\"#,
        #""\u12g4""#, #""\u+123""#, #""\U0041""#, #""\x""#, #""\""#, #""\\""#, #""\"\\\/\b\f\n\r\t""#,
        #""\u0000""#, #""\u001f""#,
        #""\u007f""#, #""\u2028""#, #""\ufeff""#, #""\uffff""#, #""杨🐶""#, #"""""#, "'x'", #""a"b""#,
        // Lists and objects.
        "[]", "[ ]", "[1]", "[1,]", "[1 , ]", "[1,,]", "[,]", "[,1]", "[1 2]", "[1", "]", "[null,\"\",true]",
        "[[],[[]]]",
        "[1.5,\"\\ud83d\"]", "{}", "{ }",
        #"{"a":1}"#, #"{"a":1,}"#, #"{"a":1 , }"#, #"{"a":1,,}"#, "{,}", #"{,"a":1}"#, #"{"a"}"#, #"{"a":}"#,
        #"{a:1}"#, #"{1:1}"#,
        #"{"a":1 "b":2}"#, #"{"a":{"b":[{}]}}"#,
        #"{"a":1,"a":2}"#, #"{"\u0061":1,"a":2}"#, #"{"\ud83d":1,"a":2}"#, #"{"a":"\ud83d"}"#, #"{"\x":1}"#,
        #"{"é":1,"é":2}"#,
        #"{"a":[1,2}"#, #"{"a":(1)}"#, "// x\n1", "1 // x", "/* x */ 1", "",
    ])
    func aValueIsReadAsFoundationReadsIt(value: String) throws {
        for row in [
            #"{"a":\#(value)}"#, #"{"a":\#(value),"b":1}"#, #"{"other":\#(value),"a":"x"}"#,
            #"{"b":{"a":\#(value)}}"#, value,
            " \t\r\n\(value)\n", #"{"b":[\#(value)],"a":5}"#,
        ] {
            #expect(Self.differences(Array(row.utf8), Self.names) == [], "\(row)")
        }
    }

    @Test(arguments: [
        #"{"a":1,"a":2}"#, #"{"a":null,"a":2}"#, #"{"\u0061":1,"a":2}"#, #"{"a":1,"\u0061":2}"#,
        #"{"é":1,"é":2}"#,
        "{\"K\":1}", #"{"\u212a":1}"#, #"{"":1}"#, #"{"a\"b":1}"#, #"{"\u00c1":1}"#, #"{"A":1}"#, "{} {}",
        "{}x", "{},", "{",
        "{}\0", "\u{FEFF}{\"a\":1}", "{\"a\"\u{A0}:1}", "{\"a\"\u{0B}:1}", "{\"a\":\"\u{7F}\"}",
        "{\"a\":\"x\ty\"}", "{\"a\u{1}\":1}",
        "{\"a\":1}\u{FEFF}",
    ])
    func aRowIsReadAsFoundationReadsIt(row: String) {
        #expect(Self.differences(Array(row.utf8), Self.names) == [])
    }

    @Test func brokenBytesAreRefusedWhereFoundationRefusesThem() {
        let broken: [[UInt8]] = [
            [0xFF], [0xC3], [0xC3, 0x28], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xE6, 0x9D], [0x80],
            [0x5C, 0x0A], [0x5C, 0xFF], [0x00], [0x1F], [0x0A],
        ]
        let places: [(String, String)] = [
            (#"{"a":""#, #""}"#), (#"{"other":""#, #"","a":1}"#), (#"{""#, #"":1,"a":2}"#),
            (#"{"a":{""#, #"":1}}"#),
            (#"{"b":{"a":""#, #""}}"#), (#"{"a":[""#, #""]}"#), (#"{"other":{""#, #"":1},"a":2}"#),
            (#"{"a":"\n"#, #""}"#),
            (#"{"a":1"#, "}"), ("", #"{"a":1}"#),
        ]
        for (before, after) in places {
            for bytes in broken {
                let row = Array(before.utf8) + bytes + Array(after.utf8)
                #expect(Self.differences(row, Self.names) == [], "\(before) \(bytes) \(after)")
            }
        }
    }

    @Test(arguments: [("[", "]"), (#"{"a":"#, "}")])
    func nestingIsBoundedWhereFoundationBoundsIt(open: String, close: String) {
        for depth in [100, 509, 510, 511, 512, 513, 600] {
            let value = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
            let row = Array(#"{"b":1,"c":\#(value)}"#.utf8)
            let ours = Self.reading {
                try VendorRow<FieldName>.read(row)
            } of: { _ in
                ["read"]
            }
            let foundations = Self.reading {
                try FoundationFields.read(row)
            } of: { _ in
                ["read"]
            }
            #expect(ours == foundations, "\(depth)")
        }
    }

    /// Every stretch of a mutation that means something to a reader of JSON.
    private static let pieces: [[UInt8]] =
        [
            "\"", "\\", "{", "}", "[", "]", ",", ":", " ", "\n", "-", ".", "e", "0", "1", "null", "true",
            #"\u"#, #"\ud83d"#,
            #"\udc36"#, #"\/"#, #""""#, "[]", "{}", "杨", "\u{1}", "\u{FEFF}", #"{"a":1}"#,
            "9223372036854775808",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0x80]]

    private static func mutated(_ row: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
        var row = row
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0...row.count, using: &random)
            let end = min(row.count, place + Int.random(in: 0...8, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0: row.removeSubrange(place..<end)
            case 1:
                row.insert(contentsOf: row[place..<end], at: Int.random(in: 0...row.count, using: &random))
            case 2: if place < row.count { row[place] = UInt8.random(in: 0...255, using: &random) }
            case 3: row.replaceSubrange(place..<end, with: pieces.randomElement(using: &random) ?? [])
            default: row.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: place)
            }
        }
        return row
    }

    /// Foundation reads UTF-16 and UTF-32 as well, which it tells by zeros and marks; a slice of a page is neither.
    private static func looksLikeUTF16(_ row: [UInt8]) -> Bool {
        row.prefix(4).contains(0) || row.starts(with: [0xFE, 0xFF]) || row.starts(with: [0xFF, 0xFE])
    }

    private static func sampleRows(_ name: String, _ path: [String]) throws -> [[UInt8]] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let page = try Data(contentsOf: folder.appendingPathComponent("Fixtures/\(name).response.json"))
        return try #require(RowSlicer.slice(Array(page), path: path)).rows
    }

    @Test(arguments: [
        ("tanma-visits", ["data", "list"]), ("tanma-relations", ["data", "list"]),
        ("weiban-outflow", ["external_user_list"]),
    ])
    func mutatedSamplesAreReadAsFoundationReadsThem(name: String, path: [String]) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let samples = try Self.sampleRows(name, path)
        for sample in samples {
            let names = RowKeys.of(sample).sorted().map(FieldName.init)
            #expect(Self.differences(sample, names) == [])
        }
        for round in 0..<300 {
            let sample = samples[round % samples.count]
            let names = RowKeys.of(sample).sorted().prefix(20).map(FieldName.init)
            let row = Self.mutated(sample, using: &random)
            if Self.looksLikeUTF16(row) { continue }
            try #require(Self.differences(row, names) == [], "seed \(seed), round \(round)")
        }
    }
}

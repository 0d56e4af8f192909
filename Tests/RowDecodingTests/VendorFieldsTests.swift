import Ports
import RowDecoding
import Testing

@Suite struct VendorFieldsTests {
    private enum Key: String, CodingKey {
        case field
        case other
    }

    /// The fields of a row whose `field` is this JSON.
    private static func fields(_ json: String) throws -> VendorFields<Key> {
        try VendorRow<Key>.read(Array(#"{"field":\#(json),"unknown":{"x":[1]}}"#.utf8))
    }

    /// The reason a read was refused with; nil when it was not.
    private static func refusal<T>(_ read: () throws -> T) -> String? {
        do {
            _ = try read()
            return nil
        } catch {
            return (error as? RowError)?.reason ?? "not a row error"
        }
    }

    @Test(arguments: ["null", #""""#])
    func nullAndEmptyTextAreNothing(json: String) throws {
        let fields = try Self.fields(json)
        #expect(try fields.text(.field) == nil)
        #expect(try fields.integer(.field) == nil)
        #expect(try fields.object(.field, keyedBy: Key.self) == nil)
        #expect(try fields.anything(.field) == nil)
        #expect(fields.contains(.field))
    }

    @Test func aMissingKeyIsNothing() throws {
        let fields = try Self.fields("1")
        #expect(try fields.text(.other) == nil)
        #expect(try fields.integer(.other) == nil)
        #expect(try fields.object(.other, keyedBy: Key.self) == nil)
        #expect(try fields.anything(.other) == nil)
        #expect(!fields.contains(.other))
    }

    @Test(arguments: [
        (#""a""#, "a"), (#"" ""#, " "), (#""杨🐶""#, "杨🐶"), (#""a\u0000b""#, "a\0b"), ("0", "0"), ("-5", "-5"),
        ("397158546743296", "397158546743296"), ("9007199254740993", "9007199254740993"),
        ("9223372036854775807", "9223372036854775807"), (#""007""#, "007"), (#""null""#, "null"),
    ])
    func aTextIsATextOrAWholeNumber(json: String, text: String) throws {
        #expect(try Self.fields(json).text(.field) == text)
    }

    @Test(arguments: [
        ("0", Int64(0)), ("-5", -5), (#""46""#, 46), (#""-1""#, -1),
        ("9007199254740993", 9_007_199_254_740_993),
        (#""9007199254740993""#, 9_007_199_254_740_993), ("9223372036854775807", .max),
        ("-9223372036854775808", .min), (#""-9223372036854775808""#, .min),
    ])
    func anIntegerIsANumberOrItsText(json: String, value: Int64) throws {
        #expect(try Self.fields(json).integer(.field) == value)
    }

    @Test(arguments: [
        "1.5", "9223372036854775808", "-9223372036854775809", "123456789012345678901234567890", "1e400",
        "true",
        "[]", "[7777]", "{}", #"{"a":"7777"}"#,
    ])
    func whatIsNoTextIsRefusedWithTheNameAlone(json: String) throws {
        let fields = try Self.fields(json)
        let reason = try #require(Self.refusal { try fields.text(.field) })
        #expect(reason == "field: neither a text nor a 64-bit integer")
    }

    @Test(arguments: [
        "1.5", "9223372036854775808", "123456789012345678901234567890", "1e400", "true", "[]", "[7777]", "{}",
        #""9223372036854775808""#, #""7777x""#, #""1.5""#, #"" 7777""#, #""0x7777""#, #""٣""#,
    ])
    func whatIsNoIntegerIsRefusedWithTheNameAlone(json: String) throws {
        let fields = try Self.fields(json)
        let reason = try #require(Self.refusal { try fields.integer(.field) })
        #expect(reason.hasPrefix("field: ") && reason.contains("64-bit integer"))
        #expect(!reason.contains("7777") && !reason.contains("922337"))
    }

    @Test func nestedObjectsAreReadTheSameWay() throws {
        let nested = try Self.fields(#"{"field":"5","other":null}"#).object(.field, keyedBy: Key.self)
        #expect(try nested?.integer(.field) == 5)
        #expect(try nested?.text(.other) == nil)
        #expect(nested?.contains(.other) == true)
    }

    @Test(arguments: ["1", #""x""#, "[]", "[1]", "true", "1.5"])
    func whatIsNoObjectIsRefused(json: String) throws {
        let fields = try Self.fields(json)
        #expect(Self.refusal { try fields.object(.field, keyedBy: Key.self) } == "field: not an object")
    }

    @Test(arguments: [
        ("true", AnyJSON.boolean(true)), ("1", .integer(1)), ("1.5", .number(1.5)), (#""x""#, .text("x")),
        ("[]", .array([])), (#"[null,""]"#, .array([.null, .text("")])),
        (#"{"a":1}"#, .object(["a": .integer(1)])),
        ("9007199254740993", .integer(9_007_199_254_740_993)),
    ])
    func anyShapeIsKept(json: String, value: AnyJSON) throws {
        #expect(try Self.fields(json).anything(.field) == value)
    }

    @Test(arguments: [
        ("[]", "the row is not an object"), ("1", "the row is not an object"),
        (#""x""#, "the row is not an object"),
        ("", "the row is not valid JSON"), ("{", "the row is not valid JSON"),
        (#"{"a":nul}"#, "the row is not valid JSON"),
        ("{} {}", "the row is not valid JSON"), (#"{"field":1"#, "the row is not valid JSON"),
    ])
    func whatIsNoRowIsRefused(row: String, reason: String) {
        #expect(Self.refusal { try VendorRow<Key>.read(Array(row.utf8)) } == reason)
    }

    /// The decoder may look at texts only when they are read: each way of reading has to refuse.
    @Test(
        arguments: [
            Array(#"\ud83d"#.utf8), Array(#"\udc36\ud83d"#.utf8), Array(#"\x"#.utf8), Array(#"\u12"#.utf8),
            [0x0A],
            [0x01], [0xFF], [0xC3, 0x28], [0xED, 0xA0, 0x80],
        ] as [[UInt8]])
    func aBrokenTextIsRefused(content: [UInt8]) {
        let row = Array(#"{"other":1,"field":"secret-7777"#.utf8) + content + Array(#""}"#.utf8)
        let refusals = [
            Self.refusal { try VendorRow<Key>.read(row).text(.field) },
            Self.refusal { try VendorRow<Key>.read(row).integer(.field) },
            Self.refusal { try VendorRow<Key>.read(row).object(.field, keyedBy: Key.self) },
            Self.refusal { try VendorRow<Key>.read(row).anything(.field) },
        ]
        for refusal in refusals {
            #expect(refusal?.hasPrefix("field: ") == true || refusal == "the row is not valid JSON")
            #expect(refusal?.contains("7777") == false)
        }
    }
}

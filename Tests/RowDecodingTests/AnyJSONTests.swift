import Foundation
import RowDecoding
import Testing

@Suite struct AnyJSONTests {
    private static func read(_ json: String) throws -> AnyJSON {
        try JSONDecoder().decode(AnyJSON.self, from: Data(json.utf8))
    }

    @Test(arguments: [
        ("null", "null"), ("true", "true"), ("5", "5"), ("-9223372036854775808", "-9223372036854775808"),
        ("1.5", "1.5"), (#""plain text""#, "plain text"), (#""a/\"b""#, #"a/"b"#), ("[ ]", "[]"),
        ("{ }", "{}"),
        (#"{ "b" : 1 , "a" : [ true , null , "x/y" ] }"#, #"{"a":[true,null,"x/y"],"b":1}"#),
    ])
    func aValuesTextIsItselfOrItsCompactJSON(json: String, text: String) throws {
        #expect(try Self.read(json).asText == text)
    }

    @Test func theOrderOfKeysDoesNotCount() throws {
        let keys = (0..<30).map { "key\($0)" } + ["A", "a", "B", "é", "杨", "", "10", "9"]
        let expected = try Self.read(
            "{" + keys.map { #""\#($0)":{"z":1,"y":[2]}"# }.joined(separator: ",") + "}"
        ).asText
        for _ in 0..<20 {
            let members = keys.shuffled().map { #""\#($0)":{"y":[2],"z":1}"# }
            #expect(try Self.read("{" + members.joined(separator: ",") + "}").asText == expected)
        }
    }

    @Test(arguments: ["null", "false", "0", "12.25", #""""#, #"[1,[2,{"a":null}]]"#, #"{"a":{"b":[{}]}}"#])
    func writingAndReadingGiveTheSameValue(json: String) throws {
        let value = try Self.read(json)
        #expect(try JSONDecoder().decode(AnyJSON.self, from: JSONEncoder().encode(value)) == value)
    }
}

import EventModel
import Foundation
import TestSupport
import Testing

/// The independent reader is Foundation's JSONSerialization.
@Suite struct JSONWriterTests {
    private static func text(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func read(_ text: String) throws -> String? {
        let array = try JSONSerialization.jsonObject(with: Data("[\(text)]".utf8)) as? [Any]
        return array?.first as? String
    }

    @Test func everyCharacterSurvivesAnIndependentReader() throws {
        for value in Array(UInt32(0)...0x2FF) + [0x2028, 0x2029, 0xFEFF, 0xFFFD, 0xFFFF, 0x1F436, 0x10FFFF] {
            let scalar = try #require(Unicode.Scalar(value))
            let original = "a\(scalar)b"
            let read = try #require(try Self.read(Self.text { $0.string(original) }))
            #expect(
                Array(read.unicodeScalars) == Array(original.unicodeScalars), "U+\(String(value, radix: 16))")
        }
    }

    @Test func randomTextsSurviveAnIndependentReader() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let letters = Array("ab\"\\/\n\r\t\0\u{1F}\u{7F}é杨🐶{}[]:, ")
        for _ in 0..<500 {
            let count = Int.random(in: 0...20, using: &random)
            let original = String((0..<count).compactMap { _ in letters.randomElement(using: &random) })
            let read = try Self.read(Self.text { $0.string(original) })
            #expect(read.map { Array($0.utf8) } == Array(original.utf8), "seed \(seed)")
        }
    }

    @Test(arguments: [
        ("plain", #""plain""#), ("", #""""#), ("\"\\/", #""\"\\/""#), ("\n\r\t", #""\n\r\t""#),
        ("\0\u{1}\u{1F}", #""\u0000\u0001\u001f""#), ("\u{8}\u{C}", #""\u0008\u000c""#), ("杨🐶", #""杨🐶""#),
    ])
    func escapesAreTheShortest(value: String, json: String) {
        #expect(Self.text { $0.string(value) } == json)
    }

    @Test func valuesStandInTheOrderTheyWereTold() {
        let text = Self.text { writer in
            writer.object { object in
                object.key("z")
                object.integer(.min)
                object.key("a")
                object.array { list in
                    list.object { _ in }
                    list.array { _ in }
                    list.boolean(true)
                    list.boolean(false)
                    list.integer(.max)
                    list.raw(Array("[1,2]".utf8))
                    list.object { inner in
                        inner.key("x")
                        inner.string("y")
                        inner.key("n")
                        inner.null()
                    }
                    list.string("end")
                }
                object.key("last")
                object.null()
            }
        }
        let list = #"[{},[],true,false,9223372036854775807,[1,2],{"x":"y","n":null},"end"]"#
        #expect(text == #"{"z":-9223372036854775808,"a":\#(list),"last":null}"#)
    }

    @Test func membersAreKeysWithTheirValues() {
        let text = Self.text { writer in
            writer.object { object in
                object.member("text", "a\"b")
                object.member("number", Int64(-1))
                object.member("flag", false)
                object.object("inner") { $0.member("none", nil as String?) }
                object.array("list") { $0.integer(1) }
                object.array("empty") { _ in }
                object.member("last", nil as Int64?)
                object.member("least", nil as Bool?)
            }
        }
        let front = #"{"text":"a\"b","number":-1,"flag":false,"inner":{"none":null},"#
        #expect(text == front + #""list":[1],"empty":[],"last":null,"least":null}"#)
    }

    @Test func nothingIsAnExplicitNull() {
        let text = Self.text { writer in
            writer.array { list in
                list.string(nil)
                list.integer(nil)
                list.boolean(nil)
                list.null()
            }
        }
        #expect(text == "[null,null,null,null]")
    }
}

import Foundation
import Ports
import Testing

@testable import Normalizing

/// Pins what quarantine keeps of a row when personal data is not kept: nothing anybody could be told by.
@Suite struct RowShapeTests {
    private struct Kept: Decodable {
        let shape: String
        let length: Int
        let sha256: String
    }

    private static func kept(_ row: String) throws -> Kept {
        try JSONDecoder().decode(Kept.self, from: Data(RowShape.of(Array(row.utf8))))
    }

    @Test(arguments: [
        (
            #"{"nickname":"Dowen 7","viewDuration":1234,"x":null}"#,
            #"{"nickname":"xxxxx 0","viewDuration":0000,"x":null}"#
        ),
        (#"{"a":"\ud83d","b":["x1"]}"#, #"{"a":"\xx00x","b":["x0"]}"#),
        (
            #"{"content":{"Dowen Li":1,"18809890003":2,"n18809":3,"qwUserId_2":4,"客":5}}"#,
            #"{"content":{"xxxxx xx":0,"00000000000":0,"x00000":0,"qwUserId_2":0,"xxx":0}}"#
        ),
        (#"{"a":"quote \" inside","b":1}"#, #"{"a":"xxxxx \" xxxxxx","b":0}"#),
        (#"{"a":"cut"#, #"{"a":"xxx"#), ("", ""),
    ])
    func textsAndNumbersAreHiddenAndKeysStay(row: String, shape: String) throws {
        let kept = try Self.kept(row)
        #expect(kept.shape == shape)
        #expect(kept.length == row.utf8.count && kept.sha256.count == 64)
    }

    @Test func rowsOfOneShapeAreToldApart() throws {
        let (one, other) = (try Self.kept(#"{"a":"1"}"#), try Self.kept(#"{"a":"2"}"#))
        #expect(one.shape == other.shape && one.sha256 != other.sha256)
    }

    @Test func brokenBytesAreNoTrap() throws {
        for count in 0..<64 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + count) }
            _ = try JSONDecoder().decode(Kept.self, from: Data(RowShape.of(bytes)))
        }
    }
}

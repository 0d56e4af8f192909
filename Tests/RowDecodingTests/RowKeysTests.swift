import RowDecoding
import Testing

/// Pins what is taken for a row's own field.
@Suite struct RowKeysTests {
    @Test(
        arguments: [
            (#"{"a":1,"b":{"inner":[{"deep":2}]},"c":"text: \"x\":"}"#, ["a", "b", "c"]),
            (#"{ "a" : null , "b":[]}"#, ["a", "b"]),
            (#"{"a":"\ud83d","b":12"#, ["a", "b"]), (#"["a"]"#, []), ("", []), (#""a":1"#, []), ("{}", []),
        ] as [(String, [String])])
    func onlyTheRowsOwnKeysCount(row: String, keys: [String]) {
        #expect(RowKeys.of(Array(row.utf8)).sorted() == keys)
    }

    @Test(arguments: [
        (#"{"a":1,"b":{"inner":2}}"#, #"{ "a" : [{"x":1}], "b" : null }"#, true),
        (#"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#, false), (#"{"a":1,"b":2}"#, #"{"ab":1}"#, false),
        (#"{"a":1}"#, #"{"a":1,"a":1}"#, false), ("{}", "[1]", true),
    ])
    func rowsOfTheSameKeysInTheSameOrderHaveOneShape(row: String, other: String, isSame: Bool) {
        #expect((RowKeys.shape(of: Array(row.utf8)) == RowKeys.shape(of: Array(other.utf8))) == isSame)
    }

    @Test func cutRowsAreNoTrap() {
        let row = Array(#"{"a":"\"","b":{"c":[1,2,{"d":"\\"}]}}"#.utf8)
        for end in row.indices { _ = RowKeys.of(Array(row[..<end])) }
    }
}

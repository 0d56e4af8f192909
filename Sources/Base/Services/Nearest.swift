/// Finds the word somebody probably meant, for errors that say "did you mean".
package enum Nearest {
    /// The known word that was probably meant; nil when none is near enough to be worth naming.
    ///
    /// Near is a third of the longer word: `evry` finds `every`, `foo` does not find `log`.
    package static func name(to word: String, among known: [String]) -> String? {
        let distances = known.map { ($0, distance(word.lowercased(), $0)) }
        guard let (best, distance) = distances.min(by: { $0.1 < $1.1 }) else { return nil }
        return distance <= max(1, max(word.count, best.count) / 3) ? best : nil
    }

    /// How many characters must be put in, taken out or changed to make one word of the other (Levenshtein).
    private static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        var row = Array(0...right.count)
        for (place, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = place + 1
            for (column, other) in right.enumerated() {
                let changed = diagonal + (byte == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(changed, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}

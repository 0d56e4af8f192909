import TestSupport

/// How long rows happen upstream, how long it is quiet after that, and how many there are.
struct World: Sendable {
    let rows: Duration
    let whole: Duration
    let visits, records: Int

    /// Three days, in which everything else fails too, then two quiet ones.
    static let days = World(rows: .seconds(3 * 86_400), whole: .seconds(5 * 86_400), visits: 120, records: 40)
    /// The same in small, and long enough for a sweep and every customer's next reading: for lives of which there are many.
    static let hours = World(rows: .seconds(3 * 3600), whole: .seconds(20 * 3600), visits: 25, records: 12)

    /// Between two things that happen to a row, in seconds; as long as in days, or shorter to scale.
    func seconds(_ range: ClosedRange<Int64>, _ random: inout SeededGenerator) -> Int64 {
        max(1, Int64(Double(Int64.random(in: range, using: &random)) * (rows / World.days.rows)))
    }
}

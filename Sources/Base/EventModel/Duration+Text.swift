/// Durations as they are written in the configuration and in the API (contract, section 2).
extension Duration {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// A hundred years: no sum of a few of them overflows anything.
    private static let longest: Int64 = 36_500 * 86_400_000

    /// Reads `500ms`, `10s`, `5m`, `2h`, `7d` or `0`; nil for anything else.
    package init?(configured text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits) else { return nil }
        let rest = text.dropFirst(digits.count)
        if rest.isEmpty, count == 0 {
            self = .zero
            return
        }
        guard let unit = Self.units.first(where: { $0.name == rest }) else { return nil }
        let (milliseconds, isTooLong) = count.multipliedReportingOverflow(by: unit.milliseconds)
        guard !isTooLong, milliseconds <= Self.longest else { return nil }
        self = .milliseconds(milliseconds)
    }

    /// As one would write it in the file, in the largest unit that fits without a rest.
    package var configured: String {
        let milliseconds = wholeMilliseconds
        guard milliseconds != 0, let unit = Self.units.first(where: { milliseconds % $0.milliseconds == 0 })
        else {
            return "0"
        }
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }
}

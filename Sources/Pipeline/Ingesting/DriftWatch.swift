import RowDecoding
import Services

/// Notices that a vendor's rows change shape: fields no page documents, fields that always were there and are gone.
///
/// Each field is told once per source and run. Drift is news, never an error: rows are read as before. Pure.
struct DriftWatch {
    enum Drift: Equatable {
        case unknown(String)
        case missing(String)
    }

    /// A field counts as always there after this many rows.
    static let manyRows = 50

    private let documented: Set<String>
    private var always: Set<String>?
    private var rows = 0
    private var told: Set<String> = []
    /// Shapes that rows had: another row of one of them is no news, because `always` only ever loses fields.
    private var known: [[UInt8]] = []
    /// Each row is held against all of them. A vendor that leaves out what is empty has a few dozen shapes, others
    /// have one.
    private static let maxKnown = 32

    private let count: Metric?

    init(documented: Set<String>, count: Metric? = nil) {
        (self.documented, self.count) = (documented, count)
    }

    /// - Parameter row: the bytes of one row.
    mutating func saw(row: [UInt8]) -> [Drift] {
        let shape = RowKeys.shape(of: row)
        if known.contains(shape) {
            rows += 1
            return []
        }
        if known.count < Self.maxKnown, !shape.isEmpty { known.append(shape) }
        return saw(RowKeys.of(row))
    }

    /// - Parameter keys: a row's own fields; none for a row that is no object, which quarantine tells of.
    mutating func saw(_ keys: Set<String>) -> [Drift] {
        guard !keys.isEmpty else { return [] }
        let lost = rows >= Self.manyRows ? (always ?? []).subtracting(keys) : []
        let news = keys.subtracting(documented)
        rows += 1
        always = always?.intersection(keys) ?? keys
        return news.sorted().filter { told.insert($0).inserted }.map(Drift.unknown)
            + lost.sorted().filter { told.insert($0).inserted }.map(Drift.missing)
    }

    /// Looks at a row and says what is new about its shape.
    mutating func tell(_ row: [UInt8], of source: String, _ logger: Logger) {
        for change in saw(row: row) {
            let (field, kind, reason) =
                switch change {
                case .unknown(let field): (field, "unknown", "a field the vendor does not document")
                case .missing(let field): (field, "missing", "a field that always was there is missing")
                }
            count?.increment(source, field, kind)
            logger.warning(
                "source.drift", [.source: .text(source), .field: .text(field), .reason: .text(reason)])
        }
    }
}

import Signing

/// The two fingerprints of a row: of what the vendor sent and of what would be published, 16 bytes each.
///
/// Keyed with a secret of the store, so that a stolen copy of the table cannot be searched for a phone number.
struct Fingerprints: Equatable, Sendable {
    let raw: [UInt8]
    let published: [UInt8]

    /// Of a row that is gone: differs from those of every row.
    static let ofNothing = Fingerprints(
        raw: [UInt8](repeating: 0, count: 16), published: [UInt8](repeating: 0, count: 16))

    init(raw: [UInt8], published: [UInt8]) {
        (self.raw, self.published) = (raw, published)
    }

    /// - Parameter hasher: under the store's key.
    init(raw: [UInt8], published: [UInt8], _ hasher: borrowing MessageHasher) {
        self.raw = Self.fingerprint(raw, hasher)
        self.published = Self.fingerprint(published, hasher)
    }

    static func fingerprint(_ bytes: [UInt8], _ hasher: borrowing MessageHasher) -> [UInt8] {
        Array(hasher.hash(bytes).prefix(16))
    }

    /// What a row with these fingerprints is beside the latest revision's (design, decision 12).
    func verdict(against latest: Fingerprints) -> Verdict {
        switch (raw == latest.raw, published == latest.published) {
        case (true, true): .duplicate
        case (false, false): .revision
        // One side alone moved: an unpublished field, or a privacy setting. Remembered, so that a later change of the
        // other side is not taken for a change of the row.
        case (true, false), (false, true): .duplicateToRemember
        }
    }

    enum Verdict: Equatable {
        case duplicate
        case duplicateToRemember
        case revision
    }
}

/// Whether an endpoint is worth a delivery at all. Pure.
///
/// Ten failures in a row open it; from then on one probe every thirty seconds; a success closes it.
struct Circuit: Equatable {
    static let threshold = 10
    static let probeEvery: Duration = .seconds(30)

    private(set) var isOpen = false
    private(set) var isProbing = false
    private var failuresInRow = 0
    private var nextProbe: Duration = .zero

    /// As it was before a restart: one probe at once, which says whether it still is.
    init(isOpen: Bool = false) {
        self.isOpen = isOpen
    }

    /// Whether a delivery may begin; at most one at a time while it is open.
    func admits(at elapsed: Duration) -> Bool {
        !isOpen || (!isProbing && elapsed >= nextProbe)
    }

    /// The wait until a probe may begin; nil while none is waited for.
    func wait(at elapsed: Duration) -> Duration? {
        isOpen && !isProbing ? max(.zero, nextProbe - elapsed) : nil
    }

    mutating func probeBegan(at elapsed: Duration) {
        isProbing = true
        nextProbe = elapsed + Self.probeEvery
    }

    mutating func probeEnded() {
        isProbing = false
    }

    /// True when this failure opened it.
    mutating func failed(at elapsed: Duration) -> Bool {
        failuresInRow += 1
        guard !isOpen, failuresInRow >= Self.threshold else { return false }
        isOpen = true
        nextProbe = elapsed + Self.probeEvery
        return true
    }

    /// True when this success closed it.
    mutating func succeeded() -> Bool {
        let wasOpen = isOpen
        self = Circuit()
        return wasOpen
    }
}

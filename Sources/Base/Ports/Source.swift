package import EventModel

/// A closed period of upstream time: `from` is inclusive, `to` exclusive, both whole seconds.
package struct Window: Sendable, Hashable {
    package let from: Timestamp
    package let to: Timestamp

    package init(from: Timestamp, to: Timestamp) {
        (self.from, self.to) = (from, to)
    }
}

/// One page of rows as the vendor sent them, cut apart but not decoded.
package struct Page: Sendable {
    /// Each row's own bytes, in the vendor's order.
    package let rows: [[UInt8]]
    /// The reply's `Date`, when it had one: the vendor's clock counts, not ours.
    package let vendorTime: Timestamp?

    package init(rows: [[UInt8]], vendorTime: Timestamp?) {
        (self.rows, self.vendorTime) = (rows, vendorTime)
    }
}

/// A vendor endpoint that lists rows of a period of time.
///
/// The runner (`Ingesting`) chooses the windows, stores the pages and moves the watermark; a source only knows how to
/// read one window whole. It may repeat rows, it may never skip one.
package protocol WindowSource: Sendable {
    var kind: SourceKind { get }
    /// The parts of the list that are read for themselves, each with windows and a watermark of its own; never empty. Most
    /// lists are one part, without a name.
    var lanes: [String] { get }
    /// Reads a window to its end, handing over each page as it comes; the next page is asked for only after `store`
    /// returned, that is after the page before this one is on disk. Returns normally only when the window was read whole.
    /// Runs where its caller runs, so that `store` may touch the caller's state.
    nonisolated(nonsending) func read(
        _ window: Window, lane: String,
        store: nonisolated(nonsending) (Page) async throws(SourceError) -> Void
    ) async throws(SourceError)
}

extension WindowSource {
    package var lanes: [String] { [""] }
}

/// A customer's whole list as the vendor sent it, cut apart but not decoded.
package struct CustomerList: Sendable {
    package let rows: [[UInt8]]
    /// How many rows the vendor says there are beyond those that came; a hint that something is missing.
    package let missing: Int

    package init(rows: [[UInt8]], missing: Int = 0) {
        (self.rows, self.missing) = (rows, missing)
    }
}

/// A vendor endpoint that lists the rows of one customer, whole, on every call.
///
/// The runner (`Ingesting`) keeps the schedule over customers; a source only knows how to ask for one of them.
package protocol CustomerSource: Sendable {
    var kind: SourceKind { get }
    /// Reads one customer's list to its end.
    /// - Parameter key: `CustomerReference.key` for this kind.
    func read(_ key: String) async throws(SourceError) -> CustomerList
}

/// Why a window could not be read whole.
package struct SourceError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// Connection, TLS, timeout, HTTP status other than 2xx, or a body over the size cap.
        case transport
        /// The vendor asks for patience; not before this long.
        case throttled(after: Duration?)
        /// The vendor refuses who we are: the whole account stops.
        case credentials
        /// The vendor refuses what we ask: this source stops.
        case parameters
        /// A non-zero business code without a meaning of its own.
        case code(Int64)
        /// A reply that is not what the page describes, or a loop of cursors.
        case malformed
        /// The page could not be stored; polling pauses and the window is read again.
        case store
        /// The task was cancelled.
        case cancelled
    }

    package let kind: Kind
    /// A verb phrase: "read visits of 2026-11-01T00:00:00Z".
    package let doing: String
    /// What the other side or the library said; never a payload, a key or a token.
    package let cause: String

    package init(_ kind: Kind, doing: String, cause: String) {
        (self.kind, self.doing, self.cause) = (kind, doing, cause)
    }

    package var description: String { "\(doing): \(cause)" }

    /// Whether a shorter window might have been read: cursors age, and every page is another chance to fail.
    package var mayBeItsLength: Bool {
        switch kind {
        case .transport, .code, .malformed: true
        case .throttled, .credentials, .parameters, .store, .cancelled: false
        }
    }

    /// Whether the same request may succeed in a moment.
    package var mayPassSoon: Bool {
        switch kind {
        case .throttled(let wait): wait ?? .zero <= .seconds(10)
        case .transport, .code, .malformed: true
        case .credentials, .parameters, .store, .cancelled: false
        }
    }
}

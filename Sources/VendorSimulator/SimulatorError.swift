/// Why a simulator could not start.
package struct SimulatorError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// An option is outside what it may be.
        case badOption
        /// Another socket listens at the address.
        case addressInUse
        /// The address cannot be listened on.
        case cannotListen
    }

    package let kind: Kind
    package let doing: String
    package let cause: String

    package var description: String { "\(doing): \(cause)" }

    /// Whether the same call may work a little later.
    package var isTransient: Bool { kind == .addressInUse }

    init(_ kind: Kind, doing: String, cause: String) {
        (self.kind, self.doing, self.cause) = (kind, doing, cause)
    }
}

/// Why the server could not start.
package struct InboundHTTPError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// The host is no address of this machine.
        case addressUnknown
        /// Another socket listens there.
        case addressInUse
        /// The port needs rights this process does not have.
        case denied
        /// The certificate and its key cannot be used.
        case certificate
        /// The library would not start; it does not say why.
        case notStarted
        /// Another error number of the system.
        case system(Int32)
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

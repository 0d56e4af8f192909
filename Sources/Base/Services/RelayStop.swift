/// A reason for the whole relay to stop that its operator has to know, with the exit code that tells it.
package struct RelayStop: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// What is configured belongs to another relay: exit 2.
        case foreign
        /// Another relay has taken over: exit 75.
        case fenced
    }

    package let kind: Kind
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        (self.kind, self.description) = (kind, description)
    }
}

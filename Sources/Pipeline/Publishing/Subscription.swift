package import EventModel
import Foundation
package import Services

/// What a webhook subscription is: every field of the contract, section 6, but its state.
///
/// Stored as JSON with its secrets, in a file that only the relay's user may read; shown to nobody in this form.
package struct Subscription: Sendable, Equatable, Codable {
    package enum Mode: String, Sendable, Codable, CaseIterable { case structured, binary, data }

    /// A signing secret, and until when it signs: nil is for ever.
    package struct SigningSecret: Sendable, Equatable, Codable {
        package let secret: Secret
        package let until: Int64?

        package init(_ secret: Secret, until: Timestamp? = nil) {
            (self.secret, self.until) = (secret, until?.milliseconds)
        }

        package var end: Timestamp? { until.map(Timestamp.init(milliseconds:)) }
    }

    package enum Authentication: Sendable, Equatable, Codable {
        case bearer(Secret)
        case basic(username: String, password: Secret)
    }

    package struct TLSFiles: Sendable, Equatable, Codable {
        package var ca: String?
        package var certificate: String?
        package var key: String?

        package init() {}
    }

    package var name: String
    package var url: String
    package var events: [NamePattern]
    /// Nil takes events of every account, and the relay's own operational ones too, which no pattern matches.
    package var accounts: [NamePattern]?
    package var mode = Mode.structured
    package var isOrdered = false
    package var headers: [String: Secret] = [:]
    /// The newest first; all that are still valid sign.
    package var secrets: [SigningSecret] = []
    package var timeout: Duration = .seconds(15)
    package var retry: RetrySchedule
    package var concurrency = 16
    /// Deliveries a second; nil is no limit.
    package var rate: Double?
    package var batch = 1
    package var isCompressed = false
    package var isDisabled = false
    package var disableAfter: Duration = .seconds(5 * 86_400)
    package var tls = TLSFiles()
    package var auth: Authentication?
    package var proxy: String?
    package var needsHandshake = false

    package init(name: String, url: String, events: [NamePattern], retry: RetrySchedule) {
        (self.name, self.url, self.events, self.retry) = (name, url, events, retry)
    }

    var selection: SinkSelection { SinkSelection(events: events, accounts: accounts) }

    /// Its form in the store.
    var stored: String {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        } catch {
            preconditionFailure("texts, numbers and lists of them can always be encoded")
        }
    }

    /// Nil for what a newer version wrote and this one cannot read.
    init?(stored: String) {
        do {
            self = try JSONDecoder().decode(Subscription.self, from: Data(stored.utf8))
        } catch {
            return nil
        }
    }
}

// The one place where secrets are written as they are: the store's file, mode 0600.
extension Secret: Codable {
    package init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(reveal())
    }
}

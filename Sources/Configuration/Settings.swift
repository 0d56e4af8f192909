package import EventModel
package import Services

/// The whole configuration after it was read and found valid (contract, section 2).
///
/// Every default is already filled in, every variable expanded, every name checked against the others.
package struct Settings: Sendable, Equatable {
    package var relay = Relay()
    package var store = Store()
    package var accounts: [Account] = []
    package var sources: [Source] = []
    package var kafka: Kafka?
    package var webhooks: [Webhook] = []
    package var http: HTTP?
    package var privacy = Privacy()
    package var log = Log()

    package init() {}

    package struct Relay: Sendable, Equatable {
        /// `[a-z0-9-]+`.
        package var name = ""
        package var shutdown: Duration = .seconds(30)

        package init() {}
    }

    package struct Store: Sendable, Equatable {
        /// The file behind `sqlite:`; relative paths are relative to the working directory.
        package var path = "./data/millrace.db"
        /// Zero keeps events for ever.
        package var retention: Duration = .seconds(30 * 86_400)
        /// Zero never expires a dedup key.
        package var dedupRetention: Duration = .seconds(90 * 86_400)
        /// Default four times `retention`; zero never cuts what a sink still needs.
        package var retentionHard: Duration = .seconds(120 * 86_400)

        package init() {}
    }

    package struct Account: Sendable, Equatable {
        package var name = ""
        package var vendor = Vendor.tanma
        /// http or https, without a trailing slash.
        package var baseURL = ""
        package var appID = ""
        package var appKey = Secret("")
        package var sendAppKeyHeader = false
        package var corpID = ""
        package var secret = Secret("")
        package var requestsPerSecond = 1.0
        package var timeout: Duration = .seconds(30)
        package var caFile: String?
        package var proxy: String?

        package init() {}
    }

    package struct Source: Sendable, Equatable {
        package var name = ""
        package var account = ""
        package var kind = SourceKind.visits
        package var every: Duration = .seconds(30)
        /// Nil means now, resolved once and stored.
        package var start: Timestamp?
        package var pageSize = 100
        package var lag: Duration = .seconds(10)
        package var overlap: Duration = .seconds(600)
        package var sweeps: [Sweep] = []
        package var maxAge: Duration = .seconds(86_400)
        package var customersSince: Timestamp?
        package var staffParameter = StaffParameter.userID

        package init() {}
    }

    /// A wider re-reading every so often; a nil span reads back to the source's start.
    package struct Sweep: Sendable, Hashable {
        package var every: Duration
        package var span: Duration?

        package init(every: Duration, span: Duration?) {
            (self.every, self.span) = (every, span)
        }
    }

    package enum StaffParameter: String, Sendable, CaseIterable {
        case userID = "userId"
        case salesID = "salesId"
    }

    package struct Kafka: Sendable, Equatable {
        package var brokers = ""
        package var topic = "millrace.{entity}"
        package var delivery = Delivery.exactlyOnce
        package var mode = Mode.structured
        package var partitions = 6
        package var replication = 1
        package var topicProperties: [String: String] = [:]
        package var from = StartPoint.beginning
        package var events: [NamePattern] = []
        /// librdkafka's own properties; any of them may be a secret, so all print as one.
        package var properties: [String: Secret] = [:]

        package init() {}
    }

    package enum Delivery: String, Sendable, CaseIterable {
        case exactlyOnce = "exactly_once"
        case atLeastOnce = "at_least_once"
    }

    package enum Mode: String, Sendable, CaseIterable {
        case structured, binary, data
    }

    /// Where a sink begins when the log has never seen it.
    package enum StartPoint: Sendable, Equatable {
        case beginning, now
        /// Inclusive.
        case offset(Int64)
        /// A `recordedtime`, inclusive.
        case time(Timestamp)
    }

    package struct Webhook: Sendable, Equatable {
        package var name = ""
        package var url = ""
        package var events: [NamePattern] = []
        /// Empty takes every account, and the relay's own operational events, which no pattern over accounts matches.
        package var accounts: [NamePattern] = []
        /// `whsec_…` or `whsk_…`; the first is the newest, all of them sign.
        package var secrets: [Secret] = []
        package var from = StartPoint.now
        package var mode = Mode.structured
        package var order = Order.none
        package var headers: [String: Secret] = [:]
        package var timeout: Duration = .seconds(15)
        package var retry = Retry()
        package var concurrency = 16
        /// Deliveries a second; nil is no limit.
        package var rate: Double?
        package var batch = 1
        package var compress = Compression.none
        package var disabled = false
        package var disableAfter: Duration = .seconds(5 * 86_400)
        package var tls = ClientTLS()
        package var auth: Authentication?
        package var proxy: String?
        package var handshake = false

        package init() {}
    }

    package enum Order: String, Sendable, CaseIterable {
        case none, key
    }

    package enum Compression: String, Sendable, CaseIterable {
        case none, gzip
    }

    package enum Authentication: Sendable, Equatable {
        case bearer(Secret)
        case basic(username: String, password: Secret)
    }

    package struct ClientTLS: Sendable, Equatable {
        package var ca: String?
        package var certificate: String?
        package var key: String?

        package init() {}
    }

    /// Waits between attempts; after the last the event is a dead letter.
    package struct Retry: Sendable, Equatable {
        package enum Plan: Sendable, Equatable {
            case schedule([Duration])
            case exponential(initial: Duration, factor: Double, max: Duration, giveUpAfter: Duration)
        }

        ///     attempt  2    3    4     5    6    7     8     9     10    11    then
        ///     after    5 s  5 m  30 m  2 h  5 h  10 h  14 h  20 h  24 h  -     dead letter
        package var plan = Plan.schedule(
            [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400].map { .seconds($0) })
        /// A share of each wait: 0.2 is ± 20 %.
        package var jitter = 0.2

        package init() {}
    }

    package struct HTTP: Sendable, Equatable {
        package var host = "127.0.0.1"
        package var port: UInt16 = 8080
        package var certificate: String?
        package var key: String?
        package var tokens: [Token] = []
        package var allowPrivateEndpoints = false

        package init() {}
    }

    package struct Token: Sendable, Equatable {
        package var name: String
        package var token: Secret
        package var scope: Scope

        package init(name: String, token: Secret, scope: Scope) {
            (self.name, self.token, self.scope) = (name, token, scope)
        }
    }

    package enum Scope: String, Sendable, CaseIterable {
        case read, write, admin
    }

    package struct Privacy: Sendable, Equatable {
        package var mobile = PrivacyRule.keep
        package var name = PrivacyRule.keep
        package var avatarURL = PrivacyRule.keep
        package var note = PrivacyRule.keep
        /// 32 bytes as 64 hex digits; present when any rule is `hash`.
        package var key: Secret?

        package init() {}
    }

    package enum PrivacyRule: String, Sendable, CaseIterable {
        case keep, mask, hash, drop
    }

    package struct Log: Sendable, Equatable {
        package var level = LogLevel.info
        package var format = LogFormat.json

        package init() {}
    }
}

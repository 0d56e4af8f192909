import EventModel
import Persisting
import Publishing
import Services

/// Reads a subscription's fields from a body into a subscription: a new one with its defaults, or the one to be changed.
///
/// As a JSON merge patch (RFC 7396): what is not given stays, null is the default again. `retry`, `tls` and `auth` are
/// replaced whole; of `headers` single ones.
struct SubscriptionReading {
    /// What a subscription has, but for its secrets and where it begins.
    static let fields = [
        "name", "url", "events", "accounts", "mode", "order", "headers", "timeout", "retry", "concurrency",
        "rate", "batch", "compress", "disabled", "disable_after", "tls", "auth", "proxy", "handshake",
    ]

    private enum Order: String, CaseIterable { case none, key }
    private enum Compression: String, CaseIterable { case none, gzip }

    private let body: Body
    private let defaults: Subscription

    init(_ body: Body) {
        self.body = body
        defaults = Self.fresh
    }

    /// A subscription as it is without a word about it.
    static var fresh: Subscription {
        Subscription(name: "", url: "", events: [NamePattern("*")].compactMap { $0 }, retry: .standard)
    }

    func apply(to subscription: inout Subscription) throws(Problem) {
        if body.isNull("url") { throw body.wrong("url", "is missing") }
        // Without a name it is called by its id; an empty one is a slip.
        if !body.isNull("name"), try body.text("name") == "" { throw body.wrong("name", "is empty") }
        try take("name", \.name, in: &subscription, body.text)
        try take("url", \.url, in: &subscription, body.text)
        try take("events", \.events, in: &subscription, body.patterns)
        try take("accounts", \.accounts, in: &subscription) { name throws(Problem) in
            try body.patterns(name).map { .some($0) }
        }
        try take("mode", \.mode, in: &subscription, body.word)
        try take("order", \.isOrdered, in: &subscription) { name throws(Problem) in
            let order: Order? = try body.word(name)
            return order.map { $0 == .key }
        }
        try applyFlow(to: &subscription)
        try applyTransport(to: &subscription)
    }

    private func applyFlow(to subscription: inout Subscription) throws(Problem) {
        try take("timeout", \.timeout, in: &subscription, body.duration)
        try take("retry", \.retry, in: &subscription, retry)
        try take("concurrency", \.concurrency, in: &subscription) { name throws(Problem) in
            try body.integer(name, in: 1...1024)
        }
        try take("rate", \.rate, in: &subscription) { name throws(Problem) in
            try body.number(name, in: 0.001...100_000).map { .some($0) }
        }
        try take("batch", \.batch, in: &subscription) { name throws(Problem) in
            try body.integer(name, in: 1...1000)
        }
        try take("disabled", \.isDisabled, in: &subscription, body.flag)
        try take("disable_after", \.disableAfter, in: &subscription, body.duration)
    }

    private func applyTransport(to subscription: inout Subscription) throws(Problem) {
        try applyHeaders(to: &subscription)
        try take("compress", \.isCompressed, in: &subscription) { name throws(Problem) in
            let compression: Compression? = try body.word(name)
            return compression.map { $0 == .gzip }
        }
        try take("tls", \.tls, in: &subscription, tls)
        try take("auth", \.auth, in: &subscription) { name throws(Problem) in
            try authentication(name).map { .some($0) }
        }
        try take("proxy", \.proxy, in: &subscription) { name throws(Problem) in
            try body.text(name).map { .some($0) }
        }
        try take("handshake", \.needsHandshake, in: &subscription, body.flag)
    }

    private func take<T>(
        _ name: String, _ path: WritableKeyPath<Subscription, T>, in subscription: inout Subscription,
        _ read: (String) throws(Problem) -> T?
    ) throws(Problem) {
        if body.isNull(name) {
            subscription[keyPath: path] = defaults[keyPath: path]
        } else if let value = try read(name) {
            subscription[keyPath: path] = value
        }
    }

    private func applyHeaders(to subscription: inout Subscription) throws(Problem) {
        if body.isNull("headers") {
            subscription.headers = [:]
            return
        }
        for (name, value) in try body.pairs("headers") ?? [:] {
            subscription.headers[name] = value.map { Secret($0) }
        }
    }

    // MARK: - Objects

    private static let exponential = ["initial", "factor", "max", "give_up_after"]

    private func retry(_ name: String) throws(Problem) -> RetrySchedule? {
        guard let retry = try body.object(name, known: ["schedule", "jitter"] + Self.exponential) else {
            return nil
        }
        let jitter = try retry.number("jitter", in: 0...1) ?? 0.2
        let grows = Self.exponential.contains(where: retry.has)
        guard let schedule = try retry.durations("schedule") else {
            return grows
                ? try growing(retry, jitter) : RetrySchedule(RetrySchedule.standard.plan, jitter: jitter)
        }
        guard !grows else { throw body.wrong(name, "has schedule, or \(Self.exponential), not both") }
        guard schedule.allSatisfy({ $0 > .zero }) else {
            throw retry.wrong("schedule", "has a wait of nothing")
        }
        return RetrySchedule(.fixed(schedule), jitter: jitter)
    }

    /// Unless given: 5 s, doubled up to an hour, for three days, as in the configuration.
    private func growing(_ retry: Body, _ jitter: Double) throws(Problem) -> RetrySchedule {
        let initial = try retry.duration("initial") ?? .seconds(5)
        let longest = try retry.duration("max") ?? .seconds(3600)
        let giveUpAfter = try retry.duration("give_up_after") ?? .seconds(3 * 86_400)
        guard initial > .zero else { throw retry.wrong("initial", "is a wait of nothing") }
        guard longest >= initial else {
            throw .conflict("retry.max: is shorter than initial.", field: "retry.max")
        }
        guard giveUpAfter >= initial else {
            throw .conflict("retry.give_up_after: is shorter than initial.", field: "retry.give_up_after")
        }
        let factor = try retry.number("factor", in: 1...100) ?? 2
        return RetrySchedule(
            .exponential(initial: initial, factor: factor, max: longest, giveUpAfter: giveUpAfter),
            jitter: jitter)
    }

    private func tls(_ name: String) throws(Problem) -> Subscription.TLSFiles? {
        guard let object = try body.object(name, known: ["ca", "certificate", "key"]) else { return nil }
        var tls = Subscription.TLSFiles()
        tls.ca = try object.text("ca")
        tls.certificate = try object.text("certificate")
        tls.key = try object.text("key")
        return tls
    }

    private func authentication(_ name: String) throws(Problem) -> Subscription.Authentication? {
        guard let object = try body.object(name, known: ["bearer", "username", "password"]) else {
            return nil
        }
        let forms = "is either bearer, or username and password"
        if let token = try object.text("bearer") {
            guard !object.has("username"), !object.has("password") else { throw body.wrong(name, forms) }
            return .bearer(Secret(token))
        }
        guard let username = try object.text("username"), let password = try object.text("password") else {
            throw body.wrong(name, forms)
        }
        return .basic(username: username, password: Secret(password))
    }
}

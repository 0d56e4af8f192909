import Services

/// Settings before the checks that compare keys: parts that come in lists still know their paths.
struct Draft {
    var settings = Settings()
    var accounts: [Placed<Settings.Account>] = []
    var sources: [Placed<Settings.Source>] = []
    var webhooks: [Placed<Settings.Webhook>] = []
    var tokens: [Placed<Settings.Token>] = []

    var finished: Settings {
        var settings = settings
        settings.accounts = accounts.map(\.value)
        settings.sources = sources.map(\.value)
        settings.webhooks = webhooks.map(\.value)
        settings.http?.tokens = tokens.map(\.value)
        return settings
    }
}

extension Section {
    /// Reads the whole file.
    mutating func draft() -> Draft {
        var draft = Draft()
        if let relay = subsection("relay", { $0.relay() }) {
            draft.settings.relay = relay
        } else if !reading.hasProblem(at: "relay") {
            refuse("relay.name", "is missing", "allowed: \(Rule<String>.strictName.allowed)")
        }
        if let store = subsection("store", { $0.store() }) { draft.settings.store = store }
        draft.accounts = subsections("accounts") { $0.account() }
        draft.sources = subsections("sources") { $0.source() }
        draft.settings.kafka = subsection("kafka") { $0.kafka() }
        draft.webhooks = subsections("webhooks") { $0.webhook() }
        if let (http, tokens) = subsection("http", { $0.http() }) {
            (draft.settings.http, draft.tokens) = (http, tokens)
        }
        if let privacy = subsection("privacy", { $0.privacy() }) { draft.settings.privacy = privacy }
        if let log = subsection("log", { $0.log() }) { draft.settings.log = log }
        return draft
    }

    fileprivate mutating func relay() -> Settings.Relay {
        var relay = Settings.Relay()
        require("name", .strictName, into: &relay.name)
        take("shutdown", .duration, into: &relay.shutdown)
        return relay
    }

    fileprivate mutating func store() -> Settings.Store {
        var store = Settings.Store()
        take("url", .store, into: &store.path)
        take("retention", .duration(zero: "for ever"), into: &store.retention)
        take("dedup_retention", .duration(zero: "never expires"), into: &store.dedupRetention)
        // Four times for ever is for ever.
        store.retentionHard = store.retention * 4
        take("retention_hard", .duration(zero: "never cuts"), into: &store.retentionHard)
        return store
    }

    fileprivate mutating func privacy() -> Settings.Privacy {
        var privacy = Settings.Privacy()
        let rule = Rule<Settings.PrivacyRule>.oneOf(Settings.PrivacyRule.allCases)
        take("mobile", rule, into: &privacy.mobile)
        take("name", rule, into: &privacy.name)
        take("avatar_url", rule, into: &privacy.avatarURL)
        take("note", rule, into: &privacy.note)
        take("key", .privacyKey, into: &privacy.key)
        let isHashed = [privacy.mobile, privacy.name, privacy.avatarURL, privacy.note].contains(.hash)
        if isHashed, privacy.key == nil, !reading.hasProblem(at: child("key")) {
            refuse("key", "is missing, and hash needs it", "allowed: \(Rule.privacyKey.allowed)")
        }
        return privacy
    }

    fileprivate mutating func log() -> Settings.Log {
        var log = Settings.Log()
        take("level", .oneOf(LogLevel.allCases), into: &log.level)
        take("format", .oneOf(LogFormat.allCases), into: &log.format)
        return log
    }
}

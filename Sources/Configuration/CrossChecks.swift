import EventModel
import Foundation
import Services

/// The checks that compare keys with each other, after every key was found good or reported by itself.
///
/// A check keeps silent where a key it builds on was wrong: one mistake, one problem.
struct CrossChecks {
    private let draft: Draft
    private let reading: Reading

    init(draft: Draft, reading: Reading) {
        (self.draft, self.reading) = (draft, reading)
    }

    func run() {
        checkNames(draft.accounts, \.name)
        checkNames(draft.sources, \.name)
        checkNames(draft.webhooks, \.name)
        checkNames(draft.tokens, \.name)
        checkTokens()
        for source in draft.sources { checkAccount(of: source) }
        checkOnePerAccountAndKind()
        for source in draft.sources where source.value.kind.isPerCustomer { checkRelations(for: source) }
        checkRetention()
        checkDedupRetention()
        checkTopic()
        for webhook in draft.webhooks { warnOfWebhook(webhook) }
        if draft.sources.isEmpty, !reading.hasProblem(at: "sources") {
            reading.warn("sources", "there are none", "without one nothing is polled")
        }
    }

    private func isSound(_ key: String) -> Bool { !reading.hasProblem(at: key) }

    private func checkNames<Value>(_ parts: [Placed<Value>], _ name: (Value) -> String) {
        var owners: [String: String] = [:]
        for part in parts where isSound("\(part.path).name") {
            let text = name(part.value)
            if let owner = owners[text] {
                let subject = reading.subject("\(part.path).name", text)
                reading.refuse(
                    "\(part.path).name", "\(subject) is the name of \(owner) already",
                    "allowed: every name once")
            } else {
                owners[text] = part.path
            }
        }
    }

    /// Two names for one token would make the record of who did what ambiguous.
    private func checkTokens() {
        var owners: [Secret: String] = [:]
        for token in draft.tokens where isSound("\(token.path).token") {
            if let owner = owners[token.value.token] {
                reading.refuse(
                    "\(token.path).token", "is the token of \(owner) too", "allowed: every token once")
            } else {
                owners[token.value.token] = token.path
            }
        }
    }

    private func account(of source: Placed<Settings.Source>) -> Placed<Settings.Account>? {
        draft.accounts.first { $0.value.name == source.value.account && isSound("\($0.path).name") }
    }

    /// For messages: names that came from a variable are left out.
    private var shownAccountNames: [String] {
        draft.accounts.filter { !reading.isHidden("\($0.path).name") }.map(\.value.name)
    }

    /// False when an account could not be read, which may be the one that a source means.
    private var areAccountsKnown: Bool {
        !reading.problems.contains { problem in
            problem.key.hasPrefix("accounts")
                && (!problem.key.contains(".") || problem.key.hasSuffix(".name"))
        }
    }

    private func checkAccount(of source: Placed<Settings.Source>) {
        let key = "\(source.path).account"
        guard isSound(key) else { return }
        guard let account = account(of: source) else {
            guard areAccountsKnown else { return }
            let names = shownAccountNames
            reading.refuse(
                key, "\(reading.subject(key, source.value.account)) names no account",
                "allowed: " + (names.isEmpty ? "the name of one of accounts" : names.joined(separator: ", ")))
            return
        }
        guard isSound("\(source.path).kind"), isSound("\(account.path).vendor") else { return }
        let vendor = account.value.vendor
        guard source.value.kind.vendor != vendor else { return }
        let kinds = SourceKind.allCases.filter { $0.vendor == vendor }.map(\.rawValue)
        reading.refuse(
            "\(source.path).kind",
            "\(reading.subject("\(source.path).kind", source.value.kind.rawValue)) does not fit its account, which is of vendor \(vendor.rawValue)",
            "allowed: \(kinds.joined(separator: ", "))")
    }

    private func checkOnePerAccountAndKind() {
        var owners: [String: String] = [:]
        for source in draft.sources where isSound("\(source.path).account") && isSound("\(source.path).kind")
        {
            // A space is in neither.
            let pair = "\(source.value.account) \(source.value.kind.rawValue)"
            if let owner = owners[pair] {
                reading.refuse(
                    "\(source.path).kind", "\(owner) has the same account and kind",
                    "allowed: one source per account and kind")
            } else {
                owners[pair] = source.path
            }
        }
    }

    /// Customers of an account are found by reading its relations.
    private func checkRelations(for source: Placed<Settings.Source>) {
        guard isSound("\(source.path).account"), isSound("\(source.path).kind") else { return }
        let hasRelations = draft.sources.contains {
            // A source whose account or kind is wrong may be the one.
            ($0.value.account == source.value.account || !isSound("\($0.path).account"))
                && ($0.value.kind == .relations || !isSound("\($0.path).kind"))
        }
        if !hasRelations {
            reading.refuse(
                "\(source.path).kind", "\(source.value.kind.rawValue) needs the customers of its account",
                "add a source of kind tanma.relations on the same account")
        }
    }

    private func checkRetention() {
        let store = draft.settings.store
        guard isSound("store.retention"), isSound("store.retention_hard"), store.retentionHard != .zero else {
            return
        }
        if store.retention == .zero {
            reading.refuse(
                "store.retention_hard",
                "\(store.retentionHard.configured) cuts what retention keeps for ever",
                "allowed: 0, or a retention that ends")
        } else if store.retentionHard < store.retention {
            reading.refuse(
                "store.retention_hard", "is shorter than retention",
                "allowed: 0, or at least \(store.retention.configured)")
        }
    }

    /// A key that expires before its row has left the log, or the reach of a sweep, would let the row in again.
    private func checkDedupRetention() {
        let store = draft.settings.store
        guard store.dedupRetention != .zero, isSound("store.retention"), isSound("store.dedup_retention")
        else { return }
        let key = "store.dedup_retention"
        if store.retention == .zero {
            reading.refuse(key, "ends while retention keeps events for ever", "allowed: 0")
        } else if store.dedupRetention < store.retention {
            reading.refuse(
                key, "is shorter than retention", "allowed: 0, or at least \(store.retention.configured)")
        }
        for source in draft.sources where source.value.kind.hasExpiringKeys && isSound(source.path) {
            guard let reach = source.value.reach else {
                // No end covers it. Nothing is doubled: what may have been published is counted too_old.
                reading.warn(
                    key, "ends while a sweep of \(source.path) reads back to its start",
                    "unknown rows from before the newest expired key are not stored; 0 keeps every key")
                continue
            }
            if store.dedupRetention < reach {
                reading.refuse(
                    key, "is shorter than the widest sweep of \(source.path) plus its overlap",
                    "allowed: 0, or at least \(reach.configured)")
            }
        }
    }

    private func checkTopic() {
        guard let topic = draft.settings.kafka?.topic, isSound("relay.name"), isSound("kafka.topic"),
            topic == "millrace.\(draft.settings.relay.name).log"
        else { return }
        reading.refuse(
            "kafka.topic", "is the topic where the relay keeps its position", "allowed: any other name")
    }

    private func warnOfWebhook(_ webhook: Placed<Settings.Webhook>) {
        let names = draft.accounts.map(\.value.name)
        for (index, pattern) in webhook.value.accounts.enumerated() where isSound("accounts") {
            let path = "\(webhook.path).accounts[\(index)]"
            guard isSound("\(webhook.path).accounts"), pattern.text != "*",
                !names.contains(where: pattern.matches)
            else { continue }
            reading.warn(
                path, "\(reading.subject(path, pattern.text)) matches no account",
                "known: \(shownAccountNames.joined(separator: ", "))")
        }
        guard isSound("\(webhook.path).url"), draft.settings.http?.allowPrivateEndpoints != true,
            webhook.value.proxy == nil, webhook.value.isLoopback
        else { return }
        reading.warn(
            "\(webhook.path).url", "is a loopback address, which is refused",
            "http.allow_private_endpoints: true lets it pass")
    }
}

extension Settings.Source {
    /// How far back the widest reading of this source goes; nil is to its start.
    fileprivate var reach: Duration? {
        guard !sweeps.contains(where: { $0.span == nil }) else { return nil }
        return (sweeps.compactMap(\.span).max() ?? .zero) + overlap
    }
}

extension Settings.Webhook {
    fileprivate var isLoopback: Bool {
        URLComponents(string: url)?.host.map { HostAndPort.isLoopback($0) } ?? false
    }
}

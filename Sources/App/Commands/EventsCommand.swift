import EventModel
import Foundation
import Persisting

/// `millrace events`: the log as NDJSON.
struct EventsCommand: Command {
    let name = "events"
    let summary = "the log as NDJSON, from the store (also beside a running relay) or from a relay's API"
    let options =
        RelayClient.options + [
            Option.config,
            Option(name: "store", value: "FILE", help: "reads this store instead of the configuration's"),
            Option(name: "after", value: "N", help: "only events after this offset (default 0)"),
            Option(
                name: "type", value: "T", isRepeatable: true,
                help: "only this type or pattern: visit.updated, visit.*"),
            Option(name: "account", value: "A", help: "only this account or pattern"),
            Option(name: "limit", value: "N", help: "at most this many events"),
            Option(name: "follow", help: "goes on with new events as they are stored"),
        ]
    let examples = [
        Example("millrace events --after 100 --limit 10", "ten events after offset 100"),
        Example("millrace events --type 'visit.*' --follow | jq .id", "visits as they come"),
        Example(
            "millrace events --url http://127.0.0.1:8080 --follow", "of a running relay, through its API"),
    ]

    /// How often a follower looks whether another process has committed: one pragma, no read.
    private static let lookEvery: Duration = .milliseconds(100)

    func run(_ arguments: Arguments) async throws(CommandError) -> Int32 {
        var after = try arguments.integer("after", in: 0...Int64.max) ?? 0
        var left = try arguments.integer("limit", in: 0...Int64.max) ?? .max
        let types = try patterns(arguments, "type")
        let accounts = try patterns(arguments, "account")
        if let client = try RelayClient(arguments) {
            let feed = FeedFollower(client: client, types: types, accounts: accounts)
            return try await feed.run(
                after: try arguments.integer("after", in: 0...Int64.max), limit: left,
                follows: arguments.has("follow"))
        }
        do {
            let reader = try LogReader(path: try ConfigurationFile.storePath(arguments))
            while left > 0 {
                let version = try await reader.dataVersion()
                while left > 0 {
                    let events = try await reader.events(after: after, limit: 500, maxBytes: 4 << 20)
                    guard let last = events.last else { break }
                    after = last.offset
                    for event in events where left > 0 && Self.isWanted(event, types, accounts) {
                        guard Output.bytes(event.body + [UInt8(ascii: "\n")]) else { return 0 }
                        left -= 1
                    }
                }
                guard arguments.has("follow"), left > 0 else { return 0 }
                repeat {
                    try await Task.sleep(for: Self.lookEvery)
                    guard Output.hasReader else { return 0 }
                } while try await reader.dataVersion() == version
            }
            return 0
        } catch let error as LogError {
            throw CommandError(error)
        } catch let error as CommandError {
            throw error
        } catch {
            throw .failed("\(error)")
        }
    }

    private func patterns(_ arguments: Arguments, _ option: String) throws(CommandError) -> [NamePattern]? {
        let texts = arguments.texts(option)
        guard !texts.isEmpty else { return nil }
        var patterns: [NamePattern] = []
        for text in texts {
            guard let pattern = NamePattern(text) else {
                throw .usage(
                    "--\(option) \(text): not a pattern; allowed: *, a prefix like visit.*, or an exact name")
            }
            patterns.append(pattern)
        }
        return patterns
    }

    private static func isWanted(_ event: StoredEvent, _ types: [NamePattern]?, _ accounts: [NamePattern]?)
        -> Bool
    {
        if let types, !types.match(event.type) { return false }
        guard let accounts else { return true }
        return event.account.map(accounts.match) ?? false
    }
}

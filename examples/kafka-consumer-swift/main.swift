// Reads Millrace's events from Kafka, each once, whatever happens to this process.
//
//     kafka-consumer BROKERS JOURNAL COUNT TOPIC...
//
// Prints one line per new event and ends after COUNT are done in all (0: never). The journal gets one line per event that was
// done: after a crash the next start goes on behind it, and an event that comes again is recognised by its id.
import Foundation
import Kafka
import Services
import Synchronization

/// What was done, one line an event: `TOPIC PARTITION OFFSET ID`.
final class Journal: Sendable {
    private struct State {
        var done: Set<String> = []
        var next: [String: Int64] = [:]
        let file: FileHandle
    }

    private let state: Mutex<State>

    init(path: String) throws {
        if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        var state = State(file: file)
        let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        let whole = text.lastIndex(of: "\n").map { text[...$0] } ?? ""
        for line in whole.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 4, let offset = Int64(words[2]) else { continue }
            state.done.insert(String(words[3]))
            state.next["\(words[0]) \(words[1])"] = offset + 1
        }
        // A line that a crash has torn is written over.
        try file.truncate(atOffset: UInt64(whole.utf8.count))
        self.state = Mutex(state)
    }

    var count: Int { state.withLock { $0.done.count } }

    func next(_ topic: String, _ partition: Int) -> Int64? {
        state.withLock { $0.next["\(topic) \(partition)"] }
    }

    /// False when the event was done before. In real life what it changes is written together with this line, and synced.
    func take(_ record: KafkaReceived, _ id: String) throws -> Bool {
        try state.withLock { state in
            guard state.done.insert(id).inserted else { return false }
            let line = "\(record.topic) \(record.partition) \(record.offset) \(id)\n"
            try state.file.write(contentsOf: Data(line.utf8))
            return true
        }
    }
}

func consume(_ brokers: String, _ journal: Journal, until wanted: Int, _ names: [String]) throws {
    let looking = try KafkaProducer(properties: ["bootstrap.servers": brokers], logger: .silent)
    let topics = try looking.topics(timeout: .seconds(30)).filter { names.contains($0.key) }
    looking.close()
    if let missing = names.first(where: { topics[$0] == nil }) { throw Mistake("no topic \(missing)") }
    if wanted > 0, journal.count >= wanted { return }
    let end = DispatchSemaphore(value: 0)
    let reader = try KafkaReader(
        brokers: brokers, topics: topics, startingAt: journal.next,
        logger: Logger(level: .warning, format: .text)
    ) { record in
        let headers = Dictionary(record.headers.map { ($0.name, $0.value) }) { first, _ in first }
        guard let id = headers["ce_id"], let type = headers["ce_type"] else { return }
        if wanted > 0, journal.count >= wanted { return }
        do {
            guard try journal.take(record, id) else { return }
        } catch {
            Logger.standardError("journal: \(error.localizedDescription)\n")
            exit(1)
        }
        let key = String(decoding: record.key, as: UTF8.self)
        let line = "\(record.partition) \(record.offset) \(type) \(id) \(key)\n"
        FileHandle.standardOutput.write(Data(line.utf8))
        if journal.count == wanted { end.signal() }
    }
    end.wait()
    reader.close()
}

struct Mistake: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

let arguments = CommandLine.arguments.dropFirst()
guard arguments.count >= 4, let count = Int(CommandLine.arguments[3]) else {
    Logger.standardError("usage: kafka-consumer BROKERS JOURNAL COUNT TOPIC...\n")
    exit(2)
}
do {
    let journal = try Journal(path: CommandLine.arguments[2])
    try consume(CommandLine.arguments[1], journal, until: count, Array(arguments.dropFirst(3)))
} catch {
    Logger.standardError("kafka-consumer: \(error)\n")
    exit(1)
}

import EventModel
import Foundation

/// `millrace demo`: the whole chain on this machine, without a configuration.
struct DemoCommand: Command {
    let name = "demo"
    let summary = "the whole chain on this machine, no configuration needed"
    let options = [
        Option(name: "seconds", value: "N", help: "how long visits happen (default 10)"),
        Option(name: "rate", value: "R", help: "visits a second (default 5)"),
        Option(name: "seed", value: "N", help: "decides visits and faults (default 1)"),
        Option(name: "calm", help: "a vendor without faults"),
    ]
    let examples = [
        Example(
            "millrace demo",
            "a simulated vendor, the relay, a Kafka cluster and a webhook receiver, all in this process"),
        Example("millrace demo --seconds 60 --rate 200", "the same for longer and with more to do"),
    ]

    func run(_ arguments: Arguments) async throws(CommandError) -> Int32 {
        let seconds = try arguments.integer("seconds", in: 1...86_400) ?? 10
        let rate = try arguments.number("rate", in: 0.1...1000) ?? 5
        let seed = try arguments.integer("seed", in: 0...Int64.max) ?? 1
        let demo = Demo(
            seconds: Int(seconds), rate: rate, seed: UInt64(seed), isCalm: arguments.has("calm"),
            signals: Signals())
        do {
            return try await demo.run() ? 0 : 1
        } catch {
            throw .failed("demo: \(error)")
        }
    }
}

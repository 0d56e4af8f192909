import EventModel
import Foundation
import VendorSimulator

/// `millrace simulate`: the vendor simulator alone, for dry runs and for trying a configuration.
struct SimulateCommand: Command {
    let name = "simulate"
    let summary = "the vendor simulator alone, both vendors, with faults on request"
    let options = [
        Option(name: "host", value: "HOST", help: "the address to listen on (default 127.0.0.1)"),
        Option(name: "port", value: "P", help: "the port (default 8090; 0 takes any free one)"),
        Option(
            name: "seed", value: "N",
            help: "decides rows and faults; the same seed gives the same (default 1)"),
        Option(name: "rows", value: "N", help: "rows that have happened already (default 200)"),
        Option(name: "spread", value: "SECONDS", help: "how far back those rows reach (default 3600)"),
        Option(name: "rate", value: "R", help: "rows that happen each second from now on (default 1)"),
        Option(name: "limit", value: "N", help: "after this many of them nothing more happens"),
        Option(
            name: "late", value: "SHARE",
            help: "share of rows, 0 to 1, that are listed later than they happened"),
        Option(
            name: "revise", value: "SHARE",
            help: "share of rows that change later: viewDuration is filled in, a relation is edited"),
        Option(name: "deletes", value: "SHARE", help: "share of follow records that disappear later"),
        Option(name: "returns", value: "SHARE", help: "share of these that come back"),
        Option(
            name: "come-back", value: "SHARE",
            help: "share of customers who are removed and added again, lost and lost again"),
        Option(name: "empty-null", help: "no follow records is null instead of an empty list"),
        Option(name: "last-id-again", help: "the page after lastId begins with that file once more"),
        Option(name: "latency", value: "SECONDS", help: "how long every answer takes (default 0)"),
        Option(
            name: "tanma-limit", value: "N",
            help: "more requests a second are answered with 429 (default none)"),
        Option(
            name: "weiban-limit", value: "N",
            help: "more requests a minute are answered with code 10053 (default 600)"),
        Option(
            name: "fault", value: "KIND=SHARE", isRepeatable: true,
            help: "share of requests that go wrong: \(Fault.names)"),
        Option(name: "slow", value: "SECONDS", help: "how long a slow answer takes (default 3)"),
        Option(name: "last-cursor", value: "FORM", help: "nextCursor on a last page: null, absent or same"),
        Option(
            name: "app-id", value: "ID", help: "the account's app id (default \(SimulatorOptions().appID))"),
        Option(name: "app-key", value: "KEY", help: "its key (default \(SimulatorOptions().appKey))"),
        Option(name: "corp-id", value: "ID", help: "Weiban's corp id (default \(SimulatorOptions().corpID))"),
        Option(
            name: "corp-secret", value: "TEXT", help: "its secret (default \(SimulatorOptions().corpSecret))"),
        Option(name: "token-life", value: "SECONDS", help: "how long a token of it lives (default 7200)"),
        Option(name: "no-sample", help: "leaves out the vendor's own five sample rows of August 2021"),
    ]
    let examples = [
        Example(
            "millrace simulate --revise 0.3 --deletes 0.2 --returns 0.5 --come-back 0.1",
            "a world in which rows are edited, disappear and come back"),
        Example(
            "millrace simulate --port 8090 --rate 5",
            "a vendor at http://127.0.0.1:8090 with five visits a second"),
        Example(
            "millrace simulate --fault status500=0.05 --fault malformedRow=0.02", "one that has bad days"),
    ]

    func run(_ arguments: Arguments) async throws(CommandError) -> Int32 {
        var options = try self.options(arguments)
        options.requestLog = { Terminal.say($0.line) }
        let signals = Signals()
        let simulator: VendorSimulator
        do throws(SimulatorError) {
            let timekeeper = SystemTimekeeper()
            simulator = try VendorSimulator(options, now: { timekeeper.now })
        } catch {
            throw error.isTransient ? .temporary(error.description) : .usage("simulate: \(error)")
        }
        Output.line("tanma \(simulator.baseURL)")
        Output.line("weiban \(simulator.weibanURL)")
        await signals.wait()
        simulator.stop()
        return 0
    }

    private func options(_ arguments: Arguments) throws(CommandError) -> SimulatorOptions {
        var options = SimulatorOptions()
        options.host = arguments.text("host") ?? options.host
        options.port = Int(try arguments.integer("port", in: 0...65_535) ?? 8090)
        options.seed = UInt64(try arguments.integer("seed", in: 0...Int64.max) ?? 1)
        options.rows = Int(try arguments.integer("rows", in: 0...10_000_000) ?? Int64(options.rows))
        options.spread = .seconds(try arguments.integer("spread", in: 1...315_360_000) ?? 3600)
        options.rate = try arguments.number("rate", in: 0...100_000) ?? 1
        options.limit = try arguments.integer("limit", in: 0...10_000_000).map(Int.init)
        options.late = try arguments.number("late", in: 0...1) ?? 0
        options.revise = try arguments.number("revise", in: 0...1) ?? 0
        options.deletes = try arguments.number("deletes", in: 0...1) ?? 0
        options.returns = try arguments.number("returns", in: 0...1) ?? 0
        options.comeBack = try arguments.number("come-back", in: 0...1) ?? 0
        (options.emptyIsNull, options.lastIDComesBack) = (
            arguments.has("empty-null"), arguments.has("last-id-again")
        )
        options.latency = .seconds(try arguments.number("latency", in: 0...60) ?? 0)
        options.tanmaPerSecond = try arguments.integer("tanma-limit", in: 1...100_000).map(Int.init)
        options.weibanPerMinute = Int(try arguments.integer("weiban-limit", in: 1...1_000_000) ?? 600)
        options.faults = try faults(arguments)
        if let text = arguments.text("last-cursor") {
            guard let form = SimulatorOptions.LastCursor(rawValue: text) else {
                throw .usage("--last-cursor \(text): allowed are null, absent and same")
            }
            options.lastCursor = form
        }
        options.appID = arguments.text("app-id") ?? options.appID
        options.appKey = arguments.text("app-key") ?? options.appKey
        options.corpID = arguments.text("corp-id") ?? options.corpID
        options.corpSecret = arguments.text("corp-secret") ?? options.corpSecret
        options.tokenLife = .seconds(try arguments.integer("token-life", in: 1...86_400) ?? 7200)
        options.includeSample = !arguments.has("no-sample")
        return options
    }

    private func faults(_ arguments: Arguments) throws(CommandError) -> FaultPlan {
        var plan = FaultPlan()
        if let seconds = try arguments.number("slow", in: 0...3600) { plan.slowDelay = .seconds(seconds) }
        for text in arguments.texts("fault") {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let fault = Fault(rawValue: parts[0]), fault != .none,
                let share = Double(parts[1]), (0...1).contains(share)
            else {
                throw .usage(
                    "--fault \(text): allowed is KIND=SHARE, a share from 0 to 1, KIND one of \(Fault.names)")
            }
            plan.shares[fault] = share
        }
        return plan
    }
}

extension Fault {
    static var names: String {
        allCases.filter { $0 != .none }.map(\.rawValue).joined(separator: ", ")
    }
}

extension SimulatedRequest {
    /// What was asked and what came of it, for a person.
    fileprivate var line: String {
        let window = window.map {
            "  \($0.since.chinaText) … \($0.before?.chinaText ?? "open")  size \($0.size)"
        }
        let answer = status.map { "HTTP \($0), code \(code), \(rows) rows" } ?? "closed without an answer"
        let fault = fault == .none ? "" : "  (\(fault.rawValue))"
        return "\(endpoint)\(window ?? "")  →  \(answer)\(fault)"
    }
}

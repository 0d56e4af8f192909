import EventModel
import Services

/// A command's arguments, read against what the command knows.
struct Arguments: Sendable {
    private var values: [String: [String]] = [:]
    private var flags: Set<String> = []
    private(set) var operands: [String] = []

    static let none = Arguments()

    private init() {}

    /// Reads `--name VALUE`, `--name=VALUE`, `--flag` and operands; `--` ends the options.
    init(_ words: [String], of command: some Command) throws(CommandError) {
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                operands += rest
                break
            }
            guard word.hasPrefix("-"), word != "-" else {
                operands.append(word)
                continue
            }
            try readOption(word, &rest, command)
        }
        try checkOperands(command)
    }

    func has(_ flag: String) -> Bool { flags.contains(flag) }
    func text(_ name: String) -> String? { values[name]?.last }
    func texts(_ name: String) -> [String] { values[name] ?? [] }

    func integer(_ name: String, in range: ClosedRange<Int64>) throws(CommandError) -> Int64? {
        guard let text = text(name) else { return nil }
        guard let value = Int64(text), range.contains(value) else {
            throw .usage(
                "--\(name) \(text): not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func number(_ name: String, in range: ClosedRange<Double>) throws(CommandError) -> Double? {
        guard let text = text(name) else { return nil }
        guard let value = Double(text), range.contains(value) else {
            throw .usage("--\(name) \(text): not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private mutating func readOption(
        _ word: String, _ rest: inout ArraySlice<String>, _ command: some Command
    ) throws(CommandError) {
        let parts = word.drop { $0 == "-" }.split(
            separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts.first ?? "")
        guard word.hasPrefix("--"), let option = command.options.first(where: { $0.name == name }) else {
            let near =
                Nearest.name(to: name, among: command.options.map(\.name)).map { ", did you mean --\($0)?" }
                ?? ""
            throw .usage(
                "\(command.name): unknown option \(word)\(near)\nRun `millrace help \(command.name)`.")
        }
        guard let placeholder = option.value else {
            if parts.count > 1 { throw .usage("\(command.name): --\(name) takes no value") }
            flags.insert(name)
            return
        }
        guard let value = parts.count > 1 ? String(parts[1]) : rest.popFirst() else {
            throw .usage("\(command.name): --\(name) needs \(placeholder)")
        }
        if values[name] != nil, !option.isRepeatable {
            throw .usage("\(command.name): --\(name) is given twice")
        }
        values[name, default: []].append(value)
    }

    private func checkOperands(_ command: some Command) throws(CommandError) {
        let needed = command.operands.count { $0.isRequired }
        if operands.count < needed {
            throw .usage("\(command.name): needs \(command.operands[operands.count].name)")
        }
        if operands.count > command.operands.count {
            throw .usage("\(command.name): unexpected argument \(operands[command.operands.count])")
        }
    }
}

/// What the world outside has seen of a workload: what outlives a crash.
package struct Notes: Sendable, Equatable {
    /// The highest head that was acknowledged to a poller.
    package var acknowledged: Int64 = 0
    /// Offsets each sink's other side has accepted or refused for good.
    package var kafka: Set<Int64> = []
    package var hook: Set<Int64> = []
    /// The workload has come to its end.
    package var isDone = false

    package init() {}

    /// One line, as a child process prints it.
    package enum Line: Sendable, CustomStringConvertible {
        case acknowledged(Int64)
        case kafka(Int64)
        case hook(Int64)
        case done

        package var description: String {
            switch self {
            case .acknowledged(let head): "acknowledged \(head)"
            case .kafka(let offset): "kafka \(offset)"
            case .hook(let offset): "hook \(offset)"
            case .done: "done 0"
            }
        }
    }

    package mutating func add(_ line: Line) {
        switch line {
        case .acknowledged(let head): acknowledged = max(acknowledged, head)
        case .kafka(let offset): kafka.insert(offset)
        case .hook(let offset): hook.insert(offset)
        case .done: isDone = true
        }
    }

    /// A line that was cut off by the end of its process is none.
    package mutating func add(output: String) {
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, let number = Int64(words[1]) else { continue }
            switch words[0] {
            case "acknowledged": add(.acknowledged(number))
            case "kafka": add(.kafka(number))
            case "hook": add(.hook(number))
            case "done": add(.done)
            default: continue
            }
        }
    }
}

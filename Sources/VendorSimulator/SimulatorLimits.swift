import EventModel
import InboundHTTP
import Synchronization

/// The vendors' own limits: what they answer to somebody who asks too often or too much at once.
final class SimulatorLimits: Sendable {
    private struct State {
        var tanma = LimitWatch()
        var weiban = LimitWatch()
        var refused = (tanma: 0, weiban: 0)
        var blockedUntil: Int64 = 0
    }

    private let options: SimulatorOptions
    private let now: @Sendable () -> Timestamp
    private let state = Mutex(State())

    init(_ options: SimulatorOptions, now: @escaping @Sendable () -> Timestamp) {
        (self.options, self.now) = (options, now)
    }

    var tanma: SimulatorStatistics.Load {
        state.withLock { Self.load($0.tanma, $0.refused.tanma) }
    }

    var weiban: SimulatorStatistics.Load {
        state.withLock { Self.load($0.weiban, $0.refused.weiban) }
    }

    /// A request came; every call is followed by `ended` when its answer was sent.
    /// - Parameter isList: Weiban blocks its lists, never its token.
    /// - Returns: the refusal, when a limit was passed.
    func began(isWeiban: Bool, isList: Bool) -> HTTPAnswer? {
        let now = now().milliseconds
        return state.withLock { state in
            isWeiban ? weibanRefusal(&state, now, isList: isList) : tanmaRefusal(&state, now)
        }
    }

    func ended(isWeiban: Bool) {
        state.withLock { state in
            if isWeiban { state.weiban.ended() } else { state.tanma.ended() }
        }
    }

    private func tanmaRefusal(_ state: inout State, _ now: Int64) -> HTTPAnswer? {
        let seen = state.tanma.began(at: now)
        guard let limit = options.tanmaPerSecond, seen.second > limit else { return nil }
        state.refused.tanma += 1
        return HTTPAnswer(status: 429, headers: ["Retry-After": "1"])
    }

    private func weibanRefusal(_ state: inout State, _ now: Int64, isList: Bool) -> HTTPAnswer? {
        let seen = state.weiban.began(at: now)
        if state.weiban.atOnce >= options.weibanAtOnce {
            state.refused.weiban += 1
            return WeibanEndpoint.refusal(10052, "too many requests in process")
        }
        if seen.minute > options.weibanPerMinute {
            state.blockedUntil = now + options.weibanBlock.wholeMilliseconds
        }
        guard isList, now < state.blockedUntil else { return nil }
        state.refused.weiban += 1
        return WeibanEndpoint.refusal(10053, "too many requests a minute")
    }

    private static func load(_ watch: LimitWatch, _ refused: Int) -> SimulatorStatistics.Load {
        var load = SimulatorStatistics.Load()
        (load.busiestSecond, load.mostAtOnce, load.refused) = (watch.busiestSecond, watch.mostAtOnce, refused)
        return load
    }
}

/// Runs services together in levels: started in order, stopped in reverse, with one deadline.
///
/// Graceful stop is not cancellation: first the services of the last level are asked to stop and waited for, then those
/// before them; what is still running at the deadline is cancelled. Services of one level stop side by side, so that one
/// that hangs takes no time from its neighbours.
package struct ServiceGroup: Sendable {
    /// How the group ended when nothing failed.
    package enum End: Sendable, Equatable {
        case stopped
        /// Some services did not finish before the deadline and were cancelled: their names.
        case deadlinePassed([String])
    }

    private let services: [any Service]
    /// Places in `services`, level by level.
    private let levels: [Range<Int>]
    private let deadline: Duration
    private let logger: Logger

    /// - Parameter deadline: the time all services together have to drain after a stop was asked for.
    package init(_ levels: [[any Service]], deadline: Duration, logger: Logger) {
        (self.deadline, self.logger) = (deadline, logger)
        services = levels.flatMap { $0 }
        var ranges: [Range<Int>] = []
        for level in levels {
            let start = ranges.last?.upperBound ?? 0
            ranges.append(start..<(start + level.count))
        }
        self.levels = ranges
    }

    /// Runs until `stopRequested` returns, a service fails or a service returns by itself (which is an error too).
    package func run(until stopRequested: @escaping @Sendable () async -> Void) async throws -> End {
        for service in services {
            do {
                try await service.start()
            } catch {
                throw ServiceFailure(service: service.name, cause: error)
            }
        }
        let ledger = Ledger()
        return try await withThrowingTaskGroup(of: Note.self) { group in
            for (place, service) in services.enumerated() {
                group.addTask { await Self.run(service, at: place, ledger: ledger) }
            }
            group.addTask {
                await stopRequested()
                return .stopRequested
            }
            let first = try await group.next() ?? .stopRequested
            var failure: ServiceFailure?
            switch first {
            case .stopRequested:
                logger.info("stopping", [.deadline: .duration(deadline)])
            case .ended(let place, let cause):
                failure = ServiceFailure(service: services[place].name, cause: cause)
            case .drained, .deadline:
                break
            }
            let end = try await drain(&group, ledger: ledger)
            if failure == nil, let late = await ledger.failure {
                failure = ServiceFailure(service: services[late.place].name, cause: late.cause)
            }
            if let failure { throw failure }
            return end
        }
    }

    private func drain(
        _ group: inout ThrowingTaskGroup<Note, any Error>, ledger: Ledger
    ) async throws -> End {
        let (services, levels, deadline) = (self.services, self.levels, self.deadline)
        group.addTask {
            for level in levels.reversed() {
                for place in level { await services[place].stop() }
                for place in level { await ledger.waitUntilEnded(place) }
            }
            return .drained
        }
        group.addTask {
            do { try await Task.sleep(for: deadline) } catch { return .drained }
            return .deadline
        }
        var end = End.stopped
        while let note = try await group.next() {
            if case .drained = note { break }
            if case .deadline = note {
                let late = await ledger.running(of: services.count).map { services[$0].name }
                end = .deadlinePassed(late)
                break
            }
        }
        await ledger.release()
        group.cancelAll()
        return end
    }

    private static func run(_ service: any Service, at place: Int, ledger: Ledger) async -> Note {
        do {
            try await service.run()
            await ledger.ended(place)
            return .ended(place, cause: nil)
        } catch {
            await ledger.ended(place, cause: error)
            return .ended(place, cause: error)
        }
    }

    private enum Note: Sendable {
        case ended(Int, cause: (any Error)?)
        case stopRequested
        case drained
        case deadline
    }

    /// Which services have ended, so that the stopping side can wait for one after the other.
    private actor Ledger {
        private var endedPlaces: Set<Int> = []
        private var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        private var isReleased = false
        /// The first throw before the release: after it everybody is cancelled, and a throw is how a service leaves.
        private(set) var failure: (place: Int, cause: any Error)?

        func ended(_ place: Int, cause: (any Error)? = nil) {
            endedPlaces.insert(place)
            if failure == nil, !isReleased, let cause { failure = (place, cause) }
            waiting.removeValue(forKey: place)?.resume()
        }

        func running(of count: Int) -> [Int] {
            (0..<count).filter { !endedPlaces.contains($0) }
        }

        func waitUntilEnded(_ place: Int) async {
            if endedPlaces.contains(place) || isReleased { return }
            await withCheckedContinuation { waiting[place] = $0 }
        }

        func release() {
            isReleased = true
            for continuation in waiting.values { continuation.resume() }
            waiting = [:]
        }
    }
}

/// A service that threw or came back before anybody asked it to stop.
package struct ServiceFailure: Error, CustomStringConvertible {
    package let service: String
    /// Nil when the service returned by itself.
    package let cause: (any Error)?

    package var description: String {
        cause.map { "\(service): \($0)" } ?? "\(service) ended by itself"
    }
}

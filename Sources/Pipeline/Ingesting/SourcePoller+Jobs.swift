import EventModel
import Normalizing
import Ports
import Persisting
import Services

/// Work that somebody asked for, between the polls: a live window that is due always goes first.
extension SourcePoller {
    /// Tries of one piece before its job is given up.
    private static let tries = 5

    func work(on taken: SourceJob, _ plans: inout LanePlans) async {
        var job = taken
        do throws(SourceError) {
            if let window = job.window {
                try await reread(window, &job, &plans)
            } else {
                try await pollNow(&job, &plans)
            }
            job.ended(nil, at: timekeeper.now)
        } catch {
            // Stopped: the next poller goes on with it.
            guard error.kind != .cancelled, !Task.isCancelled else { return }
            job.ended(error.description, at: timekeeper.now)
        }
        board.update(job)
        logger.info(
            "job done",
            [
                .source: .text(identity.name), .name: .text(job.kind.rawValue), .rows: .count(job.read),
                .stored: .count(job.stored), .updated: .count(job.updated), .cause: .text(job.failure ?? "-"),
            ])
    }

    /// Every lane's live window, now.
    private func pollNow(_ job: inout SourceJob, _ plans: inout LanePlans) async throws(SourceError) {
        plans.pollNow(timekeeper.now)
        while case .read(let window, let lane, .live) = nextStep(&plans) {
            job.count(try await read(window, lane, .live, &plans))
        }
        setbacks.worked()
    }

    /// Reads the window piece by piece; the source's own position stays where it is.
    private func reread(
        _ window: Window, _ job: inout SourceJob, _ plans: inout LanePlans
    ) async throws(SourceError) {
        var pieces = JobPieces(window, lanes: source.lanes)
        var failures = 0
        while let (piece, lane) = pieces.next {
            if case .read(let window, let lane, .live) = nextStep(&plans) {
                await poll(window, lane, .live, &plans)
            }
            do throws(SourceError) {
                job.count(try await storePages(of: piece, lane).stored)
            } catch {
                failures += 1
                guard error.mayPassSoon || error.kind == .store, failures < Self.tries else { throw error }
                await sleep(setbacks.wait(after: error))
                continue
            }
            failures = 0
            pieces.finishedPiece()
            job.progress = pieces.progress
            board.update(job)
        }
        setbacks.worked()
    }

    private func nextStep(_ plans: inout LanePlans) -> LanePlans.Step {
        let now = timekeeper.now
        return plans.next(now: now, vendorNow: clock.now(now, elapsed: timekeeper.elapsed))
    }
}

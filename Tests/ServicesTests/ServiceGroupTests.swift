import Services
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ServiceGroupTests {
    private struct Broken: Error {}

    private static func group(
        _ levels: [[any Service]], deadline: Duration = .seconds(30)
    ) -> ServiceGroup {
        ServiceGroup(levels, deadline: deadline, logger: .silent)
    }

    @Test func servicesOfAllLevelsRunTogether() async throws {
        let diary = Diary()
        // Each waits for both: if one were started only after the other had ended, none would get on.
        let (first, second) = (StopSignal(), StopSignal())
        let workers = [
            Worker("first", diary) { signal in
                first.stop()
                await second.wait()
                await signal.wait()
            },
            Worker("second", diary) { signal in
                second.stop()
                await first.wait()
                await signal.wait()
            },
        ]
        let end = try await Self.group(workers.map { [$0] }).run {
            await first.wait()
            await second.wait()
        }
        #expect(end == .stopped)
    }

    @Test func levelsStopFromTheLastToTheFirstEachWaitedFor() async throws {
        let diary = Diary()
        let workers = ["log", "pump", "intake"].map { Worker($0, diary) { await $0.wait() } }
        let end = try await Self.group(workers.map { [$0] }).run {
            for worker in workers { await worker.started.wait() }
        }
        #expect(end == .stopped)
        #expect(
            diary.lines == ["stop intake", "end intake", "stop pump", "end pump", "stop log", "end log"])
    }

    @Test func servicesOfOneLevelStopSideBySide() async throws {
        let diary = Diary()
        let neighbour = Worker("neighbour", diary) { await $0.wait() }
        // Ends only after its neighbour, which stands behind it, was asked to stop too.
        let slow = Worker("slow", diary) { signal in
            await signal.wait()
            await neighbour.signal.wait()
        }
        let end = try await Self.group([[slow, neighbour]]).run {
            await slow.started.wait()
            await neighbour.started.wait()
        }
        #expect(end == .stopped)
        #expect(diary.lines.prefix(2) == ["stop slow", "stop neighbour"])
    }

    @Test func theDeadlineCancelsAndNamesWhatIsLate() async throws {
        let diary = Diary()
        let log = Worker("log", diary) { await $0.wait() }
        let quick = Worker("quick", diary) { await $0.wait() }
        // Ignores the stop; only cancellation ends its wait.
        let stuck = Worker("stuck", diary) { _ in await StopSignal().wait() }
        let end = try await Self.group([[log], [quick, stuck]], deadline: .milliseconds(50)).run {
            for worker in [log, quick, stuck] { await worker.started.wait() }
        }
        // The level before a stuck one does not get its turn in time.
        #expect(end == .deadlinePassed(["log", "stuck"]))
        #expect(Set(diary.lines).isSuperset(of: ["end log", "end quick", "end stuck"]))
    }

    @Test func aServiceThatEndsByItselfIsAFailureWithItsName() async throws {
        let diary = Diary()
        let steady = Worker("steady", diary) { await $0.wait() }
        let early = Worker("early", diary) { _ in await steady.started.wait() }
        let failure = await #expect(throws: ServiceFailure.self) {
            _ = try await Self.group([[steady], [early]]).run { await StopSignal().wait() }
        }
        #expect(failure?.service == "early")
        #expect(failure?.cause == nil)
        #expect(failure?.description == "early ended by itself")
        // The others are stopped in order, not cut off.
        #expect(diary.lines.contains("stop steady") && diary.lines.contains("end steady"))
    }

    @Test func aServiceThatThrowsIsAFailureWithItsCause() async throws {
        let diary = Diary()
        let steady = Worker("steady", diary) { await $0.wait() }
        let broken = Worker("broken", diary) { _ in
            await steady.started.wait()
            throw Broken()
        }
        let failure = await #expect(throws: ServiceFailure.self) {
            _ = try await Self.group([[broken, steady]]).run { await StopSignal().wait() }
        }
        #expect(failure?.service == "broken")
        #expect(failure?.cause is Broken)
        #expect(failure?.description == "broken: Broken()")
        #expect(diary.lines.contains("stop steady") && diary.lines.contains("end steady"))
    }

    @Test func aThrowWhileStoppingIsAFailureToo() async throws {
        let diary = Diary()
        let log = Worker("log", diary) { await $0.wait() }
        let pump = Worker("pump", diary) { signal in
            await signal.wait()
            throw Broken()
        }
        let failure = await #expect(throws: ServiceFailure.self) {
            _ = try await Self.group([[log], [pump]]).run {
                await log.started.wait()
                await pump.started.wait()
            }
        }
        #expect(failure?.service == "pump")
        #expect(failure?.cause is Broken)
        #expect(diary.lines == ["stop pump", "end pump", "stop log", "end log"])
    }

    @Test func aThrowAfterTheDeadlineIsHowACancelledServiceLeaves() async throws {
        let diary = Diary()
        let stuck = Worker("stuck", diary) { _ in
            await StopSignal().wait()
            throw CancellationError()
        }
        let end = try await Self.group([[stuck]], deadline: .milliseconds(50)).run {
            await stuck.started.wait()
        }
        #expect(end == .deadlinePassed(["stuck"]))
    }

    @Test func everyServiceIsAskedToStopOnce() async throws {
        let diary = Diary()
        let workers = (0..<20).map { Worker("w\($0)", diary) { await $0.wait() } }
        _ = try await Self.group([workers]).run { for worker in workers { await worker.started.wait() } }
        #expect(
            diary.lines.filter { $0.hasPrefix("stop") }.sorted() == workers.map { "stop \($0.name)" }.sorted()
        )
    }

    @Test func aGroupOfNothingStopsAtOnce() async throws {
        #expect(try await Self.group([]).run {} == .stopped)
        #expect(try await Self.group([[], []]).run {} == .stopped)
    }
}

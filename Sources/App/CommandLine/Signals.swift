import Dispatch
import Foundation
import Services
import Synchronization

/// SIGTERM and SIGINT as one request to stop; the second one ends the process at once.
///
/// Ending at once is safe: what was not acknowledged is done again at the next start.
struct Signals: Sendable {
    private let signal = StopSignal()

    /// Takes both signals over for the rest of the process: made once, by a command that runs until it is stopped.
    init() {
        let stop = self.signal
        for number in [SIGTERM, SIGINT] {
            Foundation.signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                // Capturing the source keeps it alive for as long as the process.
                withExtendedLifetime(source) {
                    if stop.isStopped { _exit(1) }
                    stop.stop()
                }
            }
            source.resume()
        }
    }

    func wait() async {
        await signal.wait()
    }

    /// Calls `body` at every SIGHUP, one after the other, on a thread that may block, until it is taken back.
    func onHangup(_ body: @escaping @Sendable () -> Void) -> Hangup {
        let hangup = Hangup(body)
        Foundation.signal(SIGHUP, SIG_IGN)
        let source = DispatchSource.makeSignalSource(
            signal: SIGHUP, queue: DispatchQueue(label: "millrace.reload"))
        source.setEventHandler { withExtendedLifetime(source) { hangup.happened() } }
        source.resume()
        return hangup
    }
}

/// What a SIGHUP leads to; nothing any more once it is taken back, and nothing is kept alive by it.
final class Hangup: Sendable {
    private let body: Mutex<(@Sendable () -> Void)?>

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = Mutex(body)
    }

    func happened() {
        body.withLock { $0 }?()
    }

    func takeBack() {
        body.withLock { $0 = nil }
    }
}

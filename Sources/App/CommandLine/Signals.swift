import Dispatch
import Foundation
import Services

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

    /// One element for every SIGHUP from here on; several that nobody has looked at yet are one.
    func hangups() -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            Foundation.signal(SIGHUP, SIG_IGN)
            let source = DispatchSource.makeSignalSource(
                signal: SIGHUP, queue: DispatchQueue(label: "millrace.reload"))
            source.setEventHandler { withExtendedLifetime(source) { _ = continuation.yield() } }
            source.resume()
        }
    }
}

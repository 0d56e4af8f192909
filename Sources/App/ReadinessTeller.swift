import Foundation
import Services
import Serving

/// The last level: once it starts, everything before it has started. Says so to `/readyz` and to systemd.
struct ReadinessTeller: Service {
    let name = "readiness"
    private let readiness: Readiness
    private let logger: Logger
    private let stopSignal = StopSignal()

    init(_ readiness: Readiness, logger: Logger) {
        (self.readiness, self.logger) = (readiness, logger)
    }

    func start() async throws {
        readiness.set(true)
        logger.info("relay ready", [:])
        ServiceManager.tell("READY=1")
    }

    func run() async throws {
        await stopSignal.wait()
    }

    func stop() async {
        readiness.set(false)
        ServiceManager.tell("STOPPING=1")
        stopSignal.stop()
    }
}

/// Tells systemd what state the service is in: one datagram to the socket it named (sd_notify(3)).
enum ServiceManager {
    /// Does nothing where no service manager asked; a datagram that cannot be sent is lost, as the manual has it.
    static func tell(_ state: String) {
        guard let path = ProcessInfo.processInfo.environment["NOTIFY_SOCKET"], !path.isEmpty else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        // A name that begins with @ is abstract: its first byte is zero.
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let text = Array(state.utf8)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(descriptor, text, text.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}

import CCurl
import Glibc

/// The sockets of all transfers as the kernel watches them for the transfer thread: an epoll set, kept as libcurl's socket
/// callback asks (CURLMOPT_SOCKETFUNCTION(3)), and a bell that other threads may ring.
///
/// What libcurl asks for is told to the kernel just before the next wait: a connection goes from one transfer to the next
/// several times between two waits, and what is back as it was costs no call.
final class SocketWatch {
    /// Rung from any thread; ends a wait.
    let bell: Bell
    private let epoll: Int32
    /// By descriptor.
    private var interests: [Interest] = []
    private var changed: [Int32] = []
    private var events = [epoll_event](repeating: epoll_event(), count: 128)

    private struct Interest {
        /// What libcurl asks for, and what the kernel knows: bits of epoll, 0 is nothing.
        var wanted: UInt32 = 0
        var known: UInt32 = 0
        /// Made and closed through the callbacks below, so that its end is heard of.
        var isConnection = false
    }

    /// An eventfd.
    struct Bell: Sendable {
        fileprivate let descriptor: Int32

        func ring() {
            eventfd_write(descriptor, 1)
        }
    }

    init() {
        (epoll, bell) = (
            epoll_create1(Int32(EPOLL_CLOEXEC)),
            Bell(descriptor: eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)))
        )
        precondition(epoll >= 0 && bell.descriptor >= 0, "there are no descriptors left for outgoing HTTP")
        tell(bell.descriptor, EPOLL_CTL_ADD, EPOLLIN.rawValue)
    }

    deinit {
        close(epoll)
        close(bell.descriptor)
    }

    // MARK: - What libcurl says

    /// - Parameter what: `CURL_POLL_IN`, `_OUT`, `_INOUT` or `_REMOVE`.
    func wants(_ descriptor: Int32, _ what: Int32) {
        makePlace(descriptor)
        let wanted: UInt32 =
            switch what {
            case CURL_POLL_IN: EPOLLIN.rawValue
            case CURL_POLL_OUT: EPOLLOUT.rawValue
            case CURL_POLL_INOUT: EPOLLIN.rawValue | EPOLLOUT.rawValue
            default: 0
            }
        interests[Int(descriptor)].wanted = wanted
        // A socket of the resolver is closed unseen, and its number may come back as another's.
        let isLeaving = wanted == 0 && !interests[Int(descriptor)].isConnection
        if isLeaving { settle(descriptor) } else { changed.append(descriptor) }
    }

    func opened(_ descriptor: Int32) {
        makePlace(descriptor)
        interests[Int(descriptor)] = Interest(isConnection: true)
    }

    /// Closes it; the kernel forgets it by itself.
    func closes(_ descriptor: Int32) -> Int32 {
        makePlace(descriptor)
        interests[Int(descriptor)] = Interest()
        return close(descriptor)
    }

    // MARK: - Waiting

    /// Returns after so many milliseconds, when the bell rang, or when `ready` was called for every socket that is.
    /// - Parameter ready: with bits of `CURL_CSELECT_IN`, `_OUT`, `_ERR`.
    func wait(_ milliseconds: Int, _ ready: (Int32, Int32) -> Void) {
        for descriptor in changed { settle(descriptor) }
        changed.removeAll(keepingCapacity: true)
        let count = epoll_wait(epoll, &events, Int32(events.count), Int32(clamping: milliseconds))
        for place in 0..<max(0, Int(count)) {
            let (descriptor, bits) = (events[place].data.fd, events[place].events)
            guard descriptor != bell.descriptor else {
                var rings: eventfd_t = 0
                eventfd_read(descriptor, &rings)
                continue
            }
            // One that was closed on behalf of another in this very round is nobody's any more.
            if interests[Int(descriptor)].wanted != 0 { ready(descriptor, Self.selected(bits)) }
        }
    }

    private static func selected(_ bits: UInt32) -> Int32 {
        var selected: Int32 = 0
        if bits & EPOLLIN.rawValue != 0 { selected |= CURL_CSELECT_IN }
        if bits & EPOLLOUT.rawValue != 0 { selected |= CURL_CSELECT_OUT }
        if bits & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { selected |= CURL_CSELECT_ERR }
        return selected
    }

    private func settle(_ descriptor: Int32) {
        let (wanted, known) = (interests[Int(descriptor)].wanted, interests[Int(descriptor)].known)
        guard wanted != known else { return }
        let change = known == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD
        tell(descriptor, change, wanted)
        interests[Int(descriptor)].known = wanted
    }

    private func makePlace(_ descriptor: Int32) {
        let missing = Int(descriptor) + 1 - interests.count
        if missing > 0 { interests += [Interest](repeating: Interest(), count: missing) }
    }

    private func tell(_ descriptor: Int32, _ change: Int32, _ bits: UInt32) {
        var event = epoll_event()
        event.events = bits
        event.data.fd = descriptor
        epoll_ctl(epoll, change, descriptor, &event)
    }
}

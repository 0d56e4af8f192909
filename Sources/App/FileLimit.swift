import Foundation

/// How many files and sockets the process may have open: as many as the system lets it, because every endpoint that is
/// delivered to holds some.
enum FileLimit {
    static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        // Refused, it stays as it was, and connections beyond it fail and are tried again.
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}

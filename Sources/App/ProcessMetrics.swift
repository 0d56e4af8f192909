import Foundation
import Services

/// What the system says about this process, under the names every Prometheus client uses.
struct ProcessMetrics: Sendable {
    private let cpu, resident, virtual, descriptors, mostDescriptors, started: Metric

    init(_ registry: MetricsRegistry) {
        cpu = registry.counter("process_cpu_seconds_total", "Processor time used, user and system.")
        resident = registry.gauge("process_resident_memory_bytes", "Memory in use.")
        virtual = registry.gauge("process_virtual_memory_bytes", "Address space in use.")
        descriptors = registry.gauge("process_open_fds", "Open descriptors.")
        mostDescriptors = registry.gauge("process_max_fds", "How many descriptors may be open.")
        started = registry.gauge("process_start_time_seconds", "Start of the process, in seconds since 1970.")
    }

    func refresh() {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = [usage.ru_utime, usage.ru_stime].reduce(0.0) {
            $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
        }
        cpu.set(seconds)
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        mostDescriptors.set(Double(limit.rlim_cur))
        readStatus()
        let open = FileManager.default.subpaths(atPath: "/proc/self/fd")?.count ?? 0
        descriptors.set(Double(open))
    }

    /// proc(5): in `/proc/self/stat`, after the name in brackets, field 22 is the start in ticks since boot, 23 the address
    /// space in bytes, 24 the resident pages.
    private func readStatus() {
        guard let stat = Self.text("/proc/self/stat"), let end = stat.lastIndex(of: ")") else { return }
        let fields = stat[end...].split(separator: " ").dropFirst().map(String.init)
        guard fields.count > 21 else { return }
        virtual.set(Double(fields[20]) ?? 0)
        resident.set((Double(fields[21]) ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE))))
        let boot = Self.text("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
        guard let boot = boot.flatMap({ Double($0.dropFirst(6)) }), let ticks = Double(fields[19]) else {
            return
        }
        started.set(boot + ticks / Double(sysconf(Int32(_SC_CLK_TCK))))
    }

    private static func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }
}

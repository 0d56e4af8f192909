import EventModel

extension Section {
    private static let windowKeys = ["lag", "overlap", "sweeps"]
    private static let customerKeys = ["max_age", "customers_since"]

    /// Reads one of `sources`; keys that its kind has no use for are warned of, since somebody expects them to work.
    mutating func source() -> Settings.Source {
        var source = Settings.Source()
        require("name", .strictName, into: &source.name)
        require("account", .name, into: &source.account)
        require("kind", .oneOf(SourceKind.allCases), into: &source.kind)
        let isKindKnown = !reading.hasProblem(at: child("kind"))
        source.fillDefaults()
        take("every", .duration, into: &source.every)
        take("start", .time, into: &source.start)
        warnOfFuture("start", source.start)
        readPaging(into: &source)
        readWindow(into: &source)
        readCustomers(into: &source)
        guard isKindKnown else { return source }
        let kind = source.kind
        if !kind.isWindowed {
            warn(of: Self.windowKeys, on: kind, "only sources read by time windows have it")
        }
        if kind == .followRecords { warn(of: ["page_size"], on: kind, "one reply holds all of a customer") }
        if !kind.isPerCustomer {
            warn(of: Self.customerKeys, on: kind, "only follow_records and customer_files have it")
        }
        if kind != .customerFiles { warn(of: ["staff_parameter"], on: kind, "only customer_files has it") }
        return source
    }

    private mutating func warn(of keys: [String], on kind: SourceKind, _ reason: String) {
        for key in keys where isGiven(key) {
            reading.warn(child(key), "does nothing for \(kind.rawValue)", reason)
        }
    }

    private mutating func readPaging(into source: inout Settings.Source) {
        take("page_size", .integer(1...1000), into: &source.pageSize)
    }

    private mutating func readWindow(into source: inout Settings.Source) {
        take("lag", .duration(zero: "none"), into: &source.lag)
        take("overlap", .duration(zero: "none"), into: &source.overlap)
        guard let items = items("sweeps", allowed: "a list of {every, span}") else { return }
        source.sweeps = items.compactMap { path, node in
            Section.read(node, at: path, in: reading) { $0.sweep() }
        }
    }

    private mutating func sweep() -> Settings.Sweep {
        var every = Duration.zero
        var span = Span.all
        require("every", .duration, into: &every)
        require("span", .span, into: &span)
        guard case .back(let duration) = span else { return Settings.Sweep(every: every, span: nil) }
        return Settings.Sweep(every: every, span: duration)
    }

    private mutating func readCustomers(into source: inout Settings.Source) {
        take("max_age", .duration, into: &source.maxAge)
        take("customers_since", .time, into: &source.customersSince)
        warnOfFuture("customers_since", source.customersSince)
        take("staff_parameter", .oneOf(Settings.StaffParameter.allCases), into: &source.staffParameter)
    }

    private func warnOfFuture(_ key: String, _ time: Timestamp?) {
        guard let time, time > reading.surroundings.now else { return }
        reading.warn(child(key), "is in the future", "nothing is read before it")
    }
}

/// How far a sweep reads back.
private enum Span {
    case all
    case back(Duration)
}

extension Rule where Output == Span {
    fileprivate static var span: Rule {
        let duration = Rule<Duration>.duration
        return Rule("all, or \(duration.allowed)") { text in
            if text == "all" { return .accepted(.all) }
            switch duration.judge(text) {
            case .accepted(let span): return .accepted(.back(span))
            case .refused(let message): return .refused(message)
            }
        }
    }
}

extension SourceKind {
    /// Read by windows of time, not customer by customer.
    var isWindowed: Bool { !isPerCustomer }

    /// Whether a row's dedup key expires; rows of the other kinds are read whole again and keep theirs.
    var hasExpiringKeys: Bool { self == .visits || self == .outflow }
}

extension Settings.Source {
    /// No customer of Tanma is older: its ids count from this day (2015-01-01T00:00:00+08:00).
    private static let firstDay = Timestamp(seconds: 1_420_041_600)

    /// The defaults of this source's kind.
    ///
    ///     kind            every  page_size  lag   overlap  sweeps
    ///     visits          30s    100        10s   10m      1h/2h, 1d/2d
    ///     relations       1m     100        10s   10m      7d/all
    ///     follow_records  10s    -          -     -        -
    ///     customer_files  10s    30         -     -        -
    ///     outflow         1m     100        60s   1h       1d/7d, 7d/30d
    fileprivate mutating func fillDefaults() {
        let (hour, day) = (Duration.seconds(3600), Duration.seconds(86_400))
        (pageSize, lag, overlap, sweeps) = (100, .zero, .zero, [])
        switch kind {
        case .visits:
            (every, lag, overlap) = (.seconds(30), .seconds(10), .seconds(600))
            sweeps = [.init(every: hour, span: hour * 2), .init(every: day, span: day * 2)]
        case .relations:
            (every, lag, overlap) = (.seconds(60), .seconds(10), .seconds(600))
            sweeps = [.init(every: day * 7, span: nil)]
        case .followRecords:
            (every, customersSince) = (.seconds(10), Self.firstDay)
        case .customerFiles:
            (every, pageSize, customersSince) = (.seconds(10), 30, Self.firstDay)
        case .outflow:
            (every, lag, overlap) = (.seconds(60), .seconds(60), hour)
            sweeps = [.init(every: day, span: day * 7), .init(every: day * 7, span: day * 30)]
        }
    }
}

import EventModel

/// Makes the visits of a world one after the other, in the order of their time.
///
/// Every row draws the same numbers from the generator whatever the shares are, so that `late` and `revise`
/// change when rows are seen and not which rows there are.
struct VisitMaker: Sendable {
    /// A visitor who may come back, with how often each content was viewed.
    private struct Active {
        let visitor: Int32
        var views: [(content: Int32, times: Int32)]
    }

    /// A view that can happen once in a second where no unionid tells visitors apart.
    private struct AnonymousView: Hashable {
        let content: Int32
        let times: Int32
    }

    /// How many visitors are around; who has left does not come back, so a view is never counted twice.
    private static let around = 64

    private let plan: SimulatedVisits.Plan
    private let contents: Int
    private var random: SplitMix64
    private var historic = 0
    private var live = 0
    private var active: [Active] = []
    private var anonymous: Set<AnonymousView> = []
    private var lastSecond = Int64.min
    private var made = 0
    /// When the next row happens, in milliseconds; nil when nothing more does.
    private var next: Int64?

    init(_ plan: SimulatedVisits.Plan, contents: Int, random: SplitMix64) {
        (self.plan, self.contents, self.random) = (plan, contents, random)
        next = drawTime()
    }

    /// The second of the next row; nil when nothing more happens.
    var nextSecond: Int64? {
        next.map { Timestamp(milliseconds: $0).seconds }
    }

    /// Makes the next row; its visitor is added to `visitors` if it is a new one.
    mutating func makeRow(_ visitors: inout [Visitor]) -> VisitRecord {
        guard let time = next else { preconditionFailure("no row is made after the last") }
        let second = Timestamp(milliseconds: time).seconds
        if second != lastSecond { anonymous.removeAll(keepingCapacity: true) }
        lastSecond = second
        let view = drawView(at: second, &visitors)
        let visitor = visitors[Int(view.visitor)]
        let sharer = Int32(random.below(max(1, visitors.count)))
        let isShared = random.chance(0.25) && visitors[Int(sharer)].unionid != nil && sharer != view.visitor
        let steps = Int32(1 + random.below(3))
        let (isLate, lateness) = (random.chance(plan.late), Int64(1000 + random.below(29_001)))
        let (isRevised, filling) = (random.chance(plan.revise), Int64(5000 + random.below(55_001)))
        let (hasDuration, duration) = (random.chance(0.75), Int32(1 + random.below(600)))
        let visible = time + (isLate ? lateness : 0)
        made += 1
        next = drawTime(after: time)
        return VisitRecord(
            second: second, tieBreaker: visitor.customerID ?? 0, visitor: view.visitor, content: view.content,
            viewTimes: view.times, steps: isShared ? steps : nil, sharer: isShared ? sharer : nil,
            duration: hasDuration || isRevised ? duration : nil, visibleFrom: visible,
            filledFrom: isRevised ? visible + filling : visible)
    }

    /// Rows have a slot each, in which they happen anywhere; one in five happens together with the row
    /// before.
    private mutating func drawTime(after previous: Int64? = nil) -> Int64? {
        let (isBurst, within) = (random.chance(0.2), random.unit())
        let start = plan.start.flooredToSecond.milliseconds
        if historic < plan.rows {
            defer { historic += 1 }
            let spread = Double(plan.spread.wholeMilliseconds)
            let from = start - plan.spread.wholeMilliseconds
            let slot = Int64(spread * (Double(historic) + within) / Double(plan.rows))
            return isBurst ? previous ?? (from + slot) : min(from + slot, start - 1)
        }
        guard plan.rate > 0, live < plan.limit ?? .max else { return nil }
        defer { live += 1 }
        let slot = Int64(1000 * (Double(live) + within) / plan.rate)
        return isBurst && live > 0 ? previous : plan.start.milliseconds + slot
    }

    private mutating func drawView(
        at second: Int64, _ visitors: inout [Visitor]
    ) -> (visitor: Int32, content: Int32, times: Int32) {
        let (kind, place) = (random.unit(), random.below(Self.around))
        let content = Int32(random.below(contents))
        if place < active.count, kind < 0.65, let view = revisit(place, kind < 0.45 ? nil : content),
            register(view, visitors[Int(view.visitor)])
        {
            return view
        }
        var visitor = VisitorCast.visitor(
            at: second, number: made, isAnonymous: random.chance(0.12), using: &random)
        if !register((Int32(visitors.count), content, 1), visitor) {
            // Two such rows could not be told apart without a unionid: this visitor gets one.
            visitor = VisitorCast.visitor(at: second, number: made, isAnonymous: false, using: &random)
        }
        visitors.append(visitor)
        let newcomer = Active(visitor: Int32(visitors.count - 1), views: [(content, 1)])
        if place < active.count { active[place] = newcomer } else { active.append(newcomer) }
        return (newcomer.visitor, content, 1)
    }

    /// A further view by a visitor who is around: of the content seen last, or of another; three times at
    /// most.
    private mutating func revisit(
        _ place: Int, _ content: Int32?
    ) -> (visitor: Int32, content: Int32, times: Int32)? {
        var index = active[place].views.indices.last
        if let content {
            index = active[place].views.firstIndex { $0.content == content }
            if index == nil {
                active[place].views.append((content, 1))
                return (active[place].visitor, content, 1)
            }
        }
        guard let index else { return nil }
        guard active[place].views[index].times < 3 else { return nil }
        active[place].views[index].times += 1
        let view = active[place].views[index]
        return (active[place].visitor, view.content, view.times)
    }

    /// False when a row of this second by another visitor without a unionid could be taken for this one.
    private mutating func register(
        _ view: (visitor: Int32, content: Int32, times: Int32), _ visitor: Visitor
    ) -> Bool {
        guard visitor.unionid == nil else { return true }
        return anonymous.insert(AnonymousView(content: view.content, times: view.times)).inserted
    }
}

/// Where long work shows how far it has come, besides the log: a terminal's bar. Called from any task.
package protocol ProgressDisplay: Sendable {
    /// - Parameters:
    ///   - name: what is under way; one bar each.
    ///   - fraction: 0 to 1.
    ///   - detail: a few words beside the bar.
    func show(_ name: String, fraction: Double, detail: String)
    /// The work is done; its bar goes.
    func end(_ name: String)
}

/// Shows nothing: the log alone tells.
package struct NoDisplay: ProgressDisplay {
    package init() {}
    package func show(_ name: String, fraction: Double, detail: String) {}
    package func end(_ name: String) {}
}

import Configuration

/// What a configuration may ask for that this version reads and checks but does not do yet. Said at start and by `check`,
/// so that nobody waits for something that will not come.
enum NotYet {
    static func notes(_ settings: Settings) -> [String] {
        settings.http == nil ? [] : ["http: the API is not served in this version"]
    }
}

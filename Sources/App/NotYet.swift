import Configuration

/// What a configuration may ask for that this version reads and checks but does not do yet. Said at start and by `check`,
/// so that nobody waits for something that will not come.
enum NotYet {
    static func notes(_ settings: Settings) -> [String] {
        settings.webhooks.flatMap(webhook) + rest(settings)
    }

    private static func webhook(_ webhook: Settings.Webhook) -> [String] {
        var fields: [String] = []
        if webhook.mode != .structured { fields.append("mode: \(webhook.mode.rawValue)") }
        if webhook.order != .none { fields.append("order") }
        if webhook.rate != nil { fields.append("rate") }
        if webhook.batch > 1 { fields.append("batch") }
        if webhook.compress != .none { fields.append("compress") }
        if webhook.tls.certificate != nil { fields.append("tls.certificate") }
        if webhook.handshake { fields.append("handshake") }
        return fields.map { "webhook \(webhook.name): \($0) has no effect in this version" }
    }

    private static func rest(_ settings: Settings) -> [String] {
        var notes: [String] = []
        if settings.http != nil { notes.append("http: the API is not served in this version") }
        return notes
    }
}

/// What format 4 adds for webhook subscriptions.
///
///     retries.members   offsets of a batch that was frozen, `5,6,9`; null for an event alone
///     dead              also the answer's first bytes and the webhook-id it was sent under
///     sinks.expired     events that retention cut before they were settled
///     subscriptions     what each is, and how it stands; `sink` is the name of its row in `sinks`
///     attempts          failures, one row each, kept for seven days
///     successes         successes, many in a row (`SuccessChunk`): one small write instead of a thousand
///     closed            totals of accounts that `reset` or `DELETE` has closed
enum SubscriptionTables {
    static let script = """
        ALTER TABLE retries ADD COLUMN members TEXT;
        ALTER TABLE dead ADD COLUMN answer BLOB;
        ALTER TABLE dead ADD COLUMN webhook_id TEXT;
        CREATE INDEX dead_by_sink ON dead (sink, id);
        ALTER TABLE sinks ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE subscriptions (
            sink TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, url TEXT NOT NULL,
            is_configured INTEGER NOT NULL, settings TEXT NOT NULL,
            created INTEGER NOT NULL, changed INTEGER NOT NULL,
            state TEXT NOT NULL DEFAULT 'active', reason TEXT, since INTEGER, failing_since INTEGER,
            hold_until INTEGER, circuit_open INTEGER NOT NULL DEFAULT 0,
            consented TEXT, granted_rate REAL) WITHOUT ROWID;
        CREATE TABLE attempts (
            id INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, offset INTEGER NOT NULL,
            webhook_id TEXT NOT NULL, time INTEGER NOT NULL, attempt INTEGER NOT NULL, status INTEGER,
            duration INTEGER NOT NULL, class TEXT NOT NULL, reason TEXT NOT NULL, answer BLOB NOT NULL);
        CREATE INDEX attempts_by_sink ON attempts (sink, id);
        CREATE TABLE successes (
            id INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, count INTEGER NOT NULL, rows BLOB NOT NULL);
        CREATE INDEX successes_by_sink ON successes (sink, id);
        CREATE TABLE closed (
            id INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, subscription TEXT NOT NULL, name TEXT NOT NULL,
            closed INTEGER NOT NULL, cause TEXT NOT NULL, events INTEGER NOT NULL, delivered INTEGER NOT NULL,
            filtered INTEGER NOT NULL, dead INTEGER NOT NULL, open INTEGER NOT NULL, expired INTEGER NOT NULL);
        """
}

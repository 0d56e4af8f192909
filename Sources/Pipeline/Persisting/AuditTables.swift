/// What the account needs beyond the counts of each source: how many of its events retention has removed.
///
/// For a store that has lived before, that is what it has stored and does not hold any more.
enum AuditTables {
    static let schema = """

        ALTER TABLE sources ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
        UPDATE sources SET forgotten = stored + updated + deleted
            - (SELECT count(*) FROM events WHERE events.source = sources.id);
        """
}

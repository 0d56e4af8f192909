/// What the account needs beyond the counts of each source: how many of its events retention has removed, how many rows have
/// left quarantine, and how many of those were later revisions.
///
/// For a store that has lived before, that is what it has counted and does not hold any more.
enum AuditTables {
    static let schema = """

        ALTER TABLE sources ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
        UPDATE sources SET forgotten = stored + updated + deleted
            - (SELECT count(*) FROM events WHERE events.source = sources.id);
        """

    static let recovery = """

        ALTER TABLE sources ADD COLUMN released INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE sources ADD COLUMN recovered_updates INTEGER NOT NULL DEFAULT 0;
        UPDATE sources SET
            released = rejected - (SELECT count(*) FROM quarantine WHERE quarantine.source = sources.id),
            recovered_updates = CASE WHEN recovered > 0 THEN max(0, min(recovered,
                (SELECT coalesce(sum(revision - 1), 0) FROM dedup WHERE dedup.source = sources.id)
                - updated - deleted)) ELSE 0 END;
        """
}

/// The tables of the schedule over customers.
///
///     customers      one row per call that can be made: when it was last tried, when it is wanted next, what it gave
///     customer_ids   which calls a customer id leads to, for visits that know no more
///     records        the rows last seen alive, of kinds that tell deletions: what a deletion publishes
///
/// The next customer is the first entry of one of two indexes, however many there are.
enum CustomerTables {
    /// Times are milliseconds since 1970. `turn` 0 is never; `wanted` is null while nothing special is wanted; `pending` counts the records
    /// that were absent from the latest reading.
    static let schema = """

        CREATE TABLE customers (
            source INTEGER NOT NULL, key TEXT NOT NULL, turn INTEGER NOT NULL DEFAULT 0, read INTEGER,
            wanted INTEGER, failures INTEGER NOT NULL DEFAULT 0, pending INTEGER NOT NULL DEFAULT 0, reply BLOB,
            PRIMARY KEY (source, key)) WITHOUT ROWID;
        CREATE INDEX customers_by_turn ON customers (source, turn);
        CREATE INDEX customers_by_want ON customers (source, wanted) WHERE wanted IS NOT NULL;
        CREATE TABLE customer_ids (
            source INTEGER NOT NULL, customer INTEGER NOT NULL, key TEXT NOT NULL,
            PRIMARY KEY (source, customer, key)) WITHOUT ROWID;
        CREATE TABLE records (
            source INTEGER NOT NULL, first_id BLOB NOT NULL, key TEXT NOT NULL, identity TEXT NOT NULL,
            subject TEXT NOT NULL, data BLOB NOT NULL, absent INTEGER, misses INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (source, first_id));
        CREATE INDEX records_by_customer ON records (source, key);
        ALTER TABLE sources ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
        """
}

/// The tables behind the HTTP API.
///
///     tokens    who was given access through the API; the token itself is nowhere, only its hash
///     replays   ranges that are sent again: what was asked for, how far it is, and its account
///     changes   what was changed through the API, by whom and when: written in the transaction of the change itself
enum APITables {
    static let schema = """

        CREATE TABLE tokens (
            id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, hash BLOB NOT NULL UNIQUE,
            scope TEXT NOT NULL, created INTEGER NOT NULL);
        CREATE TABLE changes (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
            subject TEXT NOT NULL);
        CREATE TABLE replays (
            id TEXT PRIMARY KEY, target TEXT NOT NULL, first INTEGER NOT NULL, until INTEGER NOT NULL,
            types TEXT NOT NULL, rate REAL, topic TEXT, who TEXT NOT NULL, created INTEGER NOT NULL,
            state TEXT NOT NULL, position INTEGER NOT NULL, delivered INTEGER NOT NULL DEFAULT 0,
            filtered INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0,
            expired INTEGER NOT NULL DEFAULT 0, finished INTEGER, failure TEXT) WITHOUT ROWID;
        ALTER TABLE sources ADD COLUMN recovered INTEGER NOT NULL DEFAULT 0;
        """
}

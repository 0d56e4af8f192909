/// The tables behind the HTTP API.
///
///     tokens    who was given access through the API; the token itself is nowhere, only its hash
///     changes   what was changed through the API, by whom and when: written in the transaction of the change itself
enum APITables {
    static let schema = """

        CREATE TABLE tokens (
            id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, hash BLOB NOT NULL UNIQUE,
            scope TEXT NOT NULL, created INTEGER NOT NULL);
        CREATE TABLE changes (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
            subject TEXT NOT NULL);
        ALTER TABLE sources ADD COLUMN recovered INTEGER NOT NULL DEFAULT 0;
        """
}

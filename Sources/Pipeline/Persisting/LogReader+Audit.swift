import SQLite

extension LogReader {
    /// The account as of one commit.
    /// - Parameter thorough: also counts what the store holds; reads all events, and no more than their fronts.
    package func audit(thorough: Bool) throws(LogError) -> Audit {
        try atOneCommit { connection throws(DatabaseError) in
            try AccountReading(connection: connection, isThorough: thorough).audit()
        }
    }

    /// What is wrong with the store, one sentence each; empty for a sound one. Reads the whole store.
    package func problems() throws(LogError) -> [String] {
        try atOneCommit { connection throws(DatabaseError) in
            try StoreExamination(connection: connection).problems()
        }
    }
}

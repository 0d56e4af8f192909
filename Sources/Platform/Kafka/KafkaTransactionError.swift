import CRdKafka

/// Why a step of a transaction failed, and what librdkafka's manual says to do about it (INTRODUCTION.md, "Transactional
/// Producer"; the three questions of `rd_kafka_error_t`).
package struct KafkaTransactionError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// The same call may be made again.
        case retriable
        /// The transaction cannot be committed any more: abort it, and begin anew.
        case abortable
        /// Another producer with the same transactional id has taken over: this one must not go on.
        case fenced
        /// The producer is unusable from now on; a new one may work.
        case fatal
        /// Refused for what it is: no rights, a wrong state. Trying again is all that is left.
        case other
    }

    package let kind: Kind
    package let doing: String
    /// The library's own text; never a record's bytes.
    package let cause: String

    package init(_ kind: Kind, doing: String, cause: String) {
        (self.kind, self.doing, self.cause) = (kind, doing, cause)
    }

    package var description: String { "\(doing): \(cause)" }

    /// Takes the error over and lets it go.
    /// - Parameter fatal: why the producer has failed for good before; no error when it has not.
    init(taking error: OpaquePointer, fatal: rd_kafka_resp_err_t, doing: String) {
        defer { rd_kafka_error_destroy(error) }
        self.doing = doing
        cause = String(cString: rd_kafka_error_string(error))
        kind =
            if Self.isFenced(rd_kafka_error_code(error)) || Self.isFenced(fatal) {
                .fenced
            } else if rd_kafka_error_is_fatal(error) != 0 || fatal != RD_KAFKA_RESP_ERR_NO_ERROR {
                .fatal
            } else if rd_kafka_error_txn_requires_abort(error) != 0 {
                .abortable
            } else if rd_kafka_error_is_retriable(error) != 0 {
                .retriable
            } else {
                .other
            }
    }

    private static func isFenced(_ code: rd_kafka_resp_err_t) -> Bool {
        [
            RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
            RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
        ].contains(code)
    }
}

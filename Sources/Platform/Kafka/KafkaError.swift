import CRdKafka

/// What librdkafka or a broker refused. The cause is the library's own text; it never holds a record's bytes.
package struct KafkaError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// A property that librdkafka does not know or does not accept.
        case configuration
        /// The local queue is full: wait for reports and try again.
        case queueFull
        /// The record itself is refused for good: too large, or invalid.
        case record
        /// Dropped from the queue on request, before it was acknowledged.
        case purged
        /// The handle is unusable from now on (idempotence lost, fenced).
        case fatal
        case timedOut
        /// Anything else; trying again may help.
        case other(Int32)
    }

    package let kind: Kind
    package let doing: String
    package let cause: String

    package init(_ kind: Kind, doing: String, cause: String) {
        (self.kind, self.doing, self.cause) = (kind, doing, cause)
    }

    package var description: String { "\(doing): \(cause)" }

    init(_ code: rd_kafka_resp_err_t, doing: String) {
        self.doing = doing
        cause = String(cString: rd_kafka_err2str(code))
        kind =
            switch code {
            case RD_KAFKA_RESP_ERR__QUEUE_FULL: .queueFull
            case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_RECORD,
                RD_KAFKA_RESP_ERR_INVALID_MSG, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
                .record
            case RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT: .purged
            case RD_KAFKA_RESP_ERR__FATAL: .fatal
            case RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT: .timedOut
            default: .other(code.rawValue)
            }
    }
}

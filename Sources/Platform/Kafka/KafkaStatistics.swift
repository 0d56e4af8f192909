import Foundation

/// The few of librdkafka's figures that tell how a producer is doing (STATISTICS.md).
package struct KafkaStatistics: Sendable, Equatable {
    /// Handed over and not reported yet.
    package let queuedRecords: Int
    package let queuedBytes: Int
    /// Brokers of the cluster, by whether there is a connection. One that was never needed is neither.
    package let brokersUp: Int
    package let brokersDown: Int

    /// - Throws: what is wrong with the text.
    init(json: Data) throws {
        let text = try JSONDecoder().decode(Text.self, from: json)
        (queuedRecords, queuedBytes) = (text.records, text.bytes)
        // Configured addresses have no id before they are known as brokers; coordinators are connections of their own to
        // brokers that are counted already.
        let brokers = text.brokers.values.filter { $0.nodeid >= 0 && $0.source != "logical" }
        let states = brokers.map(\.state)
        brokersUp = states.count { $0 == "UP" || $0 == "UPDATE" }
        brokersDown = states.count { $0 == "DOWN" || $0.hasPrefix("TRY_") || $0 == "CONNECT" }
    }

    private struct Text: Decodable {
        struct Broker: Decodable {
            let nodeid: Int
            let source: String
            let state: String
        }

        enum CodingKeys: String, CodingKey {
            case records = "msg_cnt"
            case bytes = "msg_size"
            case brokers
        }

        let records: Int
        let bytes: Int
        let brokers: [String: Broker]
    }
}

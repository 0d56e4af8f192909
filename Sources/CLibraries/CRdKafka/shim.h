#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

/* rd_kafka_producev takes its arguments as a variadic list, which Swift does not import. */
static inline rd_kafka_resp_err_t millrace_rd_kafka_produce(
    rd_kafka_t *producer, const char *topic, const void *key, size_t key_length,
    const void *value, size_t value_length, rd_kafka_headers_t *headers, void *opaque) {
    return rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(key, key_length),
        RD_KAFKA_V_VALUE((void *)value, value_length), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
}

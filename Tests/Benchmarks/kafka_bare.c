/* The least that can be done with librdkafka, for Tests/Benchmarks/kafka.py.
 *
 *   kafka_bare mock TOPIC=PARTITIONS...        a mock cluster; prints its brokers, ends with its standard input
 *   kafka_bare produce BROKERS FILE TOPIC N    produces FILE's records from memory, N in a transaction (0: idempotent only),
 *                                              and prints the seconds until all were acknowledged
 *   kafka_bare await BROKERS TOPIC N           waits until N records have come to the topic and prints how many came, in how many
 *                                              seconds, after the first were seen
 *
 * FILE: for each record the lengths of key and value (4 bytes each, this machine's order), the key, the value.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long failed;

static void die(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char text[512];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) die(name, text);
}

static void report(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque) {
    (void)producer, (void)opaque;
    if (message->err) failed++;
}

static void *serve(void *producer) {
    for (;;) rd_kafka_poll(producer, 1000);
    return NULL;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static int mock(int count, char **topics) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "log_level", "0");
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(handle, 1);
    for (int place = 0; place < count; place++) {
        char *partitions = strchr(topics[place], '=');
        *partitions++ = 0;
        rd_kafka_mock_topic_create(cluster, topics[place], atoi(partitions), 1);
    }
    printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);
    while (getchar() != EOF) {}
    return 0;
}

static void finish(rd_kafka_error_t *error, const char *what) {
    if (error) die(what, rd_kafka_error_string(error));
}

static int produce(const char *brokers, const char *path, const char *topic, long each) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path, "cannot be opened");
    fseek(file, 0, SEEK_END);
    size_t size = ftell(file);
    rewind(file);
    char *bytes = malloc(size), text[512];
    if (fread(bytes, 1, size, file) != size) die(path, "cannot be read");

    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    set(conf, "partitioner", "murmur2_random");
    set(conf, "enable.idempotence", "true");
    if (each) set(conf, "transactional.id", "millrace.bare");
    rd_kafka_conf_set_dr_msg_cb(conf, report);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!producer) die("producer", text);
    if (each) finish(rd_kafka_init_transactions(producer, 30000), "init");
    pthread_t thread;
    pthread_create(&thread, NULL, serve, producer);

    double begun = now();
    long records = 0;
    for (char *place = bytes; place < bytes + size; records++) {
        uint32_t lengths[2];
        memcpy(lengths, place, sizeof lengths);
        char *key = place + sizeof lengths, *value = key + lengths[0];
        place = value + lengths[1];
        if (each && records % each == 0) {
            if (records) finish(rd_kafka_commit_transaction(producer, -1), "commit");
            finish(rd_kafka_begin_transaction(producer), "begin");
        }
        rd_kafka_headers_t *headers = rd_kafka_headers_new(3);
        rd_kafka_header_add(headers, "content-type", -1, "application/cloudevents+json; charset=UTF-8", -1);
        /* The one encoding begins with {"id":" and the id's thirty characters. */
        rd_kafka_header_add(headers, "ce_id", -1, value + 7, 30);
        rd_kafka_header_add(headers, "ce_type", -1, "visit.recorded", -1);
        rd_kafka_resp_err_t code = rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(key, lengths[0]), RD_KAFKA_V_VALUE(value, lengths[1]),
            RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK),
            RD_KAFKA_V_END);
        if (code) die("produce", rd_kafka_err2str(code));
    }
    if (each) finish(rd_kafka_commit_transaction(producer, -1), "commit");
    rd_kafka_flush(producer, 60000);
    printf("%ld %f\n", records, now() - begun);
    if (failed) die("produce", "records failed");
    return 0;
}

/* How many records have come: the mock drops old ones, so their number would not do. */
static long come(rd_kafka_t *handle, const char *topic, int partitions) {
    long sum = 0;
    for (int partition = 0; partition < partitions; partition++) {
        int64_t low = 0, high = 0;
        if (!rd_kafka_query_watermark_offsets(handle, topic, partition, &low, &high, 5000)) sum += high;
    }
    return sum;
}

static int await(const char *brokers, const char *topic, long wanted) {
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!handle) die("consumer", text);
    long first, count;
    double begun = now();
    while (!(first = count = come(handle, topic, 6)))
        if (now() - begun > 60) die(topic, "no record in a minute");
    begun = now();
    while (count < wanted) {
        usleep(5000);
        count = come(handle, topic, 6);
        if (now() - begun > 600) die(topic, "not all records in ten minutes");
    }
    printf("%ld %f\n", count - first, now() - begun);
    return 0;
}

int main(int count, char **words) {
    if (count > 2 && !strcmp(words[1], "mock")) return mock(count - 2, words + 2);
    if (count == 6 && !strcmp(words[1], "produce")) return produce(words[2], words[3], words[4], atol(words[5]));
    if (count == 5 && !strcmp(words[1], "await")) return await(words[2], words[3], atol(words[4]));
    die("usage", "kafka_bare mock TOPIC=PARTITIONS... | produce BROKERS FILE TOPIC N | await BROKERS TOPIC N");
}

#define _GNU_SOURCE
#include "bench_ends.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct connection {
    struct connection *next;
    int descriptor;
    size_t used;
    char bytes[64 * 1024];
} connection;

struct bench_receiver {
    int listener, port, epoll, wake;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    long count, awaited;
    connection *connections;
};

static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";

/* The length of the first whole request in the buffer; 0 when there is none yet. */
static size_t whole_request(const connection *c) {
    const char *end = memmem(c->bytes, c->used, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = (size_t)(end - c->bytes) + 4, body = 0;
    const char *line = c->bytes;
    while (line < end) {
        const char *next = memchr(line, '\n', (size_t)(end + 2 - line));
        if (!next) break;
        if (next - line > 15 && strncasecmp(line, "content-length:", 15) == 0) body = strtoul(line + 15, NULL, 10);
        line = next + 1;
    }
    return c->used >= head + body ? head + body : 0;
}

static void counted(bench_receiver *r, long requests) {
    pthread_mutex_lock(&r->lock);
    r->count += requests;
    int is_reached = r->awaited > 0 && r->count >= r->awaited;
    pthread_mutex_unlock(&r->lock);
    if (is_reached) pthread_cond_broadcast(&r->changed);
}

/* 0 when the connection is over. */
static int serve(bench_receiver *r, connection *c) {
    ssize_t got = recv(c->descriptor, c->bytes + c->used, sizeof c->bytes - c->used, 0);
    if (got <= 0) return 0;
    c->used += (size_t)got;
    long requests = 0;
    for (size_t length; (length = whole_request(c)) > 0;) {
        memmove(c->bytes, c->bytes + length, c->used - length);
        c->used -= length;
        if (send(c->descriptor, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0) return 0;
        requests++;
    }
    if (requests > 0) counted(r, requests);
    return 1;
}

static void welcome(bench_receiver *r) {
    int descriptor = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection *c = calloc(1, sizeof *c);
    c->descriptor = descriptor;
    c->next = r->connections;
    r->connections = c;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(r->epoll, EPOLL_CTL_ADD, descriptor, &event);
}

static void *loop(void *context) {
    bench_receiver *r = context;
    struct epoll_event events[64];
    while (1) {
        int count = epoll_wait(r->epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &r->wake) return NULL;
            if (events[i].data.ptr == r) {
                welcome(r);
            } else {
                connection *c = events[i].data.ptr;
                if (c->descriptor >= 0 && !serve(r, c)) {
                    close(c->descriptor);
                    c->descriptor = -1;
                }
            }
        }
    }
}

bench_receiver *bench_receiver_start(void) {
    bench_receiver *r = calloc(1, sizeof *r);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (r->listener < 0 || bind(r->listener, (struct sockaddr *)&address, length) != 0 ||
        listen(r->listener, 1024) != 0 || getsockname(r->listener, (struct sockaddr *)&address, &length) != 0)
        return NULL;
    r->port = ntohs(address.sin_port);
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    r->wake = eventfd(0, EFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = r};
    epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->listener, &event);
    event.data.ptr = &r->wake;
    epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->wake, &event);
    pthread_create(&r->thread, NULL, loop, r);
    return r;
}

int bench_receiver_port(bench_receiver *r) { return r->port; }

long bench_receiver_count(bench_receiver *r) {
    pthread_mutex_lock(&r->lock);
    long count = r->count;
    pthread_mutex_unlock(&r->lock);
    return count;
}

int bench_receiver_wait(bench_receiver *r, long count) {
    int code = 0;
    pthread_mutex_lock(&r->lock);
    r->awaited = count;
    while (r->count < count && code == 0) {
        long before = r->count;
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 60;
        if (pthread_cond_timedwait(&r->changed, &r->lock, &until) != 0 && r->count == before) code = -1;
    }
    r->awaited = 0;
    pthread_mutex_unlock(&r->lock);
    return code;
}

void bench_receiver_stop(bench_receiver *r) {
    uint64_t one = 1;
    if (write(r->wake, &one, sizeof one) != sizeof one) abort();
    pthread_join(r->thread, NULL);
    while (r->connections) {
        connection *c = r->connections;
        r->connections = c->next;
        if (c->descriptor >= 0) close(c->descriptor);
        free(c);
    }
    close(r->listener);
    close(r->epoll);
    close(r->wake);
    free(r);
}

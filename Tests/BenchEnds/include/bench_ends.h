#ifndef BENCH_ENDS_H
#define BENCH_ENDS_H

#include <stddef.h>

/* What stands at both ends of a delivery when nothing of the relay is there. */

/* A receiver on loopback that answers every POST with 204: one thread, epoll. */
typedef struct bench_receiver bench_receiver;
bench_receiver *bench_receiver_start(void);
int bench_receiver_port(bench_receiver *receiver);
/* Blocks until so many requests have been answered since the start; -1 when none came for a minute. */
int bench_receiver_wait(bench_receiver *receiver, long count);
long bench_receiver_count(bench_receiver *receiver);
void bench_receiver_stop(bench_receiver *receiver);

/* Sends `count` POSTs of the same bytes, with headers of the size of a webhook's, through one curl multi handle that keeps
 * `concurrency` of them under way. Returns the seconds it took; negative on a failure. */
double bench_bare_posts(int port, int concurrency, long count, const void *body, size_t length);

#endif

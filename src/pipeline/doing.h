/* SPDX-License-Identifier: Apache-2.0
 *
 * doing.h - what the control thread waits for, where the loop thread can see it.
 * In: words, from whoever waits. Out: the same, and since when.
 * Owns: copies of the words.  Thread: any; a mutex.
 * Keeps: no step of a start, of a record of the leader or of an end can last in silence: the loop
 *        says it (control_watch). */
#ifndef WALPOST_PIPELINE_DOING_H
#define WALPOST_PIPELINE_DOING_H

#include <pthread.h>
#include <stdint.h>

struct doing {
    pthread_mutex_t mutex;
    const char *what; /* "Kafka: ..."; NULL: nothing that could last */
    int64_t since_us;
    char trouble[640];
    char remedy[640];
};

struct error;

void doing_init(struct doing *doing);
void doing_release(struct doing *doing);

/* A step begins; the trouble of the one before is over. what stays the caller's, and for ever;
 * NULL: nothing is waited for. doing may be NULL, here and below. */
void doing_set(struct doing *doing, const char *what);
/* Why it takes so long, as far as it is known. */
void doing_trouble(struct doing *doing, const char *trouble, const char *remedy);

/* A copy, for the loop. */
struct doing_look {
    const char *what;
    int64_t since_us;
    char trouble[640];
    char remedy[640];
};
void doing_look(struct doing *doing, struct doing_look *look);

#endif

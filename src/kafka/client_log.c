/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/client_log.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "kafka/client.h"

enum { REMEMBERED = 32, SILENCE_US = 10 * 1000 * 1000 };

struct said {
    uint64_t hash;
    int64_t at_us;
};

struct client_log {
    const struct log *log;
    pthread_mutex_t mutex;
    struct said said[REMEMBERED]; /* by hash modulo; a collision only says something twice */
};

struct client_log *client_log_new(const struct log *log)
{
    struct client_log *made = must_calloc(1, sizeof(*made));
    made->log = log;
    pthread_mutex_init(&made->mutex, NULL);
    return made;
}

void client_log_free(struct client_log *log)
{
    if (log != NULL) {
        pthread_mutex_destroy(&log->mutex);
        free(log);
    }
}

/* FNV-1a over everything but digits. */
static uint64_t hash_words(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++) {
        if (!isdigit((unsigned char)*text)) {
            hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
        }
    }
    return hash;
}

static bool said_before(struct client_log *log, const char *facility, const char *text,
                        int64_t now_us)
{
    uint64_t hash = hash_words(hash_words(UINT64_C(14695981039346656037), facility), text);
    pthread_mutex_lock(&log->mutex);
    struct said *said = &log->said[hash % REMEMBERED];
    bool before = said->hash == hash && now_us - said->at_us < SILENCE_US;
    if (!before) {
        *said = (struct said){hash, now_us};
    }
    pthread_mutex_unlock(&log->mutex);
    return before;
}

/* A lost connection is an ERR to librdkafka and everyday life to us, and "fenced" is what a
 * successor does to its ancestor: what matters comes as a verdict as well, so nothing is more than
 * a warning here. Ids that are not free at once (GETPID) belong to every take-over, and what ends
 * a client (TXNERR, FATAL) always comes back from a call, in the user's words. */
static enum log_level level_of(int syslog_level, const char *facility)
{
    static const char *const told_elsewhere[] = {"GETPID", "TXNERR", "FATAL"};
    for (size_t i = 0; i < ARRAY_LEN(told_elsewhere); i++) {
        if (strcmp(facility, told_elsewhere[i]) == 0) {
            return LOG_DEBUG;
        }
    }
    if (syslog_level >= 7) {
        return LOG_DEBUG;
    }
    return syslog_level >= 5 ? LOG_INFO : LOG_WARN;
}

void client_log_line(struct client_log *log, int level, const char *client, const char *facility,
                     const char *text, int64_t now_us)
{
    if (log == NULL || log->log == NULL) {
        return;
    }
    /* One kafka: section serves producers and readers: what one of them ignores is no news. */
    if (strcmp(facility, "CONFWARN") == 0 || said_before(log, facility, text, now_us)) {
        return;
    }
    log_write(log->log, level_of(level, facility), client_plain_text(text),
              F_TEXT("client", client), F_TEXT("facility", facility));
}

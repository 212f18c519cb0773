/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/complaint.h"

#include <stddef.h>
#include <string.h>

static void erase(char *from, const char *to)
{
    memmove(from, to, strlen(to) + 1);
}

/* "ssl://db1:9092/bootstrap: words" to "db1:9092: words". Returns where the words begin. */
static char *shorten_broker(char *text)
{
    char *scheme = strstr(text, "://");
    if (scheme != NULL && scheme < text + strcspn(text, " ")) {
        erase(text, scheme + 3);
    }
    char *slash = text + strcspn(text, "/ ");
    const char *colon = strstr(slash, ": ");
    if (*slash != '/' || colon == NULL) {
        return text;
    }
    erase(slash, colon);
    return slash + 2;
}

/* "error:0A000126:SSL routines::unexpected eof while reading" to "unexpected eof while reading". */
static void shorten_openssl(char *words)
{
    enum { FIELDS = 4 };
    char *begin = strstr(words, "error:");
    const char *at = begin;
    for (int i = 0; at != NULL && i < FIELDS; i++) {
        at = strchr(at, ':');
        at += at != NULL;
    }
    if (at != NULL) {
        erase(begin, at);
    }
}

void complaint_shorten(char *text)
{
    static const struct {
        const char *begin, *end;
    } preludes[] = {{"Failed to resolve '", "': "}, {"Connect to ", " failed: "}};
    char *words = shorten_broker(text);
    for (size_t i = 0; i < sizeof(preludes) / sizeof(preludes[0]); i++) {
        const char *end = strstr(words, preludes[i].end);
        if (end != NULL && strncmp(words, preludes[i].begin, strlen(preludes[i].begin)) == 0) {
            erase(words, end + strlen(preludes[i].end));
        }
    }
    shorten_openssl(words);
    char *broker = strstr(words, "Broker: "); /* the client's mark of an error code */
    if (broker != NULL) {
        erase(broker, broker + strlen("Broker: "));
    }
    char *statistics = strstr(words, " (after ");
    if (statistics != NULL) {
        *statistics = '\0';
    }
}

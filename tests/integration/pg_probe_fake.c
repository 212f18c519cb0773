/* SPDX-License-Identifier: Apache-2.0 */
#include <endian.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "pg_probe.h"

/* One connection: the startup packet is read, `greeting` sent; then a query is read, `answer` sent;
 * then it hangs up. */
struct fake {
    int listener;
    int port;
    struct bytes greeting, answer;
    pthread_t thread;
};

static void read_some(int fd)
{
    char ignored[4096];
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, 3000) > 0) {
        (void)!read(fd, ignored, sizeof(ignored));
    }
}

static void *serve(void *argument)
{
    struct fake *fake = argument;
    int fd = accept(fake->listener, NULL, NULL);
    read_some(fd);
    (void)!write(fd, fake->greeting.data, fake->greeting.len);
    if (fake->answer.len > 0) {
        read_some(fd);
        (void)!write(fd, fake->answer.data, fake->answer.len);
        read_some(fd); /* until the other side has gone */
    }
    close(fd);
    return NULL;
}

static void fake_start(struct fake *fake)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(bind(fake->listener, (struct sockaddr *)&address, sizeof(address)) == 0);
    check(listen(fake->listener, 1) == 0);
    check(getsockname(fake->listener, (struct sockaddr *)&address, &size) == 0);
    fake->port = ntohs(address.sin_port);
    check(pthread_create(&fake->thread, NULL, serve, fake) == 0);
}

static void fake_end(struct fake *fake)
{
    pthread_join(fake->thread, NULL);
    close(fake->listener);
}

static enum verdict fake_open(const struct fake *fake, bool replication, const char *sslmode,
                              struct link **link, struct error *error)
{
    char dsn[128];
    snprintf(dsn, sizeof(dsn),
             "host=127.0.0.1 port=%d user=walpost dbname=shop password=secret sslmode=%s",
             fake->port, sslmode);
    struct link_options options = {
        .dsn = dsn, .replication = replication, .connect_timeout_ms = 3000};
    return link_open(&options, link, error);
}

/* --- messages of a server --- */

struct wire {
    char text[1024];
    size_t len;
};

static void put(struct wire *wire, char kind, const char *body, size_t length)
{
    uint32_t size = htobe32((uint32_t)length + 4);
    check(wire->len + 5 + length <= sizeof(wire->text));
    wire->text[wire->len++] = kind;
    memcpy(wire->text + wire->len, &size, 4);
    memcpy(wire->text + wire->len + 4, body, length);
    wire->len += 4 + length;
}

#define PUT(wire, kind, literal) put(wire, kind, literal, sizeof(literal) - 1)

static void put_greeting(struct wire *wire)
{
    PUT(wire, 'R', "\0\0\0\0");
    PUT(wire, 'S', "server_version\00015.1\0");
    PUT(wire, 'S', "DateStyle\0ISO, MDY\0");
    PUT(wire, 'S', "TimeZone\0UTC\0");
    PUT(wire, 'S', "default_transaction_read_only\0off\0");
    PUT(wire, 'S', "in_hot_standby\0off\0");
    PUT(wire, 'K', "\0\0\0\1\0\0\0\2");
    PUT(wire, 'Z', "I");
}

/* The reason is told by SQLSTATE and by the server's function, in whatever language it speaks. */
static void speaks_german(struct probe *probe, const char *body, size_t length, bool replication,
                          const char *what, const char *remedy)
{
    struct wire wire = {.len = 0};
    put(&wire, 'E', body, length);
    struct fake fake = {.greeting = {wire.text, wire.len}};
    fake_start(&fake);
    struct link *link = NULL;
    struct error error = {.verdict = OK};
    (void)!fake_open(&fake, replication, "disable", &link, &error);
    probe_error(probe, &error, FATAL, what, remedy);
    fake_end(&fake);
}

#define ERROR_BODY(code, words, function) \
    "SFATAL\0VFATAL\0C" code "\0M" words "\0Fauth.c\0L1\0R" function "\0"
#define GERMAN(probe, code, words, function, replication, what, remedy) \
    speaks_german(probe, ERROR_BODY(code, words, function),             \
                  sizeof(ERROR_BODY(code, words, function)), replication, what, remedy)

static void languages(struct probe *probe)
{
    GERMAN(probe, "28P01", "Passwort-Authentifizierung f\303\274r Benutzer fehlgeschlagen",
           "auth_failed", false, "does not accept the password of role \"walpost\"", "~/.pgpass");
    GERMAN(probe, "28000", "kein pg_hba.conf-Eintrag f\303\274r Host \302\2731.2.3.4\302\253",
           "ClientAuthentication", true, "by its pg_hba.conf", "host shop walpost ADDRESS/32");
    GERMAN(probe, "42501", "keine Berechtigung:  58P01: WAL-Sender zu starten", "InitPostgres",
           true, "may not replicate", "ALTER ROLE \"walpost\" REPLICATION;");
    GERMAN(probe, "42501", "keine Berechtigung f\303\274r Datenbank", "CheckMyDatabase", true,
           "may not connect to database", "GRANT CONNECT");
}

static void knows_no_tls(struct probe *probe)
{
    struct fake fake = {.greeting = BYTES_LIT("N")};
    fake_start(&fake);
    struct link *link = NULL;
    struct error error = {.verdict = OK};
    (void)!fake_open(&fake, false, "require", &link, &error);
    probe_error(probe, &error, FATAL, "no secure connection", "sslmode");
    fake_end(&fake);
}

/* What is in CopyData is measured before it is read. */
static void garbled(struct probe *probe, const char *data, size_t length, const char *what)
{
    struct wire greeting = {.len = 0}, answer = {.len = 0};
    put_greeting(&greeting);
    PUT(&answer, 'W', "\0\0\0");
    put(&answer, 'd', data, length);
    struct fake fake = {.greeting = {greeting.text, greeting.len},
                        .answer = {answer.text, answer.len}};
    fake_start(&fake);
    struct link *link = NULL;
    struct error error = {.verdict = OK};
    struct stream_options options = {.slot = "s", .publication = "p"};
    SHOW(fake_open(&fake, true, "disable", &link, &error) == OK);
    SHOW(stream_start(link, &options, &error) == OK);
    struct stream_message message;
    enum verdict verdict;
    while ((verdict = stream_next(link, &message, &error)) == AGAIN &&
           stream_read(link, &error) == OK) {
        usleep(1000);
    }
    SHOW(verdict == RETRY && !link_alive(link));
    probe_error(probe, &error, RETRY, what, "");
    link_close(link);
    fake_end(&fake);
}

#define GARBLED(probe, literal, what) garbled(probe, literal, sizeof(literal) - 1, what)

void probe_fake(struct probe *probe)
{
    languages(probe);
    knows_no_tls(probe);
    GARBLED(probe, "w", "kind 0x77");
    GARBLED(probe, "w12345678123456781234567", "kind 0x77");
    GARBLED(probe, "k1234567812345678", "kind 0x6b");
    GARBLED(probe, "?", "kind 0x3f");
}

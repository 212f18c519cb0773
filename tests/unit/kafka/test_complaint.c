/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/macros.h"
#include "kafka/complaint.h"

Test(complaint, who_complains_and_the_reason_are_left)
{
    static const struct {
        const char *said, *left;
    } table[] = {
        {"db1:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after 0ms "
         "in state CONNECT, 1 identical error(s) suppressed)",
         "db1:9092: Connection refused"},
        {"db1:9092/bootstrap: Failed to resolve 'db1:9092': Name or service not known (after 3ms "
         "in "
         "state CONNECT)",
         "db1:9092: Name or service not known"},
        {"ssl://db1:9092/1: SSL handshake failed: error:0A000126:SSL routines::unexpected eof "
         "while "
         "reading (after 5ms in state SSL_HANDSHAKE)",
         "db1:9092: SSL handshake failed: unexpected eof while reading"},
        {"sasl_plaintext://[::1]:9092/bootstrap: SASL authentication error: no",
         "[::1]:9092: SASL authentication error: no"},
        {"db1:9092/1: SASL PLAIN mechanism handshake failed: Broker: Request not valid in current "
         "SASL state: broker's supported mechanisms:  (after 1ms in state AUTH_HANDSHAKE)",
         "db1:9092: SASL PLAIN mechanism handshake failed: Request not valid in current SASL "
         "state: "
         "broker's supported mechanisms: "},
        {"1/1 brokers are down", "1/1 brokers are down"},
        {"error:", "error:"},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char text[256];
        snprintf(text, sizeof(text), "%s", table[i].said);
        complaint_shorten(text);
        cr_expect_str_eq(text, table[i].left);
    }
}

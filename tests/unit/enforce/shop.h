/* SPDX-License-Identifier: Apache-2.0
 *
 * shop.h - a folder of contracts, and events behind exactly the room that the encoder asked for.
 * In -> out: a payload -> an event, and what a gate says of it.
 * Owns: the folder, until shop_close; contracts, encoder, gate and the present event.
 * Thread: the test's own. */
#ifndef WALPOST_TESTS_UNIT_ENFORCE_SHOP_H
#define WALPOST_TESTS_UNIT_ENFORCE_SHOP_H

#include "config/config.h"
#include "enforce/contracts.h"

struct shop {
    char folder[64];
    struct config config;
    struct encoder *encoder;
    struct contracts *contracts;
    struct gate *gate;
    atomic_bool stop;

    struct segment segment;
    struct event event;
    char *memory; /* of the event, as the loop would have made it */
    enum dead_reason reason;
    struct error error;
};

/* Order.Placed v1 and v2, Order.Shipped v1, and Sensor.Measured v1, which outgrows its JSON. */
void shop_init(struct shop *shop);
void shop_write(const struct shop *shop, const char *name, const char *text);
/* With the configuration as it is now. */
void shop_open(struct shop *shop, enum contracts_use use);
void shop_close(struct shop *shop);

/* Another event, held to its contract. version may be NULL. */
enum verdict shop_hold(struct shop *shop, const char *type, const char *version,
                       struct bytes payload);

/* Its record, made twice: a replay of the batch must give the same. It lasts until the next event.
 */
const struct record *shop_record(struct shop *shop);

#endif

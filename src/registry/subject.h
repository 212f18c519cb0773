/* SPDX-License-Identifier: Apache-2.0
 *
 * subject.h - under which name a registry keeps the schemas of an event type.
 * In -> out: a strategy, a topic, the full name of a message -> a subject.
 * Owns: nothing.  Thread: any; pure.
 * Keeps: the three strategies of Confluent's serializers: topic: <topic>-value; record: the full
 *        name of the message; topic_record: <topic>-<full name>. */
#ifndef WALPOST_REGISTRY_SUBJECT_H
#define WALPOST_REGISTRY_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

/* A topic has up to 249 letters. */
enum { SUBJECT_SIZE = 1024 };

/* What a strategy needs; what it does not may be NULL. */
static inline bool subject_needs_topic(enum subject_strategy strategy)
{
    return strategy != SUBJECT_RECORD;
}
static inline bool subject_needs_record(enum subject_strategy strategy)
{
    return strategy != SUBJECT_TOPIC;
}

/* False: it does not fit, or something is empty. */
bool subject_name(enum subject_strategy strategy, const char *topic, const char *record,
                  char subject[static SUBJECT_SIZE]);

#endif

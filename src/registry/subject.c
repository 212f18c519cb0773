/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/subject.h"

#include <stdio.h>

bool subject_name(enum subject_strategy strategy, const char *topic, const char *record,
                  char subject[static SUBJECT_SIZE])
{
    if ((subject_needs_topic(strategy) && topic[0] == '\0') ||
        (subject_needs_record(strategy) && record[0] == '\0')) {
        return false;
    }
    int length = 0;
    switch (strategy) {
    case SUBJECT_TOPIC: length = snprintf(subject, SUBJECT_SIZE, "%s-value", topic); break;
    case SUBJECT_RECORD: length = snprintf(subject, SUBJECT_SIZE, "%s", record); break;
    case SUBJECT_TOPIC_RECORD:
        length = snprintf(subject, SUBJECT_SIZE, "%s-%s", topic, record);
        break;
    }
    return length > 0 && length < SUBJECT_SIZE;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox/event.h"

const char *dead_reason_name(enum dead_reason reason)
{
    switch (reason) {
    case DEAD_NOT: return "none";
    case DEAD_INVALID_EVENT: return "invalid_event";
    case DEAD_RECORD_TOO_LARGE: return "record_too_large";
    case DEAD_MISSING_TOPIC: return "missing_topic";
    case DEAD_PROCESSING_FAILED: return "processing_failed";
    case DEAD_SCHEMA_VALIDATION_FAILED: return "schema_validation_failed";
    case DEAD_UNMARSHAL_FAILED: return "unmarshal_failed";
    case DEAD_UNKNOWN_EVENT_TYPE: return "unknown_event_type";
    }
    return "unknown";
}

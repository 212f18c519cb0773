/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox_config.h"

struct config outbox_config(void)
{
    return (struct config){
        .outbox =
            {
                .schema_name = "public",
                .table_name = "outbox_events",
                .columns =
                    {
                        .id = "id",
                        .aggregate_id = "aggregate_id",
                        .event_type = "event_type",
                        .payload = "payload",
                        .status = "status",
                        .created_at = "created_at",
                        .traceparent = "traceparent",
                        .tracestate = "tracestate",
                        .schema_version = "schema_version",
                        .headers = "headers",
                    },
                .message_prefix = "walpost",
            },
    };
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "mock.h"

/* A certificate that is being replaced, for example, is seen when the id is taken again. */
Test(reopen, a_client_that_cannot_be_opened_again_is_closed_all_the_same, .timeout = 60)
{
    struct mock mock;
    struct error error;
    mock_start(&mock, 1);
    struct producer *producer = mock_producer(&mock, "id");
    mock_set(&mock, "linger.ms", "5"); /* walpost's own */
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(kafka_producer_fence(producer, MOCK_TIMEOUT_MS, &error), INVALID);
    }
    mock.config.kafka.count--;
    cr_expect_eq(kafka_producer_fence(producer, MOCK_TIMEOUT_MS, &error), OK, "%s", error.what);
    mock_set(&mock, "linger.ms", "5");
    cr_expect_eq(kafka_producer_fence(producer, MOCK_TIMEOUT_MS, &error), INVALID);
    producer->ops->close(producer);
    mock_stop(&mock);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "kafka/producer_state.h"
#include "mock.h"

Test(lost_transaction, I3_what_the_client_does_not_know_is_RESTART, .timeout = 60)
{
    struct mock mock;
    struct error error;
    mock_start(&mock, 1);
    struct producer *producer = mock_producer(&mock, "id");
    kafka_producer_of(producer)->in_transaction = true;
    cr_assert_eq(producer->ops->abort(producer, &error), RESTART, "%s", error.what);
    cr_expect(strstr(error.what, "whether it was committed is not known") != NULL, "%s",
              error.what);
    /* The client has an empty one now: its end says nothing of ours. */
    cr_expect_eq(producer->ops->commit(producer, &error), RESTART);
    cr_expect_eq(producer->ops->abort(producer, &error), RESTART);
    cr_expect_eq(producer->ops->begin(producer, &error), RESTART);
    cr_assert_eq(kafka_producer_fence(producer, MOCK_TIMEOUT_MS, &error), OK, "%s", error.what);
    cr_expect_eq(mock_batch(producer, "events", "value", &error), OK, "%s", error.what);
    producer->ops->close(producer);
    mock_stop(&mock);
}

# SPDX-License-Identifier: Apache-2.0
"""A row whose event became a dead letter in the lane is DEAD and stays, wherever walpost is killed:
to Kafka it is as committed as the others, and what is left out at a start is marked all the same."""

import pytest

from support.stream import TABLE

TOO_LARGE = 2 * 2**20  # more than Kafka's default max.message.bytes


def insert_around_a_large_one(stream):
    """Three rows in one transaction; the ids."""
    rows = stream.execute(
        f"insert into {TABLE} (aggregate_id, event_type, payload) select 'k', 'Order.ItemAdded', "
        "jsonb_build_object('text', repeat('x', n)) from unnest(%s) n returning id::text",
        ([1, TOO_LARGE, 1],),
    )
    return [row[0] for row in rows]


@pytest.mark.quick
@pytest.mark.parametrize("after_publish", ["mark", "delete"])
def test_I10_killed_between_the_commit_and_the_mark(
    new_stream, postgres, kafka, killed, after_publish
):
    stream = new_stream(postgres, kafka, outbox={"after_publish": after_publish})
    stream.walpost.init()
    events = []
    # The letter is in a record of the lane's own, then in what the next generation took over.
    for crash in ("after_commit", "after_generation", "after_generation", "after_commit"):
        if crash == "after_commit":
            assert not events or stream.statuses() == {"PENDING": 3}
            events += insert_around_a_large_one(stream)
        stream.walpost.start(crash=crash)
        assert stream.walpost.wait_exit(60) == -9, stream.walpost.log_tail()
        killed(crash)
    stream.walpost.start()
    left = {"DEAD": 2} if after_publish == "delete" else {"DEAD": 2, "COMMITTED": 4}
    stream.wait_statuses(left, 60)
    assert stream.walpost.stop() == 0
    published = [record.headers["event_id"] for record in stream.records(4)]
    assert published == [events[i] for i in (0, 2, 3, 5)]
    dead = {record.headers["event_id"] for record in stream.dead_letters(2)}
    assert dead == {events[1], events[4]}

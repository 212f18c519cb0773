# SPDX-License-Identifier: Apache-2.0
"""I1, I3: where restarts used to go wrong elsewhere: positions that are equal or close, stops after
every row, confirmations that run ahead of the work."""

import io

import pytest

from support.process import wait_until
from support.stream import TABLE


def close_positions(stream):
    """COPY, many rows in one statement, and commits back to back; the ids in order."""
    rows = []
    with stream.connect() as connection, connection.cursor() as cursor:
        text = "".join(f"k{n}\tOrder.ItemAdded\t{{}}\n" for n in range(4))
        cursor.copy_expert(
            f"copy {TABLE} (aggregate_id, event_type, payload) from stdin", io.StringIO(text)
        )
        cursor.execute(f"select id::text from {TABLE} order by aggregate_id")
        rows += [row[0] for row in cursor.fetchall()]
        insert = (
            f"insert into {TABLE} (aggregate_id, event_type, payload) "
            "select 'k' || n, 'Order.ItemAdded', '{}' from generate_series(1, %s) n returning id::text"
        )
        for count in (3, 1, 1, 1, 2, 1):
            cursor.execute(insert, (count,))
            rows += [row[0] for row in cursor.fetchall()]
    return rows


@pytest.mark.parametrize("max_events", [1, 2])
def test_I3_a_stop_after_every_row(new_stream, postgres, kafka, killed, max_events):
    """Killed after the first, the second, ... Kafka transaction, before and after its commit: the
    next start begins at the same transaction, in the middle of it."""
    stream = new_stream(postgres, kafka, batch={"max_events": max_events})
    stream.walpost.init()
    rows = close_positions(stream)
    for place in ("after_commit:1", "before_commit:2"):
        for _ in range(len(rows) // max_events // 2 - 2):
            stream.walpost.start(crash=place)
            assert stream.walpost.wait_exit() == -9, f"{place}\n{stream.walpost.log_tail()}"
            killed(place.partition(":")[0])
    stream.walpost.start()
    stream.wait_statuses({"COMMITTED": len(rows)})
    seen = [record.headers["event_id"] for record in stream.records(len(rows))]
    assert sorted(seen) == sorted(rows)
    assert stream.walpost.stop() == 0


def test_I1_nothing_is_confirmed_ahead_of_the_work(stream, kafka, killed):
    """Rows are in flight to a Kafka that is frozen; keepalives and empty transactions come along."""
    stream.execute("create table other (n int)")
    stream.walpost.init()
    stream.walpost.start()
    stream.wait_streaming()
    rows = stream.insert(3)
    stream.records(3)
    stream.wait_confirmed(stream.wal_position())
    kafka.freeze_node(1)
    try:
        rows += stream.insert(5)
        after = stream.wal_position()

        def asked_for_long():
            """The server asks for a reply when it is behind; it got some, and they say nothing."""
            for _ in range(20):
                stream.execute("insert into other values (1)")
                stream.execute("begin; rollback")
            assert stream.slot_state(f"confirmed_flush_lsn <= '{after}'::pg_lsn")
            return stream.value(
                "select reply_time > backend_start + interval '12 s' and write_lsn >= %s::pg_lsn "
                "from pg_stat_replication where pid = %s",
                (after, stream.slot_state("active_pid")),
            )

        wait_until(asked_for_long, 60, "status updates while rows are in flight", 0.3)
        assert stream.slot_state(f"confirmed_flush_lsn <= '{after}'::pg_lsn")
        assert stream.statuses() == {"COMMITTED": 3, "PENDING": 5}
        stream.walpost.kill()
        killed("with rows in flight")
    finally:
        kafka.thaw_node(1)
    stream.walpost.start()
    stream.wait_statuses({"COMMITTED": 8}, 60)
    assert [record.headers["event_id"] for record in stream.records(8)] == rows
    assert stream.walpost.stop() == 0

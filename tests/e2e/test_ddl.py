# SPDX-License-Identifier: Apache-2.0
"""The table changes under the stream's feet; what happens to rows after they were published."""

import pytest

from support.process import wait_until
from support.stream import TABLE

pytestmark = pytest.mark.quick

# PostgreSQL cannot reorder columns; it takes a new one and drops the old, in one transaction.
MOVE_PAYLOAD_TO_THE_END = f"""
    alter table {TABLE} add column payload_new jsonb;
    update {TABLE} set payload_new = payload;
    alter table {TABLE} drop column payload;
    alter table {TABLE} rename column payload_new to payload;
    alter table {TABLE} alter column payload set not null;
"""

CHANGES = [
    f"alter table {TABLE} add column region text default 'eu'",
    f"alter table {TABLE} add column traceparent text",
    MOVE_PAYLOAD_TO_THE_END,
    f"alter table {TABLE} drop column traceparent",
    f"alter table {TABLE} drop column region",
    f"alter table {TABLE} alter column aggregate_id type varchar(200)",
]


def test_columns_change_under_load(stream):
    writer = stream.writer(keys=10, pause=0.01)
    with stream.running():
        with writer.running():
            for change in CHANGES:
                enough = len(writer.truth.committed) + 200
                wait_until(lambda: len(writer.truth.committed) > enough, 60, "more rows")
                stream.execute(change)
        stream.assert_exactly_once(writer.truth)


def test_columns_change_while_walpost_is_stopped(stream):
    stream.walpost.init()
    writer = stream.writer(connections=2, keys=5)
    for change in CHANGES:
        writer.run_transactions(30)
        stream.execute(change)
    writer.run_transactions(30)
    stream.walpost.start()
    stream.assert_exactly_once(writer.truth)


@pytest.mark.parametrize("publish", ["insert", "insert, update, delete, truncate"])
def test_changes_of_published_rows_publish_nothing(stream, publish):
    stream.walpost.init()
    if publish != "insert":  # a publication of somebody else's
        stream.execute(f"alter publication {stream.publication} set (publish = '{publish}')")
    stream.walpost.start()
    stream.wait_streaming()
    ids = stream.insert(20)
    stream.records(20)
    stream.wait_statuses({"COMMITTED": 20})
    stream.execute(f"update {TABLE} set payload = '0', aggregate_id = 'other', status = 'PENDING'")
    stream.execute(f"delete from {TABLE} where id = any(%s::uuid[])", (ids[:10],))
    stream.execute(f"truncate {TABLE}")
    last = stream.insert(1)
    stream.wait_confirmed(stream.wal_position())
    assert stream.walpost.stop() == 0
    assert [r.headers["event_id"] for r in stream.records(21)] == ids + last


def test_a_required_column_that_disappears_stops_the_stream(stream):
    stream.walpost.init()
    stream.walpost.start()
    stream.wait_streaming()
    stream.insert(1)
    stream.records(1)
    stream.execute(f"alter table {TABLE} drop column event_type")
    stream.execute(f"insert into {TABLE} (aggregate_id, payload) values ('o', '1')")
    assert stream.walpost.wait_exit() == 3
    assert "event_type" in stream.walpost.log_tail()

# SPDX-License-Identifier: Apache-2.0
"""Rows that were there before the slot: each exactly once, whatever is killed."""

import contextlib

import pytest

from support.process import Timeout, wait_until
from support.reader import decode
from support.stream import TABLE
from support.writer import Truth

CREATE = f"""create table {TABLE} (
    id uuid primary key default gen_random_uuid(), aggregate_id text not null,
    event_type text not null, payload jsonb not null, status text default 'PENDING',
    created_at timestamptz default now())"""


def old_rows(stream, count):
    """Pending rows of 7 keys, inserted in another order than they were created in; the truth."""
    stream.execute(CREATE, user="walpost")
    stream.execute(
        f"insert into {TABLE} (aggregate_id, event_type, payload, created_at) "
        "select 'k' || n %% 7, 'Order.ItemAdded', jsonb_build_object('n', n), "
        "timestamptz '2024-01-01 00:00:00Z' + n * interval '1 second' "
        "from (select * from generate_series(1, %s) n order by md5(n::text)) shuffled",
        (count,),
    )
    stream.execute(
        f"insert into {TABLE} (aggregate_id, event_type, payload, status) "
        "select 'k1', 'Order.ItemAdded', '0', 'COMMITTED' from generate_series(1, 10)"
    )
    truth = Truth()
    rows = stream.execute(
        f"select id::text, aggregate_id, (payload->>'n')::int from {TABLE} "
        "where status = 'PENDING' order by created_at, id"
    )
    truth.note(rows, [])
    return truth


def insert_new(stream, truth, count):
    """One transaction each: as rows of a snapshot they are ordered by the time of their creation."""
    for _ in range(count):
        (identity,) = stream.insert(key="k1")
        truth.note([(identity, "k1", 1_000_000 + len(truth.committed))], [])


@pytest.mark.quick
def test_rows_from_before_come_first(stream):
    truth = old_rows(stream, 300)
    stream.walpost.init()
    insert_new(stream, truth, 5)
    stream.walpost.start()
    stream.wait_streaming()
    insert_new(stream, truth, 5)
    stream.assert_exactly_once(truth)
    assert stream.statuses() == {"COMMITTED": 320}
    events = [decode(record) for record in stream.records(310)]
    assert sum(event.source.snapshot for event in events) == 300


def test_snapshot_none_leaves_them(new_stream, postgres, kafka):
    stream = new_stream(postgres, kafka, outbox={"snapshot": "none"})
    old_rows(stream, 20)
    stream.walpost.init()
    truth = Truth()
    stream.walpost.start()
    stream.wait_streaming()
    insert_new(stream, truth, 5)
    stream.assert_exactly_once(truth)


# One commit may hold the whole snapshot, so what needs more of it comes before.
PLACES = [
    "mid_snapshot:1",
    "after_produce:1",
    "mid_snapshot:2",
    "before_commit:1",
    "mid_snapshot:1",
    "after_commit:1",
    "after_mark:1",
]


@pytest.mark.parametrize("lanes", [1, 3])
def test_killed_in_the_middle(new_stream, postgres, kafka, killed, lanes):
    stream = new_stream(postgres, kafka, lanes=lanes, batch={"max_events": 100})
    truth = old_rows(stream, 5000)
    stream.walpost.init()
    insert_new(stream, truth, 20)
    missed = []
    for crash in PLACES:
        stream.walpost.start(crash=crash)
        try:
            assert stream.walpost.wait_exit(10) == -9, f"at {crash}\n{stream.walpost.log_tail()}"
            killed(crash.partition(":")[0])
        except Timeout:  # judged below: what is lost says more
            missed.append(crash)
            stream.walpost.kill()
    stream.walpost.start()
    stream.assert_exactly_once(truth, timeout=20)
    assert not missed, f"these places were not reached: {missed}"
    assert stream.statuses() == {"COMMITTED": 5030}


@pytest.mark.parametrize(
    "place",
    ["init_after_intent", "init_after_slot", "init_after_snapshot", "init_after_checkpoint"],
)
def test_init_is_killed_and_starts_over(stream, killed, place):
    truth = old_rows(stream, 50)
    done = stream.walpost.init(status=None, environment={"WALPOST_CRASH": place})
    assert done.returncode == -9, done.stdout + done.stderr
    killed(place)
    insert_new(stream, truth, 5)
    stream.walpost.init()
    stream.walpost.init()  # nothing left to do
    insert_new(stream, truth, 5)
    stream.walpost.start()
    stream.assert_exactly_once(truth)


@pytest.mark.parametrize("lanes", [1, 2])
def test_I1_killed_when_all_is_published_and_nothing_is_marked(new_stream, postgres, kafka, lanes):
    """The rows of the snapshot do not come again from the WAL, so whoever marks them must find them
    elsewhere, also when S has passed them. One of them is a dead letter, and its row says so."""
    stream = new_stream(postgres, kafka, lanes=lanes)
    truth = old_rows(stream, 50)
    (dead,) = stream.execute(
        f"insert into {TABLE} (aggregate_id, event_type, payload) values ('', 'A.BDone', '0') "
        "returning id::text"
    )
    stream.walpost.init()
    with contextlib.closing(stream.connect()) as application:
        cursor = application.cursor()
        cursor.execute("begin")
        cursor.execute(f"select from {TABLE} where status = 'PENDING' for update")
        stream.walpost.start()
        stream.records(50)
        insert_new(stream, truth, 5)
        stream.records(55)  # their batches say that everything before is settled in Kafka
        stream.dead_letters(1)
        stream.walpost.kill()
        assert not stream.execute(f"select from {TABLE} where status = 'DEAD'")
        cursor.execute("rollback")
    stream.walpost.start()
    stream.wait_statuses({"COMMITTED": 65, "DEAD": 1})
    assert stream.execute(f"select id::text from {TABLE} where status = 'DEAD'") == [dead]
    stream.wait_confirmed(stream.wal_position())
    stream.assert_exactly_once(truth)
    assert not stream.execute("select 1 from pg_tables where tablename like 'snapshot_%%'")


def test_I9_a_gap_that_is_accepted_makes_no_published_rows_of_the_snapshot(stream):
    """Nothing was published, and nobody may say so."""
    old_rows(stream, 20)
    stream.walpost.init()
    topic = f"walpost.checkpoint.{stream.name}"
    for future in stream.kafka.admin.delete_topics([topic]).values():
        future.result()
    wait_until(lambda: topic not in stream.kafka.topics(), 30, "the checkpoint is gone")
    stream.walpost.command("run", "--once", "--accept-gap")
    stream.walpost.command("run", "--once")
    assert stream.statuses() == {"PENDING": 20, "COMMITTED": 10}

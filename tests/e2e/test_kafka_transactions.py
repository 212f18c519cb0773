# SPDX-License-Identifier: Apache-2.0
"""I6, I12: what is in one Kafka transaction, seen from outside. The end of a Kafka transaction takes
an offset of its own in every partition, so a run of offsets without a gap is one Kafka transaction."""

from itertools import groupby

from support.reader import decode, messages
from support.stream import TABLE

LIMIT = 10_000
LATER_PARTS = LIMIT // 4  # the parts after the first


def small_batches(new_stream, postgres, kafka):
    """Only the number of events cuts, never their bytes."""
    return new_stream(
        postgres,
        kafka,
        lanes=1,
        memory="256MB",
        batch={"max_events": LIMIT, "max_bytes": "128MB"},
        outbox={"after_publish": "keep", "snapshot": "none"},
    )


def insert_with_one_key(stream, rows):
    """One transaction, one key: everything is in one partition."""
    stream.execute(
        f"insert into {TABLE} (aggregate_id, event_type, payload) "
        "select 'k', 'Order.ItemAdded', to_jsonb(n) from generate_series(1, %s) n",
        (rows,),
    )


def runs(records):
    """The records of each Kafka transaction, for records of one partition."""
    assert len({(record.topic, record.partition) for record in records}) == 1
    numbered = enumerate(records)
    grouped = groupby(numbered, lambda pair: pair[1].offset - pair[0])
    return [[record for _, record in group] for _, group in grouped]


def parts(records):
    """[(transaction_part, number of records)], in order; None where there is no such header."""
    names = (record.headers.get("transaction_part") for record in records)
    return [(part, len(list(group))) for part, group in groupby(names)]


def lane_checkpoints(stream, isolation="read_committed"):
    with stream.reader(f"walpost.checkpoint.{stream.name}", isolation=isolation) as reader:
        return [
            messages("checkpoint").LaneCheckpoint.FromString(record.value)
            for record in reader.read_to_end()
            if record.key == b"lane"
        ]


def events(stream, isolation="read_committed"):
    with stream.reader(isolation=isolation) as reader:
        return reader.read_to_end()


def position(record):
    source = decode(record).source
    return source.commit_lsn, source.ordinal


def test_I12_a_transaction_up_to_the_limit_is_in_one_kafka_transaction(
    new_stream, postgres, kafka
):
    stream = small_batches(new_stream, postgres, kafka)
    with stream.running():
        for rows in (9_000, LIMIT):
            before = len(events(stream))
            insert_with_one_key(stream, rows)
            records = stream.records(before + rows, 60)[before:]
            assert [len(run) for run in runs(records)] == [rows]
            assert parts(records) == [(None, rows)]
            assert {decode(record).source.part for record in records} == {0}


def test_I12_a_larger_transaction_is_cut_and_says_so(new_stream, postgres, kafka):
    stream = small_batches(new_stream, postgres, kafka)
    with stream.running():
        insert_with_one_key(stream, 25_000)
        records = stream.records(25_000, 60)
    later = [(str(number), LATER_PARTS) for number in range(2, 8)]
    assert parts(records) == [("1", LIMIT)] + later
    for record in records:
        assert str(decode(record).source.part) == record.headers["transaction_part"]
    assert [position(record) for record in records] == sorted(map(position, records))

    # Kafka writes a commit marker a moment after its answer, when the next batch may have begun: so
    # the markers among the records are counted, not what stands between them.
    markers = records[-1].offset - records[0].offset + 1 - len(records)
    assert markers >= 2


def test_I6_I12_all_or_nothing_when_killed_before_the_commit(new_stream, postgres, kafka, killed):
    stream = small_batches(new_stream, postgres, kafka)
    stream.walpost.init()
    insert_with_one_key(stream, 9_000)
    stream.walpost.start(crash="before_commit:1")
    assert stream.walpost.wait_exit(60) == -9, stream.walpost.log_tail()
    killed("before_commit")
    # The next start aborts what was left open, and dies before it publishes anything.
    stream.walpost.start(crash="before_generation:1")
    assert stream.walpost.wait_exit(60) == -9, stream.walpost.log_tail()
    killed("before_generation")

    # The whole batch is in the log, its position too; neither counts.
    aborted = events(stream, "read_uncommitted")
    assert len(aborted) == 9_000
    (attempted,) = lane_checkpoints(stream, "read_uncommitted")
    last = (attempted.watermark.commit_lsn, attempted.watermark.ordinal)
    assert last == position(aborted[-1])
    assert events(stream) == []
    assert lane_checkpoints(stream) == []

    stream.walpost.start()
    records = stream.records(9_000, 60)
    assert stream.walpost.stop() == 0, stream.walpost.log_tail()
    assert [len(run) for run in runs(records)] == [9_000]
    assert [position(record) for record in records] == [position(record) for record in aborted]
    watermarks = [
        (checkpoint.watermark.commit_lsn, checkpoint.watermark.ordinal)
        for checkpoint in lane_checkpoints(stream)
    ]
    assert watermarks == [last]

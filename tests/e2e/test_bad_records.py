# SPDX-License-Identifier: Apache-2.0
"""I10: a record that Kafka will never take is found among its neighbours and dead-lettered, the rest
goes on, and no batch is tried for ever. And what another stream leaves open stops nobody."""

import uuid

from confluent_kafka import Producer

from support.stream import TABLE

INSERT = (
    f"insert into {TABLE} (aggregate_id, event_type, payload, created_at) "
    "select 'k' || n %% 7, 'Order.ItemAdded', jsonb_build_object('text', repeat('x', "
    "case when n = any(%s) then 5000 else 10 end)), now() + "
    "case when n = any(%s) then interval '2 days' else interval '0' end "
    "from generate_series(1, 100) n returning id::text"
)


def uncommitted(stream):
    """How many records were sent in all, those of aborted Kafka transactions too."""
    with stream.reader(isolation="read_uncommitted") as reader:
        reader.read_until(lambda records: False, timeout=2)
        return len(reader.records)


def test_I10_records_that_kafka_refuses_for_good(stream, kafka):
    kafka.create_topic(stream.prefix + "Order", 3, config={"max.message.bytes": "3000"})
    large, late = [3, 99], [4, 100]
    with stream.running():
        rows = [row[0] for row in stream.execute(INSERT, (large, late))]
        records = stream.records(96, timeout=180)
        dead = stream.dead_letters(4)
        stream.wait_statuses({"COMMITTED": 96, "DEAD": 4})
        after = stream.insert(5)
        stream.records(101)
    reasons = {record.headers["event_id"]: record.headers["reason"] for record in dead}
    assert reasons == {
        **{rows[n - 1]: "record_too_large" for n in large},
        **{rows[n - 1]: "processing_failed" for n in late},
    }
    good = [row for row in rows if row not in reasons]
    assert sorted(record.headers["event_id"] for record in records) == sorted(good)
    for key in {record.key for record in records}:
        mine = [record.headers["event_id"] for record in records if record.key == key]
        assert mine == [row for row in good if row in mine]  # the order of the key
    assert len(after) == 5
    # A hunt of halves: some ten tries for each, and never all of them again and again.
    sent = uncommitted(stream)
    print(f"records sent until all was settled: {sent}")
    assert sent < 100 * 10 * len(reasons)


def test_I3_an_open_transaction_of_another_stream(stream, kafka):
    """It holds back readers of the topics that it shares, as it must; it holds back no start."""
    kafka.create_topic(stream.prefix + "Order", 3)
    other = Producer(
        {
            "bootstrap.servers": kafka.bootstrap,
            "transactional.id": f"other-{uuid.uuid4()}",
            "transaction.timeout.ms": 120000,
            "log_level": 0,
        }
    )
    other.init_transactions(30)
    stream.walpost.init()
    other.begin_transaction()
    for partition in range(3):
        other.produce(stream.prefix + "Order", b"foreign", b"foreign", partition)
    other.flush(30)
    rows = []
    for ending in (stream.walpost.kill, stream.walpost.stop, stream.walpost.kill):
        stream.walpost.start()
        rows += stream.insert(3)
        stream.wait_statuses({"COMMITTED": len(rows)})
        assert stream.walpost.running
        ending()
    other.abort_transaction(30)
    assert [record.headers["event_id"] for record in stream.records(9)] == rows

# SPDX-License-Identifier: Apache-2.0
"""I3: lanes, keys, columns, routes and partitions change between starts and while it runs, also after
a kill, also several times in a row."""

from collections import Counter, defaultdict

from support.murmur2 import partition_of
from support.process import wait_until
from support.reader import messages
from support.stream import TABLE


def checkpoint_records(stream):
    with stream.reader(f"walpost.checkpoint.{stream.name}") as reader:
        return reader.read_to_end()


def generations(stream):
    made = messages("checkpoint").GenerationCheckpoint
    return [
        made.FromString(record.value)
        for record in checkpoint_records(stream)
        if record.key == b"generation"
    ]


def lane_watermarks(stream):
    """Of each lane, the last: (commit LSN, ordinal)."""
    made = messages("checkpoint").LaneCheckpoint
    last = {}
    for record in checkpoint_records(stream):
        if record.key == b"lane":
            watermark = made.FromString(record.value).watermark
            last[record.partition - 1] = (watermark.commit_lsn, watermark.ordinal)
    return last


def position(record):
    lsn, ordinal = record.headers["position"].split(".")
    return int(lsn, 16), int(ordinal, 16)


def assert_once_and_in_order(records, wanted):
    """Every id once; in each partition, each record key in commit order."""
    counted = Counter(record.headers["event_id"] for record in records)
    repeated = [identity for identity, count in counted.items() if count > 1]
    lost = set(wanted) - set(counted)
    assert not lost and not repeated, f"lost {len(lost)}, repeated {len(repeated)}"
    assert len(counted) == len(set(wanted))
    places = defaultdict(list)
    for record in records:
        places[record.topic, record.partition, record.key].append(position(record))
    for place, positions in places.items():
        assert positions == sorted(positions), place


def insert_alternately(stream, count):
    """Orders of one aggregate and payments of another, a transaction each; their ids."""
    ids = {"Order": [], "Payment": []}
    for _ in range(count):
        ids["Payment"] += stream.insert(key="a", event_type="Payment.Made")
        ids["Order"] += stream.insert(key="b", event_type="Order.Made")
    return ids


def restart_with(walpost, **sections):
    """kill -9, and a start under another configuration."""
    if walpost.running:
        walpost.kill()
    walpost.write_config(**sections)
    walpost.start()


def test_I3_keys_lanes_and_columns_change_while_one_lane_is_ahead(new_stream, postgres, kafka):
    """The topic of payments is missing, so their lane waits, and S with it, while the lane of orders
    goes on. So each start meets events that only the keys and lanes of their time can judge."""
    layouts = (  # lanes, route.key, and what it makes of a payment and of an order
        (3, "{aggregate_id}", b"a", b"b"),
        (3, "{event_type}", b"Payment.Made", b"Order.Made"),
        (5, "{domain}/{column:region}", b"Payment/x", b"Order/x"),
    )
    for lanes, _, payment, order in layouts:
        assert partition_of(payment, lanes) != partition_of(order, lanes), "lanes of their own"

    stream = new_stream(postgres, kafka, lanes=3)
    route = {"topic": stream.prefix + "{domain}", "on_missing_topic": "wait"}
    kafka.create_topic(stream.prefix + "Order")
    stream.walpost.init()
    stream.execute(f"alter table {TABLE} add column region text default 'x'")
    stream.execute(f"alter table {TABLE} add column customer text default 'c'")
    wanted = {"Order": [], "Payment": []}

    def visible_orders():
        with stream.reader(stream.prefix + "Order") as reader:
            reader.read_until(lambda records: len(records) >= len(wanted["Order"]), 60)
            return [record.headers["event_id"] for record in reader.read_to_end()]

    for lanes, key, _, _ in layouts:
        restart_with(stream.walpost, lanes=lanes, route={**route, "key": key})
        stream.walpost.wait_for('"streaming"')
        for kind, ids in insert_alternately(stream, 5).items():
            wanted[kind] += ids
        assert sorted(visible_orders()) == sorted(wanted["Order"]), stream.walpost.log_tail()

    # The last one: other columns too, and every topic is there.
    kafka.create_topic(stream.prefix + "Payment")
    restart_with(
        stream.walpost,
        lanes="partition",
        route={**route, "key": "{aggregate_id}"},
        outbox={"columns": {"aggregate_id": "customer"}},
    )
    everything = wanted["Order"] + wanted["Payment"]
    records = stream.records(len(everything), 60)
    assert_once_and_in_order(records, everything)
    wait_until(
        lambda: stream.statuses() == {"COMMITTED": len(everything)}, 30, stream.walpost.log_tail()
    )
    assert stream.walpost.stop() == 0, stream.walpost.log_tail()
    assert stream.walpost.log()[-1]["left_out"] == len(wanted["Order"])


def test_I3_kills_while_everything_changes(new_stream, postgres, kafka, killed):
    stream = new_stream(postgres, kafka, lanes=1)
    writer = stream.writer(keys=15, pause=0.05)
    other_topic = {"topic": stream.prefix + "all", "on_missing_topic": "create"}
    first_topic = {"topic": stream.prefix + "{domain}", "on_missing_topic": "create"}
    stream.walpost.init()
    changes = (
        (3, {**first_topic, "key": "{aggregate_id}"}, "after_commit:6"),
        (2, {**first_topic, "key": "{domain}-{aggregate_id}"}, "after_commit:5"),
        ("partition", {**first_topic, "key": "{column:id}"}, "after_commit:9"),
        (4, {**other_topic, "key": "{aggregate_id}"}, "after_produce:7"),
        ("partition", {**other_topic, "key": "{event_type}"}, "after_mark:2"),
    )
    with writer.running():
        for number, (lanes, route, place) in enumerate(changes):
            stream.walpost.write_config(lanes=lanes, route=route)
            stream.walpost.start(crash=place)
            if number == 2:
                for topic in kafka.topics(stream.prefix):
                    kafka.add_partitions(topic, 5)
            assert stream.walpost.wait_exit(60) == -9, stream.walpost.log_tail()
            killed(place.partition(":")[0])
        stream.walpost.write_config(lanes=2, route={**other_topic, "key": "{aggregate_id}"})
        stream.walpost.start()
        stream.wait_streaming()
    records = stream.records(len(writer.truth.committed), 90)
    assert stream.walpost.stop() == 0, stream.walpost.log_tail()
    assert_once_and_in_order(records, writer.truth.committed)
    stream.assert_all_marked()


def test_lanes_by_partition(new_stream, postgres, kafka):
    """A lane writes to one partition alone; the lanes follow the partitions at the next start."""
    stream = new_stream(postgres, kafka, lanes="partition")
    often = {"topic.metadata.refresh.interval.ms": 500}  # or it takes 5 minutes
    stream.walpost.write_config(kafka={**stream.walpost.config["kafka"], **often})
    topic = stream.prefix + "Order"
    kafka.create_topic(topic, partitions=4)
    kafka.create_topic(stream.prefix + "Narrow", partitions=2)
    assert "4 lanes, one for each partition" in stream.walpost.init().stdout
    stream.walpost.start()
    stream.wait_streaming()
    ids = []

    def insert_and_read():
        for number in range(40):
            ids.extend(stream.insert(key=f"key-{number}"))
        return stream.records(len(ids), 60)

    def last_of_each_partition(records):
        return {
            number: max(position(record) for record in records if record.partition == number)
            for number in {record.partition for record in records}
        }

    records = insert_and_read()
    assert generations(stream)[-1].lanes == 4
    assert lane_watermarks(stream) == last_of_each_partition(records)

    kafka.add_partitions(topic, 6)  # while it runs: the lanes stay, the partitions are used
    wait_until(
        lambda: max(record.partition for record in insert_and_read()) == 5,
        90,
        "the new partitions are used",
    )
    assert generations(stream)[-1].lanes == 4
    stream.walpost.kill()

    assert "6 lanes, one for each partition" in stream.walpost.check(status=None).stdout
    stream.walpost.start()
    records = insert_and_read()
    assert stream.walpost.stop() == 0, stream.walpost.log_tail()
    assert generations(stream)[-1].lanes == 6
    assert kafka.topics()[f"walpost.checkpoint.{stream.name}"] == 7
    assert lane_watermarks(stream) == last_of_each_partition(records)
    assert_once_and_in_order(records, ids)

# SPDX-License-Identifier: Apache-2.0
"""I3 on three brokers: what a batch or a Kafka transaction needs goes away in the middle of it."""

import contextlib
import time

import pytest
from confluent_kafka import KafkaException

from support.process import wait_until
from support.servers import Kafka
from support.transactions import between_ends
from support.writer import event_type

TRANSACTIONS = "__transaction_state"
PARTS = 3  # transaction.state.log.num.partitions, as the harness sets it
AWAY = 12  # seconds; longer than librdkafka and the brokers take to notice
SAID = 30  # seconds; it is said after some ten


@pytest.fixture(scope="module")
def kafka():
    """Instead of the one node of the other modules."""
    with Kafka(nodes=3, heap="320m") as cluster:
        yield cluster


def leader(kafka, topic, partition):
    """The node that leads a partition; 0: nobody, or not known."""
    try:
        found = kafka.admin.list_topics(topic, timeout=10).topics[topic]
    except KafkaException:  # it asked a node that is away
        return 0
    return max(0, found.partitions[partition].leader) if partition in found.partitions else 0


def coordinator(kafka, transactional_id):
    """The node whose part of the transaction log holds this id: Java's hash says which part."""
    value = 0
    for letter in transactional_id:
        value = (31 * value + ord(letter)) & 0xFFFFFFFF
    return leader(kafka, TRANSACTIONS, (value & 0x7FFFFFFF) % PARTS)


def wait_moved(kafka, find, node):
    wait_until(lambda: find() not in (0, node), 120, f"node {node} is followed by another one")


def pending(stream):
    return stream.statuses().get("PENDING", 0)


@contextlib.contextmanager
def dies_in_the_middle(stream, kafka, find, killed):
    """The node that find() names stops answering while it holds something of a batch, and is killed
    there; it is back afterwards."""
    node = wait_until(find, 60, "a node leads")
    kafka.freeze_node(node)
    try:
        stuck = pending(stream) + 100
        wait_until(lambda: pending(stream) > stuck, 60, "rows wait for the frozen node")
        kafka.kill_node(node)
        killed("a broker of three")
        yield node
    finally:
        if node in kafka.processes:
            kafka.kill_node(node)
        kafka.start_node(node)


def wait_for_more(writer, count):
    enough = len(writer.truth.committed) + count
    wait_until(lambda: len(writer.truth.committed) > enough, 60, "more rows")


def test_I3_I5_the_leader_of_a_partition_moves_in_the_middle_of_a_batch(
    new_stream, postgres, kafka, killed
):
    stream = new_stream(postgres, kafka, lanes=3)
    writer = stream.writer(connections=4, keys=15, pause=0.03)
    topic = stream.prefix + event_type(writer.keys[0]).partition(".")[0]

    def find():
        return leader(kafka, topic, 0)

    with stream.running():
        with writer.running():
            wait_until(lambda: topic in kafka.topics(stream.prefix), 30, "the topic is there")
            with dies_in_the_middle(stream, kafka, find, killed) as node:
                wait_moved(kafka, find, node)
                wait_for_more(writer, 200)
        stream.assert_exactly_once(writer.truth, timeout=120)
    stream.assert_all_marked()


def test_I3_I5_the_coordinator_moves_in_the_middle_of_a_transaction(
    new_stream, postgres, kafka, killed
):
    stream = new_stream(postgres, kafka)
    writer = stream.writer(connections=4, keys=15, pause=0.03)
    with stream.running():
        with writer.running():
            wait_for_more(writer, 200)
            for identity in ("0.a", "leader"):

                def find(name=f"walpost.{stream.name}.{identity}"):
                    return coordinator(kafka, name)

                with dies_in_the_middle(stream, kafka, find, killed) as node:
                    wait_moved(kafka, find, node)
                    wait_for_more(writer, 200)
        stream.assert_exactly_once(writer.truth, timeout=120)
    stream.assert_all_marked()


def marked(stream):
    return stream.statuses().get("COMMITTED", 0)


def test_I1_I3_all_brokers_are_away(new_stream, postgres, kafka):
    """Nothing is marked or confirmed meanwhile; the process stays, and says what it waits for: in
    the middle of its batches, with nothing to do but to confirm, and in the middle of a start."""
    stream = new_stream(postgres, kafka)
    writer = stream.writer(connections=4, keys=15, pause=0.03)
    idle = new_stream(postgres, kafka)
    starting = new_stream(postgres, kafka)
    starting.walpost.init()
    starting.walpost.start(freeze="before_generation")
    with stream.running(), idle.running():
        with writer.running():
            wait_for_more(writer, 200)
            wait_until(lambda: marked(stream) > 0, 60, "it streams")
            idle.wait_confirmed(idle.wal_position())
            starting.walpost.wait_frozen()
            with between_ends(kafka, stream.walpost):
                kafka.kill()
            away = time.monotonic()
            starting.walpost.thaw()
            stuck = pending(stream) + 100
            wait_until(lambda: pending(stream) > stuck, 60, "rows wait")
            settled, confirmed = marked(stream), stream.confirmed()
            for one in (stream, idle, starting):
                one.walpost.wait_for("waiting for Kafka: ", SAID)
            wait_until(lambda: time.monotonic() - away > AWAY, 2 * AWAY, "they are away for long")
            assert (marked(stream), stream.confirmed()) == (settled, confirmed)
            for one in (stream, idle, starting):
                assert one.walpost.running, one.walpost.log_tail()
            kafka.start()
        stream.assert_exactly_once(writer.truth, timeout=120)
        idle.wait_confirmed(idle.wal_position(), 120)
        starting.walpost.wait_for("streaming", 120)
        assert starting.walpost.stop() == 0
    stream.assert_all_marked()

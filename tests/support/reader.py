# SPDX-License-Identifier: Apache-2.0
"""What a read_committed consumer sees, and the verdict on it."""

import functools
import importlib
import os
import subprocess
import sys
import time
from collections import namedtuple
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from support.murmur2 import partition_of
from support.process import new_folder
from support.servers import REPOSITORY

Record = namedtuple("Record", "topic partition offset key value headers timestamp")


@functools.lru_cache(maxsize=None)
def messages(name):
    """The module generated from one of the project's own .proto files."""
    proto = os.path.join(REPOSITORY, "proto")
    folder = new_folder("protoc")
    file = os.path.join(proto, "walpost", "v1", name + ".proto")
    subprocess.run(
        ["protoc", f"--proto_path={os.path.dirname(file)}", f"--python_out={folder}", file],
        check=True,
    )
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(name + "_pb2")
    finally:
        sys.path.remove(folder)


def envelope_class():
    return messages("outbox_event").OutboxEvent


def decode(record):
    """The envelope in a record's value."""
    event = envelope_class()()
    event.ParseFromString(record.value)
    return event


class Reader:
    """Reads every topic whose name begins with `prefix` from the beginning, those included that
    appear later. isolation: read_committed, or read_uncommitted to look behind the scenes. slim:
    keep only what judge() needs, for a million records."""

    def __init__(self, bootstrap, prefix, isolation="read_committed", slim=False):
        self.prefix = prefix
        self._as_record = _slim_record if slim else _record
        self.records = []
        self._settings = {
            "bootstrap.servers": bootstrap,
            "group.id": "walpost-reader",  # demanded by the client, never used
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
            "log_level": 0,
        }
        self._consumer = Consumer({**self._settings, "isolation.level": isolation})
        self._uncommitted = Consumer({**self._settings, "isolation.level": "read_uncommitted"})
        self._partitions = set()
        self._at_end = set()

    def close(self):
        self._consumer.close()
        self._uncommitted.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def poll(self, timeout=0.2):
        """Takes what is there now; the new records."""
        self._assign_new_partitions()
        new = []
        if not self._partitions:
            time.sleep(timeout)
            return new
        for message in self._consumer.consume(10000, timeout):
            place = (message.topic(), message.partition())
            if message.error() is None:
                self._at_end.discard(place)
                new.append(self._as_record(message))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                self._at_end.add(place)
            elif not message.error().retriable():
                # Brokers come and go in these tests: only what the client gives up on counts.
                if message.error().code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    continue
                if message.error().code() == KafkaError._ALL_BROKERS_DOWN:
                    continue
                raise KafkaException(message.error())
        self.records += new
        return new

    def read_until(self, condition, timeout=30):
        """Polls until condition(records) holds; whether it did in time."""
        deadline = time.monotonic() + timeout
        while not condition(self.records):
            if time.monotonic() >= deadline:
                return False
            self.poll()
        return True

    def read_to_end(self, timeout=60):
        """Everything up to the high watermark, which no open Kafka transaction may hide."""
        deadline = time.monotonic() + timeout
        while True:
            self.poll()
            if self._at_end == self._partitions and self._nothing_hidden() and not self.poll():
                return self.records
            if time.monotonic() >= deadline:
                raise AssertionError(
                    f"not at the end of {self.prefix}* within {timeout} s: "
                    f"{sorted(self._partitions - self._at_end) or 'an open Kafka transaction'}"
                )

    def ends(self):
        """(topic, partition) -> the offset behind its last record, of those read so far."""
        return {
            place: self._uncommitted.get_watermark_offsets(TopicPartition(*place), timeout=10)[1]
            for place in self._partitions
        }

    def _nothing_hidden(self):
        for place in self._partitions:
            partition = TopicPartition(*place)
            try:
                stable = self._consumer.get_watermark_offsets(partition, timeout=10)
                high = self._uncommitted.get_watermark_offsets(partition, timeout=10)
            except KafkaException:  # a partition that is new, or whose leader moves
                return False
            if stable is None or high is None or stable[1] != high[1]:
                return False
        return True

    def _assign_new_partitions(self):
        metadata = self._consumer.list_topics(timeout=10)
        found = {
            (name, number)
            for name, topic in metadata.topics.items()
            if name.startswith(self.prefix) and topic.error is None
            for number in topic.partitions
        }
        new = found - self._partitions
        if new:
            self._consumer.incremental_assign([TopicPartition(*place, 0) for place in new])
            self._partitions |= new


def _record(message):
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        {name: value.decode() for name, value in message.headers() or []},
        message.timestamp()[1],
    )


def _slim_record(message):
    headers = {
        name: value.decode()
        for name, value in message.headers()
        if name in ("event_id", "position")
    }
    return Record(
        message.topic(), message.partition(), message.offset(), message.key(), None, headers, 0
    )


@dataclass
class Verdict:
    """Counts against the truth. `order` is that of first appearances, so that it means something
    for delivery: at_least_once too."""

    inserted: int = 0
    visible: int = 0  # different events of the truth that were seen
    repeated: int = 0
    lost: int = 0
    out_of_order: int = 0
    phantom: int = 0  # seen, but never committed
    scattered: int = 0  # records in a partition in which their key may not be
    moved: int = 0  # keys in several partitions, because their topic got more of them
    wrong: int = 0  # records whose key is not the event's
    complaints: list = field(default_factory=list)

    @property
    def exactly_once(self):
        return self.at_least_once and self.repeated == 0

    @property
    def at_least_once(self):
        bad = self.lost + self.out_of_order + self.phantom + self.scattered + self.wrong
        return bad == 0 and self.visible == self.inserted

    def __str__(self):
        text = (
            f"inserted {self.inserted}, visible {self.visible}, repeated {self.repeated}, "
            f"lost {self.lost}, out of order {self.out_of_order}, phantom {self.phantom}"
        )
        if self.moved:
            text += f", keys in several partitions of a topic that grew {self.moved}"
        if self.scattered or self.wrong:
            text += f", scattered keys {self.scattered}, wrong keys {self.wrong}"
        return "\n  ".join([text] + self.complaints[:10])


@functools.lru_cache(maxsize=None)
def _places(key, sizes):
    """Where Kafka's rule puts a key, for each number of partitions."""
    return {partition_of(key.encode(), size) for size in sizes}


def judge(truth, records, grown=None):
    """records: in the order of their offsets within each partition. I3, I4, I5. grown: topic -> how
    many partitions it had, one number after the other. Only there may a key be in several: in those
    where Kafka's rule puts it for these numbers. Its order then holds in each of them."""
    grown = grown or {}
    verdict = Verdict(inserted=len(truth.committed))
    seen = set()
    last = {}  # (key, partition if its topic grew) -> sequence
    home = {}  # key -> the first place that it was seen in
    moved = set()

    def complain(text, record):
        verdict.complaints.append(
            f"{text}: {record.headers.get('event_id')} at {record.topic}[{record.partition}] "
            f"offset {record.offset}, position {record.headers.get('position')}"
        )

    for record in records:
        identity = record.headers.get("event_id")
        event = truth.committed.get(identity)
        if event is None:
            verdict.phantom += 1
            rolled_back = identity in truth.rolled_back
            complain("rolled back, but visible" if rolled_back else "never inserted", record)
            continue
        if identity in seen:
            verdict.repeated += 1
            complain("repeated", record)
            continue
        seen.add(identity)
        if (record.key or b"").decode() != event.key:
            verdict.wrong += 1
            complain(f"key {record.key!r} instead of {event.key}", record)
        place = (record.topic, record.partition)
        first_place = home.setdefault(event.key, place)
        sizes = grown.get(record.topic)
        if sizes and record.partition not in _places(event.key, tuple(sizes)):
            verdict.scattered += 1
            complain(f"key {event.key} has no business there", record)
        elif first_place != place and not (sizes and first_place[0] == record.topic):
            verdict.scattered += 1
            complain(f"key {event.key} is in {first_place} too", record)
        elif first_place != place:
            moved.add(event.key)
        row = (event.key, record.partition if sizes else None)
        if last.get(row, 0) >= event.sequence:
            verdict.out_of_order += 1
            complain(f"{event.key}: {event.sequence} after {last[row]}", record)
        last[row] = max(event.sequence, last.get(row, 0))

    verdict.visible = len(seen)
    verdict.moved = len(moved)
    lost = truth.committed.keys() - seen
    verdict.lost = len(lost)
    for identity in sorted(lost)[:10]:
        event = truth.committed[identity]
        verdict.complaints.append(f"lost: {identity}, {event.key} number {event.sequence}")
    return verdict

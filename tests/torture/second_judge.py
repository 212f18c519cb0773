# SPDX-License-Identifier: Apache-2.0
"""The second judge: Kafka's own verifiable consumer reads every topic with read_committed, and its
output is held against the truth here, without the first judge's reader. It shows keys and values as
text, and no headers, so an event is known by what its payload says: its key and its number."""

import json
import os
import re
import subprocess

from confluent_kafka import Producer

from support.process import end, new_folder, spawn, wait_until

PAYLOAD = re.compile(r'"k": ?"([^"]+)", ?"n": ?(\d+)|"n": ?(\d+), ?"k": ?"([^"]+)"')
END = "the-end-of-a-partition"
AT_ONCE = 2


class Second:
    """Takes every record, in the order of the offsets of each partition; then close() counts what
    is lost. grown: topics that got more partitions. Order holds for a key, and there for a key in a
    partition."""

    def __init__(self, truth, grown=()):
        self.visible = 0
        self.lost = 0
        self.repeated = 0
        self.out_of_order = 0
        self.phantom = 0
        self.complaints = []
        self._wanted = {(event.key, event.sequence) for event in truth.committed.values()}
        self._seen = set()
        self._last = {}
        self._grown = grown

    def take(self, record):
        place = f"{record['topic']}[{record['partition']}] offset {record['offset']}"
        found = PAYLOAD.search(record["value"])
        if not found:
            self.phantom += 1
            self.complaints.append(f"no event of ours: {place}")
            return
        key = found.group(1) or found.group(4)
        event = (key, int(found.group(2) or found.group(3)))
        if event not in self._wanted or record["key"] != key:
            self.phantom += 1
            self.complaints.append(f"never committed: {event} at {place}")
        elif event in self._seen:
            self.repeated += 1
            self.complaints.append(f"repeated: {event} at {place}")
        else:
            self._seen.add(event)
            row = (key, record["partition"] if record["topic"] in self._grown else None)
            if self._last.get(row, 0) > event[1]:
                self.out_of_order += 1
                self.complaints.append(f"{event} after {self._last[row]} at {place}")
            self._last[row] = max(event[1], self._last.get(row, 0))

    def close(self):
        self.visible = len(self._seen)
        lost = self._wanted - self._seen
        self.lost = len(lost)
        self.complaints += [f"lost: {key} number {number}" for key, number in sorted(lost)[:10]]
        return self

    @property
    def exactly_once(self):
        return self.lost + self.repeated + self.out_of_order + self.phantom == 0

    def __str__(self):
        text = (
            f"visible {self.visible}, repeated {self.repeated}, lost {self.lost}, "
            f"out of order {self.out_of_order}, phantom {self.phantom}"
        )
        return "\n  ".join([text] + self.complaints[:10])


def judge(kafka, prefix, truth, grown=(), timeout=600):
    """walpost must have stopped: a mark is put at the end of every partition first."""
    topics = kafka.topics(prefix)
    _mark_ends(kafka, topics)
    second = Second(truth, grown)
    names = sorted(topics)
    for start in range(0, len(names), AT_ONCE):
        consumers = [
            _Consumer(kafka, topic, topics[topic]) for topic in names[start : start + AT_ONCE]
        ]
        for consumer in consumers:
            wait_until(consumer.at_end, timeout, f"{consumer.topic} is read\n{consumer.tail()}")
            for record in consumer.records():
                second.take(record)
    return second.close()


def _mark_ends(kafka, topics):
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "acks": "all", "log_level": 0})
    for topic, partitions in topics.items():
        for partition in range(partitions):
            producer.produce(topic, key=END, value=END, partition=partition)
    assert producer.flush(60) == 0, "the ends of the partitions could not be marked"


class _Consumer:
    """One run of the verifiable consumer, which knows one topic; its output in a file."""

    def __init__(self, kafka, topic, partitions):
        self.topic = topic
        self.partitions = partitions
        self.folder = new_folder("second")
        self.output = os.path.join(self.folder, "output")
        settings = os.path.join(self.folder, "consumer.properties")
        with open(settings, "w", encoding="utf-8") as file:
            file.write("isolation.level=read_committed\nmax.poll.records=5000\n")
        with open(self.output, "wb") as output, open(self.output + ".log", "wb") as log:
            self.process = spawn(
                ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
                + ["-Djava.awt.headless=true", "-Dfile.encoding=UTF-8"]
                + ["-cp", kafka.class_path, "org.apache.kafka.tools.VerifiableConsumer"]
                + ["--bootstrap-server", kafka.bootstrap, "--topic", topic, "--verbose"]
                + ["--group-id", f"second-judge-{topic}", "--command-config", settings],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
            )
        self._read = 0
        self._ends = set()

    def at_end(self):
        """Has it read the mark at the end of each partition?"""
        assert self.process.poll() is None, f"the verifiable consumer ended\n{self.tail()}"
        with open(self.output, "rb") as file:
            file.seek(self._read)
            text = file.read()
        whole = text.rfind(b"\n") + 1
        self._read += whole
        for line in text[:whole].splitlines():
            if END.encode() in line:
                self._ends.add(json.loads(line)["partition"])
        return len(self._ends) == self.partitions

    def records(self):
        """The events that it printed, in the order of their partitions' offsets."""
        end(self.process)
        with open(self.output, encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n") and '"record_data"' in line:
                    record = json.loads(line)
                    if record["key"] != END:
                        yield record

    def tail(self):
        with open(self.output + ".log", encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-10:])

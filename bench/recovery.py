# SPDX-License-Identifier: Apache-2.0
"""kill -9 under load, and a start at once: how long until events are visible again, and how long a
Kafka transaction that the dead one left open hides what others write to the same partitions."""

import random
import statistics
import threading
import time

from confluent_kafka import Consumer, Producer, TopicPartition

from support.process import wait_until
from support.stream import Stream

PARTITIONS = 6
BESIDE = b"beside"


class Watcher:
    """Writes a record of its own to each partition every 20 ms, and reads the topic under
    read_committed. `events`: when each of walpost's became visible. `hidden`: when one of its own
    did, and after how many seconds."""

    def __init__(self, bootstrap, topic):
        self.events = []
        self.hidden = []
        self._ends = threading.Event()
        self._topic = topic
        self._consumer = Consumer({
            "bootstrap.servers": bootstrap, "group.id": "walpost-bench", "enable.auto.commit": False,
            "isolation.level": "read_committed", "auto.offset.reset": "latest", "fetch.wait.max.ms": 50,
        })
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
        self._consumer.assign([TopicPartition(topic, n) for n in range(PARTITIONS)])
        self._threads = [threading.Thread(target=work) for work in (self._write, self._read)]
        for thread in self._threads:
            thread.start()

    def _write(self):
        while not self._ends.wait(0.02):
            for partition in range(PARTITIONS):
                self._producer.produce(self._topic, str(time.time()), BESIDE, partition)
            self._producer.poll(0)
        self._producer.flush(10)

    def _read(self):
        while not self._ends.is_set():
            for message in self._consumer.consume(500, 0.05):
                now = time.time()
                if message.error() is not None:
                    continue
                if message.key() == BESIDE:
                    self.hidden.append((now, now - float(message.value())))
                else:
                    self.events.append(now)

    def visible_since(self, moment):
        return next((at for at in self.events if at > moment), None)

    def longest_since(self, moment):
        return max((seconds for at, seconds in self.hidden if at > moment), default=0)

    def end(self):
        self._ends.set()
        for thread in self._threads:
            thread.join()
        self._consumer.close()


def one_kill(stream, watcher):
    """Seconds from the start of the next walpost to its first visible event, and the longest that a
    record of somebody else was hidden from the kill on."""
    pause = time.time() + 1 + random.random()
    wait_until(lambda: time.time() > pause, 10, "a while of load")
    killed = time.time()
    stream.walpost.kill()
    # What it had committed is visible at once; nothing of it can come later than the start.
    settled = time.time() + 0.3
    wait_until(lambda: time.time() > settled, 10, "what was committed to be read")
    started = time.time()
    stream.walpost.start()
    wait_until(lambda: watcher.visible_since(started), 60, "an event after the start")
    first = watcher.visible_since(started) - started
    healed = time.time() + 1
    wait_until(lambda: time.time() > healed, 10, "what was hidden to be read")
    return first, watcher.longest_since(killed)


def recovery(options, postgres, kafka, tools):
    kills = options.kills
    stream = Stream(
        postgres, kafka, "recovery", outbox={"after_publish": "keep", "snapshot": "none"},
        topics={"create": True, "partitions": PARTITIONS},
    )
    stream.walpost.init()
    topic = stream.prefix + "Order"
    kafka.create_topic(topic, PARTITIONS)
    stream.walpost.start()
    stream.walpost.wait_for("streaming")
    script = tools.insert_script(stream)
    tools.load(stream, script, 1000, tools.WARM_UP_SECONDS)
    watcher = Watcher(kafka.bootstrap, topic)
    load = threading.Thread(target=tools.load, args=(stream, script, 500, 5 * kills))
    load.start()
    wait_until(lambda: watcher.events and watcher.hidden, 30, "both kinds of records to be read")
    began = time.time()
    usual = time.time() + 3
    wait_until(lambda: time.time() > usual, 10, "three seconds without a kill")
    calm = watcher.longest_since(began)
    runs = [one_kill(stream, watcher) for _ in range(kills)]
    load.join()
    watcher.end()
    assert stream.walpost.stop() == 0
    stream.end()
    firsts, hidden = (sorted(column) for column in zip(*runs))
    tools.say(f"\n### kill -9 at 500 events/s and a start 0.3 s later, {kills} times\n")
    tools.say("| seconds | median | longest |")
    tools.say("| --- | --- | --- |")
    tools.say(f"| from the start to the first event that is visible | {statistics.median(firsts):.2f} "
              f"| {firsts[-1]:.2f} |")
    tools.say("| others' records in the same partitions hidden, from kill to heal, the 0.3 s included "
              f"| {statistics.median(hidden):.2f} | {hidden[-1]:.2f} |")
    tools.say(f"| the same while nobody is killed | | {calm:.2f} |")

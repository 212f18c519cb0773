# SPDX-License-Identifier: Apache-2.0
"""What the coordinator remembers of transactional ids: the topic __transaction_state."""

import contextlib
import struct

from support.process import wait_until
from support.reader import Reader

# org.apache.kafka: TransactionState.java
STATES = {
    0: "empty",
    1: "ongoing",
    2: "prepare commit",
    3: "prepare abort",
    4: "complete commit",
    5: "complete abort",
}


class TransactionLog:
    """Follows the states of the transactional ids that begin with a prefix."""

    def __init__(self, kafka, prefix):
        self.prefix = prefix
        self._reader = Reader(kafka.bootstrap, "__transaction_state", "read_uncommitted")
        self._states = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._reader.close()

    def states(self):
        """id -> its last state; None: Kafka has forgotten it."""
        for record in self._reader.poll():
            (length,) = struct.unpack_from(">h", record.key, 2)  # behind the version
            identity = record.key[4 : 4 + length].decode()
            if identity.startswith(self.prefix):
                self._states[identity] = _state(record.value)
        return dict(self._states)

    def all_forgotten(self):
        states = self.states()
        return bool(states) and not any(states.values())


@contextlib.contextmanager
def between_ends(kafka, *walposts):
    """These sleep, perhaps with Kafka transactions open, but none whose end is being written. Where
    all brokers die in that moment, Kafka 4.3.1 forgets the markers of transactions that it has
    acknowledged: docs/guarantees.md. That is not walpost's to prevent, so not a test's to do."""
    with TransactionLog(kafka, "walpost.") as log:
        log.states()
        awake = [walpost for walpost in walposts if walpost.running and not walpost.frozen]
        for walpost in awake:
            walpost.freeze()
        calm = []

        def quiet():
            calm.append(not any((state or "").startswith("prepare") for state in log.states().values()))
            return calm[-3:] == [True] * 3

        try:
            wait_until(quiet, 30, "no end of a Kafka transaction is being written", 0.03)
            yield
        finally:
            for walpost in awake:
                walpost.thaw()


def _state(value):
    """Version, producer id and epoch, timeout, state (TransactionLogValue.json)."""
    if value is None:
        return None
    number = struct.unpack_from(">hqhib", value)[-1]
    return STATES.get(number, f"state {number}")

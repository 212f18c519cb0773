# SPDX-License-Identifier: Apache-2.0
"""A writer that knows what it committed.

Up to 8 connections at once run random transactions: one row, many rows, COPY, savepoints that are
rolled back, transactions that are rolled back. Hot keys are shared, so commit order of a key has to
be known: a transaction takes the advisory lock of each of its keys, in one order, before it writes,
and holds them until it has ended. The sequence number of a key, taken under its lock, therefore
grows with commit order, and with insert order inside a transaction. Numbers of what was rolled back
are never used again. When a connection is lost, the outcome is looked up before anything is noted:
each transaction leaves a row in a journal. (Its id would not do: PostgreSQL gives the ids that a
crash swallowed away again.)"""

import contextlib
import io
import json
import random
import threading
import uuid
import zlib
from collections import namedtuple

import psycopg2

from support.process import wait_until

Event = namedtuple("Event", "key sequence")

JOURNAL = "create table if not exists writer_journal (id uuid primary key)"
COLUMNS = "(id, aggregate_id, event_type, payload)"
SHAPES = {"one_row": 55, "many_rows": 18, "copy": 7, "savepoints": 20}  # name -> weight


class Truth:
    """What was committed (id -> key and sequence), and which ids never may be seen."""

    def __init__(self):
        self.committed = {}
        self.rolled_back = set()
        self.messages = set()  # of the committed ones: those without a row
        self.transactions = 0
        self._next = {}
        self._lock = threading.Lock()

    def take_sequence(self, key):
        """The caller holds the key's lock in the database."""
        with self._lock:
            self._next[key] = self._next.get(key, 0) + 1
            return self._next[key]

    def note(self, kept, dropped, messages=()):
        """kept: [(id, key, sequence)] of a transaction that committed; dropped: ids that did not;
        messages: those of the kept that have no row."""
        with self._lock:
            self.transactions += 1
            for identity, key, sequence in kept:
                self.committed[identity] = Event(key, sequence)
            self.rolled_back.update(dropped)
            self.messages.update(messages)


class Writer:
    """connect: makes a connection in autocommit mode. Runs until stop(), or through
    run_transactions(n). pause: seconds between the transactions of one connection. shapes: what its
    transactions look like, and how often. big: how many rows those of the shape "big" have. A key
    with a slash has its domain, so its topic, in front of that: "Late/key-1"."""

    def __init__(
        self,
        connect,
        table="outbox_events",
        connections=8,
        keys=20,
        seed=1,
        pause=0.0,
        padding=40,
        truth=None,
        shapes=None,
        big=(1000, 4000),
    ):
        assert 1 <= connections <= 8
        self.connect = connect
        self.table = table
        self.connections = connections
        self.keys = [f"key-{seed}-{n}" for n in range(keys)]
        self.seed = seed
        self.pause = pause
        self.padding = "x" * padding
        self.truth = truth or Truth()
        self.shapes = shapes or SHAPES
        self.big = big
        self.failures = []
        self._stop = threading.Event()
        self._threads = []
        self._left = None
        self._starts = 0
        self._left_lock = threading.Lock()

    def start(self, transactions=None):
        """Starts the connections; they stop by themselves after `transactions` in all, if given."""
        self._left = transactions
        self._starts += 1
        self._stop.clear()
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(JOURNAL)
        self._threads = [
            threading.Thread(target=self._work, args=(number,), daemon=True)
            for number in range(self.connections)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def wait(self, timeout=300):
        """Waits until all connections are done, raises what went wrong in them; the truth."""
        for thread in self._threads:
            thread.join(timeout)
            assert not thread.is_alive(), "a writer is stuck"
        if self.failures:
            raise self.failures[0]
        return self.truth

    def stop(self, timeout=60):
        self._stop.set()
        return self.wait(timeout)

    def run_transactions(self, transactions):
        return self.start(transactions).wait()

    @contextlib.contextmanager
    def running(self):
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def _work(self, number):
        try:
            choose = random.Random(f"{self.seed}-{self._starts}-{number}")
            connection = self.connect()
            while self._take_turn():
                transaction = _Transaction(self, choose)
                try:
                    transaction.run(connection)
                except psycopg2.OperationalError:  # the server is going, or gone
                    with contextlib.suppress(psycopg2.Error):
                        connection.close()
                    connection = self._reconnect()
                    transaction.resolve(connection)
                transaction.note()
                self._stop.wait(self.pause)
            connection.close()
        except BaseException as error:  # handed to whoever waits
            self.failures.append(error)
            self._stop.set()

    def _take_turn(self):
        if self._stop.is_set():
            return False
        with self._left_lock:
            if self._left is None:
                return True
            self._left -= 1
            return self._left >= 0

    def _reconnect(self):
        def attempt():
            try:
                return self.connect()
            except psycopg2.OperationalError:
                return None

        return wait_until(attempt, 60, "PostgreSQL is back")


class _Transaction:
    """One transaction of the writer, from its choice to its outcome."""

    def __init__(self, writer, choose):
        self.writer = writer
        self.choose = choose
        shapes = writer.shapes
        shape = choose.choices(list(shapes), list(shapes.values()))[0]
        self.shape = getattr(self, "_" + shape)
        self.roll_back = choose.random() < 0.12
        self.keys = sorted(
            choose.choices(
                writer.keys,
                weights=[1 / (1 + n) for n in range(len(writer.keys))],  # hot ones first
                k=1 if shape == "one_row" else choose.randint(1, 4),
            )
        )
        self.identity = str(uuid.UUID(int=choose.getrandbits(128), version=4))
        self.kept = []
        self.dropped = []
        self.messages = []
        self.committed = False

    def run(self, connection):
        with connection.cursor() as cursor:
            cursor.execute("begin")
            self._lock_keys(cursor)
            cursor.execute("insert into writer_journal values (%s)", (self.identity,))
            self.shape(cursor)
            if self.roll_back:
                cursor.execute("rollback")
            else:
                cursor.execute("commit")
                self.committed = True

    def resolve(self, connection):
        """After a lost connection: did it commit? Its locks tell when it has ended for certain."""
        with connection.cursor() as cursor:
            cursor.execute("begin")
            self._lock_keys(cursor)
            cursor.execute("select from writer_journal where id = %s", (self.identity,))
            self.committed = cursor.rowcount == 1
            cursor.execute("commit")

    def _lock_keys(self, cursor):
        cursor.execute(
            "select pg_advisory_xact_lock(k) from unnest(%s::bigint[]) k",
            (sorted({zlib.crc32(key.encode()) for key in self.keys}),),
        )

    def note(self):
        if self.committed:
            self.writer.truth.note(self.kept, self.dropped, self.messages)
        else:
            self.writer.truth.note([], self.dropped + [event[0] for event in self.kept])

    def _one_row(self, cursor):
        self._insert(cursor, self._rows(1))

    def _many_rows(self, cursor):
        self._insert(cursor, self._rows(self.choose.randint(2, 12)))

    def _copy(self, cursor, least=10, most=60):
        text = "".join("\t".join(row) + "\n" for row in self._rows(self.choose.randint(least, most)))
        cursor.copy_expert(f"copy {self.writer.table} {COLUMNS} from stdin", io.StringIO(text))

    def _big(self, cursor):
        self._copy(cursor, *self.writer.big)

    def _messages(self, cursor):
        """Logical messages between rows; and one that a rollback would not take back, which is no
        event."""
        for row in self._rows(self.choose.randint(2, 6)):
            if self.choose.random() < 0.3:
                self._insert(cursor, [row])
            else:
                self._emit(cursor, row)
                self.messages.append(row[0])
        never = self._rows(1)[0]
        self._drop_from(len(self.kept) - 1)
        self._emit(cursor, never, transactional=False)

    def _emit(self, cursor, row, transactional=True):
        names = ("id", "aggregate_id", "event_type")
        message = {**dict(zip(names, row)), "payload": json.loads(row[3])}
        cursor.execute(
            "select pg_logical_emit_message(%s, 'walpost', %s)",
            (transactional, json.dumps(message)),
        )

    def _savepoints(self, cursor):
        """Inserts around savepoints, of which some are rolled back, one nested in another."""
        self._insert(cursor, self._rows(self.choose.randint(1, 3)))
        cursor.execute("savepoint outer_one")
        before_outer = len(self.kept)
        self._insert(cursor, self._rows(self.choose.randint(1, 3)))
        cursor.execute("savepoint inner_one")
        before_inner = len(self.kept)
        self._insert(cursor, self._rows(self.choose.randint(1, 3)))
        if self.choose.random() < 0.5:
            cursor.execute("rollback to inner_one")
            self._drop_from(before_inner)
        else:
            cursor.execute("release inner_one")
        if self.choose.random() < 0.5:
            cursor.execute("rollback to outer_one")
            self._drop_from(before_outer)
        self._insert(cursor, self._rows(self.choose.randint(1, 2)))

    def _drop_from(self, position):
        self.dropped += [event[0] for event in self.kept[position:]]
        del self.kept[position:]

    def _rows(self, count):
        rows = []
        for _ in range(count):
            key = self.choose.choice(self.keys)
            identity = str(uuid.UUID(int=self.choose.getrandbits(128), version=4))
            sequence = self.writer.truth.take_sequence(key)
            self.kept.append((identity, key, sequence))
            rows.append((identity, key, event_type(key), self._payload(key, sequence)))
        return rows

    def _payload(self, key, sequence):
        return json.dumps({"k": key, "n": sequence, "padding": self.writer.padding})

    def _insert(self, cursor, rows):
        values = ", ".join(["(%s, %s, %s, %s)"] * len(rows))
        cursor.execute(
            f"insert into {self.writer.table} {COLUMNS} values {values}",
            [field for row in rows for field in row],
        )


def event_type(key):
    """A key always has the same domain, so the same topic: order is promised for a key."""
    domain, slash, _ = key.partition("/")
    if slash:
        return domain + ".ItemAdded"
    return ("Order.ItemAdded", "Payment.PaymentProcessed")[zlib.crc32(key.encode()) % 2]

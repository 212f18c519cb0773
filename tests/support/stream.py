# SPDX-License-Identifier: Apache-2.0
"""A stream of its own for one test: database, slot, publication, topics, one walpost, and what a
test asks of them."""

import contextlib
import os

from support.process import new_folder, wait_until
from support.reader import Reader, judge
from support.walpost import Walpost
from support.writer import Writer

ROLE = "walpost"
TABLE = "outbox_events"


class Stream:
    """sections: replace or add top sections of the configuration, merged one level deep."""

    def __init__(self, postgres, kafka, name, **sections):
        self.postgres = postgres
        self.kafka = kafka
        self.name = name
        self.slot = f"walpost_{name}"
        self.publication = f"walpost_{name}"
        self.prefix = f"{name}.event."
        self.dead_letter_topic = f"{name}.dead-letter"
        self.folder = new_folder(name)
        self._writers = 0
        self._instances = []
        self._create_database()
        self.walpost = self.instance("walpost", **sections)

    def instance(self, name, **sections):
        """Another walpost of the same stream."""
        config = self._config()
        for section, value in sections.items():
            if isinstance(value, dict):
                config[section] = {**config.get(section, {}), **value}
            else:
                config[section] = value
        walpost = Walpost(self.folder, config, name)
        self._instances.append(walpost)
        return walpost

    def _config(self):
        return {
            "stream": self.name,
            "postgres": {"dsn": self.postgres.dsn(self.name, ROLE)},
            "route": {"topic": self.prefix + "{domain}", "on_missing_topic": "create"},
            "dead_letter": {"topic": self.dead_letter_topic},
            "topics": {"create": True, "partitions": 3},
            "kafka": {"bootstrap.servers": self.kafka.bootstrap} if self.kafka else {},
        }

    def _create_database(self):
        if not self.postgres.execute("select 1 from pg_roles where rolname = %s", (ROLE,)):
            self.postgres.execute(f"create role {ROLE} login replication")
        self.postgres.execute(f"create database {self.name} owner {ROLE}")

    def end(self):
        """Ends its processes and frees what would hold back the server: slot and database."""
        for walpost in self._instances:
            if walpost.running:
                walpost.kill()
        if self.postgres.process is None or self.postgres.process.poll() is not None:
            return
        wait_until(lambda: not self.slot_state("active"), 30, "the slot is free")
        if self.slot_state("slot_name"):
            self.postgres.execute("select pg_drop_replication_slot(%s)", (self.slot,))
        self.postgres.execute(f"drop database {self.name} with (force)")

    # PostgreSQL

    def connect(self, user=None):
        return self.postgres.connect(self.name, user)

    def execute(self, sql, arguments=None, user=None):
        return self.postgres.execute(sql, arguments, self.name, user)

    def value(self, sql, arguments=None):
        return self.postgres.value(sql, arguments, self.name)

    def insert(self, count=1, key="k", event_type="Order.ItemAdded"):
        """`count` rows in one transaction; their ids, in order."""
        rows = self.execute(
            f"insert into {TABLE} (aggregate_id, event_type, payload) "
            "select %s, %s, jsonb_build_object('n', n) from generate_series(1, %s) n "
            "returning id::text",
            (key, event_type, count),
        )
        return [row[0] for row in rows]

    def slot_state(self, column):
        return self.postgres.value(
            f"select {column} from pg_replication_slots where slot_name = %s", (self.slot,)
        )

    def wal_position(self):
        """The current end of WAL, after a commit record that is flushed for certain."""
        return self.value("select pg_current_wal_lsn()::text")

    def confirmed(self):
        return self.slot_state("confirmed_flush_lsn::text")

    def wait_confirmed(self, position, timeout=30):
        wait_until(
            lambda: self.slot_state(f"confirmed_flush_lsn >= '{position}'::pg_lsn"),
            timeout,
            f"the slot is confirmed up to {position}\n{self.walpost.log_tail()}",
        )

    def wait_streaming(self, timeout=30, walpost=None):
        """Until a walsender serves the slot, and the instance is alive."""
        walpost = walpost or self.walpost

        def streaming():
            if not walpost.running:
                raise AssertionError(f"walpost ended:\n{walpost.log_tail()}")
            return self.slot_state("active")

        wait_until(streaming, timeout, f"the slot is in use\n{walpost.log_tail()}")

    def statuses(self):
        """status -> number of rows."""
        return dict(self.execute(f"select status, count(*) from {TABLE} group by status"))

    def wait_statuses(self, wanted, timeout=30):
        wait_until(
            lambda: self.statuses() == wanted,
            timeout,
            f"the table's statuses are {wanted}\n{self.walpost.log_tail()}",
        )

    def writer(self, **options):
        self._writers += 1
        return Writer(self.connect, seed=options.pop("seed", self._writers), **options)

    # Kafka

    def reader(self, prefix=None, **options):
        return Reader(self.kafka.bootstrap, prefix or self.prefix, **options)

    def records(self, count, timeout=30, prefix=None):
        """Waits for `count` visible records and a moment in which nothing is hidden; all there are."""
        with self.reader(prefix) as reader:
            if not reader.read_until(lambda records: len(records) >= count, timeout):
                raise AssertionError(
                    f"{len(reader.records)} records of {count} after {timeout} s\n"
                    f"{self.walpost.log_tail()}"
                )
            return reader.read_to_end()

    def dead_letters(self, count, timeout=30):
        return self.records(count, timeout, self.dead_letter_topic)

    def verdict(self, truth, timeout=90, walpost=None, slim=False):
        """Waits until everything is visible, or the time is over; stops walpost, so that nothing
        more can come; reads to the very end and judges."""
        walpost = walpost or self.walpost
        with self.reader(slim=slim) as reader:
            missing = set(truth.committed)
            looked_at = 0

            def complete(records):
                nonlocal looked_at
                missing.difference_update(r.headers.get("event_id") for r in records[looked_at:])
                looked_at = len(records)
                return not missing

            reader.read_until(complete, timeout)
            if walpost.running:
                status = walpost.stop()
                assert status == 0, f"exit status {status}\n{walpost.log_tail()}"
            reader.read_to_end()
            return judge(truth, reader.records)

    def assert_exactly_once(self, truth, **options):
        verdict = self.verdict(truth, **options)
        assert verdict.exactly_once, f"{verdict}\n{self.walpost.log_tail()}"
        return verdict

    def assert_all_marked(self):
        """Every row says COMMITTED; otherwise: which do not, and where their records are."""
        pending = {
            row[0]
            for row in self.execute(f"select id::text from {TABLE} where status <> 'COMMITTED'")
        }
        if pending:
            with self.reader() as reader:
                places = [
                    record.headers["position"]
                    for record in reader.read_to_end()
                    if record.headers["event_id"] in pending
                ]
            raise AssertionError(
                f"{len(pending)} rows are not marked; published at {sorted(places)}; "
                f"confirmed: {self.confirmed()}\n{self.walpost.log_tail()}"
            )

    @contextlib.contextmanager
    def running(self, *arguments):
        """walpost initialised and streaming; stopped at the end, with exit status 0."""
        self.walpost.init()
        self.walpost.start(*arguments)
        self.wait_streaming()
        yield self.walpost
        if self.walpost.running:
            status = self.walpost.stop()
            assert status == 0, f"exit status {status}\n{self.walpost.log_tail()}"


def keep_logs(stream, report):
    """Adds the end of each instance's log to the report of a failed test."""
    for name in sorted(os.listdir(stream.folder)):
        if name.endswith(".log"):
            with open(os.path.join(stream.folder, name), encoding="utf-8", errors="replace") as file:
                report.sections.append((f"the end of {name}", "".join(file.readlines()[-40:])))

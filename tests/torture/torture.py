# SPDX-License-Identifier: Apache-2.0
"""One torture run: writers that never stop, faults by the schedule, and both judges at the end."""

import contextlib
import json
import time
import uuid

import psycopg2

from support.process import Timeout, wait_until
from support.reader import judge
from support.stream import TABLE
from support.transactions import between_ends
from support.writer import COLUMNS, event_type
from torture import second_judge, servers
from torture.crew import FENCED, START_TIMEOUT, Crew, Unexpected
from torture.schedule import KINDS, draw

SHAPES = {"one_row": 55, "many_rows": 16, "copy": 3, "savepoints": 18, "messages": 8, "big": 0.15}
LATE = "Late0"  # the domain that new_topic replaces by another one
BACKLOG_MAX = 48 * 2**20  # bytes of WAL; then the faults wait
BACKLOG_LOW = 4 * 2**20
PAUSE_MAX = {1: 1.8, 3: 6.0}  # seconds; one broker: below its session timeout, see docs/guarantees.md
PASSES_MAX = 30  # of crash points, between a start and a fault: some five batches
SILENCE = 3  # seconds in which a sleeper that woke up hears nothing of PostgreSQL
SLOT_HELD = "55006"
SLOWEST = 2000  # bytes a second of a slow link, which carries up to 32 times as much
REFRESH = {"topic.metadata.refresh.interval.ms": 500}  # 5 minutes unless set
MANY_PARTITIONS = 12  # of a topic; another one is grown then


class Torture:
    """stream: of its own. log: a file for a line of JSON for each fault. broken: a rule that walpost
    shall break (src/base/broken_rule.h), so that the run must fail."""

    def __init__(self, stream, seed, lanes, log=None, broken=None):
        self.stream = stream
        self.postgres = stream.postgres
        self.kafka = stream.kafka
        self.seed = seed
        self.lanes = lanes
        self.log = log
        stream.walpost.write_config(lanes=lanes, batch={"max_events": 500})
        self.crew = Crew(stream, lanes, {"WALPOST_BROKEN_RULE": broken} if broken else {})
        # The first one sees new partitions while it runs, the other one at its next start.
        first = stream.walpost
        first.write_config(kafka={**first.config["kafka"], **REFRESH})
        self.brokers = servers.Brokers(self.kafka)
        self.writer = self.stream.writer(
            seed=seed, connections=4, keys=14, pause=0.04, shapes=SHAPES
        )
        self.writer.keys[3:3] = [f"{LATE}/key-{n}" for n in range(3)]
        self.done = []  # a dictionary for each fault
        self.first_commits = []  # seconds from a start to the first commit of a batch
        self.take_overs = []  # seconds from the death of a leader to the standby's session
        self.late = 0
        self.grown = {}  # topic -> how many partitions it had, one number after the other
        self.began = time.monotonic()
        self.seconds = 0.0

    def run(self, faults=None, duration=None, only=KINDS):
        """Through so many faults, or for so many seconds; the verdict. only: faults of these kinds."""
        self.stream.walpost.init()
        self.began = time.monotonic()
        try:
            with self.writer.running():
                self._inflict_all(faults, duration, only)
        finally:
            self.seconds = time.monotonic() - self.began
        return self._judge()

    def _inflict_all(self, faults, duration, only):
        self.crew.start()
        schedule = draw(self.seed, self.kafka.nodes, self.lanes)
        for fault in (fault for fault in schedule if fault.kind in only):
            if faults is not None and len(self.done) >= faults:
                break
            if duration is not None and time.monotonic() - self.began > duration:
                break
            self._inflict(fault)
            if len(self.done) % 10 == 0:
                self._catch_up()
        self.brokers.wait_whole()
        self.crew.leader.wait_streaming()

    # One fault

    def _inflict(self, fault):
        began = time.monotonic()
        if self.writer.failures:
            raise self.writer.failures[0]
        if fault.in_flight and fault.kind not in ("kill_at_point", "kill_in_commit"):
            self.crew.wait_in_flight(passes=int(fault.moment * PASSES_MAX))
        evidence = getattr(self, "_" + fault.kind)(fault)
        entry = {
            "number": fault.number,
            "at": round(began - self.began, 3),
            "took": round(time.monotonic() - began, 3),
            "kind": fault.kind,
            **({"place": f"{fault.place}:{fault.passes}+{fault.delay_us}us"} if fault.place else {}),
            **evidence,
        }
        self.done.append(entry)
        if self.log is not None:
            self.log.write(json.dumps(entry) + "\n")
            self.log.flush()

    def _kill_in_commit(self, fault):
        return self._kill_at_point(fault)

    def _kill_at_point(self, fault):
        leader = self.crew.leader
        leader.check_alive()
        leader.board.arm(fault.place, fault.passes, fault.delay_us)
        if fault.place.endswith("_generation"):  # committed at a connect
            leader.wait_session_or_death()
            if leader.running:
                self._end_walsender()
        leader.wait_death()
        evidence = leader.evidence()
        if fault.place == "before_commit" and fault.delay_us == 0:
            evidence["in_commit"] = False  # just not yet
        if (fault.place, fault.passes) == ("after_commit", 1):
            self.first_commits.append(time.monotonic() - leader.started)
        self.crew.start()
        return evidence

    def _kill_at_random(self, fault):
        if not fault.in_flight:
            self._let_pass(fault.moment * 0.8)
        evidence = self.crew.kill_leader()
        self.crew.start()
        return evidence

    def _lanes_change(self, fault):
        """Twice in a row, and back with the next start."""
        evidence = self.crew.kill_leader()
        self.crew.start(lanes=fault.lanes)
        self.crew.leader.wait_streaming()
        if fault.choice < 0.5:
            self.crew.wait_in_flight()
            self.crew.kill_leader()
            self.crew.start(lanes=fault.lanes % 4 + 1)
        return evidence

    def _take_over(self, fault):
        """A leader sleeps with its batch open, and wakes up when its successor leads. Most of them
        are not told that they have lost PostgreSQL, and could go on with what they hold."""
        sleeper = self.crew.leader
        sleeper.check_alive()
        sleeper.walpost.freeze()
        evidence = sleeper.evidence()
        silent = fault.moment < 0.7
        if silent:
            sleeper.link.go_silent()
        self.crew.start_other("--take-over")
        self.crew.other.wait_streaming()
        self.crew.swap()
        if fault.choice < 0.5:
            self.crew.wait_in_flight()
        sleeper.walpost.thaw()
        if silent:
            with contextlib.suppress(Timeout):  # it ends its batch, or finds that it cannot
                wait_until(lambda: not sleeper.board.in_flight(), SILENCE, "a batch has ended", 0.01)
            sleeper.link.pass_again()
        self._expect_succeeded(sleeper)
        return evidence

    def _expect_succeeded(self, sleeper):
        """Fenced, or among those that wait for the slot; whatever it has published is judged."""
        try:
            wait_until(
                lambda: not sleeper.running or SLOT_HELD in sleeper.walpost.log_text(), 20, "fenced"
            )
        except Timeout:
            tail = sleeper.walpost.log_tail(30)
            raise Unexpected(f"a sleeper woke up and noticed nothing\n{tail}") from None
        if sleeper.running:
            sleeper.walpost.kill()
            return
        status = sleeper.walpost.wait_exit()
        if status != FENCED:
            tail = sleeper.walpost.log_tail(30)
            raise Unexpected(f"a sleeper woke up and ended with status {status}\n{tail}")

    def _standby(self, fault):
        standby = self.crew.other
        self.crew.start_other()
        wait_until(
            lambda: standby.check_alive() or SLOT_HELD in standby.walpost.log_text(),
            START_TIMEOUT,
            f"it stands by\n{standby.walpost.log_tail()}",
        )
        if fault.in_flight:
            self.crew.wait_in_flight()
        evidence = self.crew.kill_leader()
        died = time.monotonic()
        standby.wait_streaming()
        self.take_overs.append(time.monotonic() - died)
        self.crew.swap()
        return evidence

    def _clean_stop(self, _fault):
        evidence = self.crew.leader.evidence()
        status = self.crew.leader.walpost.stop()
        if status != 0:
            raise Unexpected(
                f"SIGTERM, exit status {status}\n{self.crew.leader.walpost.log_tail(30)}"
            )
        self.crew.start()
        return evidence

    # PostgreSQL

    def _walsender(self, _fault):
        evidence = self.crew.leader.evidence()
        self._end_walsender()
        return evidence

    def _end_walsender(self):
        self.postgres.execute(
            "select pg_terminate_backend(active_pid) from pg_replication_slots "
            "where slot_name = %s and active_pid is not null",
            (self.stream.slot,),
        )

    def _link_cut(self, _fault):
        evidence = self.crew.leader.evidence()
        self.crew.leader.link.cut()
        return evidence

    def _link_silent(self, fault):
        evidence = self.crew.leader.evidence()
        link = self.crew.leader.link
        link.go_silent()
        self._let_pass(0.1 + 1.4 * fault.choice)
        self._perhaps_kill(fault)
        link.pass_again()
        return evidence

    def _link_slow(self, fault):
        """Less passes than is written. Of some, the start of another process goes over it too."""
        evidence = self.crew.leader.evidence()
        link = self.crew.leader.link
        bytes_per_second = round(SLOWEST * 32**fault.choice)
        link.slow_down(bytes_per_second)
        self._let_pass(0.2 + 1.2 * fault.moment)
        self._perhaps_kill(fault)
        self._let_pass(0.2 + 0.8 * fault.moment)
        link.full_speed()
        return {**evidence, "bytes_per_second": bytes_per_second}

    def _postgres_crash(self, fault):
        evidence = self.crew.leader.evidence()
        self.postgres.kill()
        self._perhaps_kill(fault)
        self.postgres.start()
        return evidence

    def _postgres_restart(self, fault):
        evidence = self.crew.leader.evidence()
        self.postgres.stop("fast" if fault.choice < 0.6 else "immediate")
        self.postgres.start()
        return evidence

    # Kafka

    def _broker_kill(self, fault):
        return self._lose_broker(fault, 1 + int(fault.choice * self.kafka.nodes))

    def _coordinator_move(self, fault):
        lane = int(fault.choice * self.lanes) if isinstance(self.lanes, int) else 0
        which = "ab"[fault.number % 2]
        node = servers.coordinator(self.kafka, f"walpost.{self.stream.name}.{lane}.{which}")
        return self._lose_broker(fault, node)

    def _leader_move(self, fault):
        topics = sorted(self.kafka.topics(self.stream.prefix).items()) or [("", 1)]
        topic, partitions = topics[int(fault.choice * len(topics))]
        node = servers.leader(self.kafka, topic, fault.number % partitions)
        return self._lose_broker(fault, node)

    def _lose_broker(self, fault, node):
        self.brokers.wait_whole()
        if fault.in_flight:
            self.crew.wait_in_flight()
        if self.kafka.nodes == 3 and fault.moment < 0.3:
            evidence = self.crew.leader.evidence()
            self.kafka.stop_node(node)  # hands over what it leads
        else:
            self._kill_broker(node)
            evidence = self.crew.leader.evidence()
        self._perhaps_kill(fault)
        self.brokers.bring_back(node)
        if self.kafka.nodes == 1:
            self.brokers.wait_whole()
        return evidence

    def _kill_broker(self, node):
        if self.kafka.nodes == 3:
            self.brokers.kill(node)
        else:
            with between_ends(self.kafka, self.crew.leader.walpost, self.crew.other.walpost):
                self.brokers.kill(node)

    def _broker_pause(self, fault):
        self.brokers.wait_whole()
        node = 1 + int(fault.choice * self.kafka.nodes)
        if fault.in_flight:
            self.crew.wait_in_flight()
        self.kafka.freeze_node(node)
        evidence = self.crew.leader.evidence()
        try:
            self._let_pass((0.1 + 0.9 * fault.moment) * PAUSE_MAX[self.kafka.nodes])
        finally:
            self.kafka.thaw_node(node)
        return evidence

    def _perhaps_kill(self, fault):
        """A second fault while the first one lasts: the new process meets a server that is away."""
        if fault.moment > 0.7:
            self.crew.kill_leader()
            self.crew.start()

    # The work itself

    def _new_topic(self, fault):
        evidence = self.crew.leader.evidence()
        self.late += 1
        domain = f"Late{self.late}"
        self.writer.keys = [
            f"{domain}/key-{fault.number}-{n}" if key.startswith("Late") else key
            for n, key in enumerate(self.writer.keys)
        ]
        return evidence

    def _partitions_added(self, fault):
        """Keys move then. Where walpost is killed as well, the start meets them first."""
        self.brokers.wait_whole()
        topic, partitions = self._topic_in_use(fault.choice)
        if fault.in_flight:
            self.crew.wait_in_flight()
        evidence = self.crew.leader.evidence()
        sizes = self.grown.setdefault(topic, [partitions])
        sizes.append(partitions + 1 + fault.number % 2)
        self.kafka.add_partitions(topic, sizes[-1])
        self._perhaps_kill(fault)
        return {**evidence, "topic": topic, "partitions": sizes[-1]}

    def _topic_in_use(self, choice):
        """One that events are written to now, and how many partitions it has."""
        domains = {event_type(key).partition(".")[0] for key in self.writer.keys}

        def those_there():
            self.crew.leader.check_alive()
            topics = self.kafka.topics(self.stream.prefix).items()
            return sorted(t for t in topics if t[0].removeprefix(self.stream.prefix) in domains)

        topics = wait_until(those_there, START_TIMEOUT, "a topic of events")
        sizes = [(name, self.grown.get(name, [size])[-1]) for name, size in topics]
        chosen = sizes[int(choice * len(sizes))]
        smallest = min(sizes, key=lambda topic: topic[1])
        return chosen if chosen[1] < MANY_PARTITIONS else smallest

    def _ddl(self, fault):
        evidence = self.crew.leader.evidence()
        column = f"late_{fault.number}"
        with contextlib.closing(self.stream.connect()) as connection, connection.cursor() as cursor:
            with contextlib.suppress(psycopg2.errors.DeadlockDetected):
                cursor.execute("begin")
                cursor.execute(f"alter table {TABLE} add column {column} text default 'x'")
                if fault.choice < 0.5:  # no mark can be made meanwhile
                    self._let_pass(0.1 + 0.3 * fault.moment)
                    evidence = self.crew.kill_leader()
                    self.crew.start()
                cursor.execute("commit")
                if fault.number % 2:
                    cursor.execute(f"alter table {TABLE} drop column {column}")
        return evidence

    def _row_lock(self, fault):
        """The mark of a row waits for its lock, so do all marks after it; meanwhile walpost is
        killed. Insert and lock go out as one message, so that the lock is there first."""
        key = f"locked-{fault.number}"
        identity = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.seed} {key}"))
        sequence = self.writer.truth.take_sequence(key)
        payload = json.dumps({"k": key, "n": sequence})
        with contextlib.closing(self.stream.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(
                f"begin; insert into {TABLE} {COLUMNS} values (%s, %s, %s, %s); commit; "
                f"begin; select from {TABLE} where id = %s for update",
                (identity, key, event_type(key), payload, identity),
            )
            self.writer.truth.note([(identity, key, sequence)], [])
            self._let_pass(0.2 + 0.4 * fault.moment)
            evidence = self.crew.kill_leader()
            self.crew.start()
            cursor.execute("commit")
        return evidence

    # Time

    def _let_pass(self, seconds):
        """The length of a fault, not a wait for something."""
        time.sleep(seconds)

    def _backlog(self):
        return self.postgres.value(
            "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), confirmed_flush_lsn)::bigint "
            "from pg_replication_slots where slot_name = %s",
            (self.stream.slot,),
        )

    def _catch_up(self):
        """Faults in quick succession leave little time to publish."""
        if self._backlog() > BACKLOG_MAX:
            wait_until(
                lambda: self.crew.leader.check_alive() or self._backlog() < BACKLOG_LOW,
                300,
                f"the backlog is worked off\n{self.crew.leader.walpost.log_tail()}",
            )

    # The verdict

    def _judge(self):
        truth = self.writer.truth
        leader = self.crew.leader.walpost
        position = self.stream.wal_position()
        with contextlib.suppress(Timeout):
            self.stream.walpost = leader
            self.stream.wait_confirmed(position, timeout=180)
        status = leader.stop()
        with self.stream.reader(slim=True) as reader:
            first = judge(truth, reader.read_to_end(timeout=180), self.grown)
        second = second_judge.judge(self.kafka, self.stream.prefix, truth, self.grown)
        return Outcome(first, second, self._marks(truth), status)

    def _marks(self, truth):
        """What is wrong with the marks in the table."""
        rows = dict(self.stream.execute(f"select id::text, status from {TABLE}"))
        expected = truth.committed.keys() - truth.messages
        wrong = [f"{status}: {row}" for row, status in rows.items() if status != "COMMITTED"]
        wrong += [f"not in the table: {row}" for row in expected - rows.keys()]
        wrong += [f"in the table, unknown: {row}" for row in rows.keys() - expected]
        return wrong


class Outcome:
    def __init__(self, first, second, wrong_marks, status):
        self.first = first
        self.second = second
        self.wrong_marks = wrong_marks
        self.status = status  # of the last, clean stop

    @property
    def held(self):
        return (
            self.first.exactly_once
            and self.second.exactly_once
            and not self.wrong_marks
            and self.status == 0
        )

    def __str__(self):
        lines = [
            f"first judge:  {self.first}",
            f"second judge: {self.second}",
            f"marks:        {len(self.wrong_marks)} wrong",
        ]
        lines += [f"  {mark}" for mark in self.wrong_marks[:10]]
        if self.status != 0:
            lines.append(f"the last stop ended with status {self.status}")
        return "\n".join(lines)

# SPDX-License-Identifier: Apache-2.0
"""The instances of the stream that is tortured: one leads, the other one takes over. Each has a
board; each death is looked at with the board's evidence."""

import time

from support.link import Link
from support.process import Timeout, wait_until
from support.stream import ROLE
from torture.board import Board

FENCED = 4
START_TIMEOUT = 300  # Kafka or PostgreSQL may be on their way back


class Unexpected(AssertionError):
    """walpost did what no fault asks for."""


class Instance:
    """Reaches PostgreSQL through a link of its own. environment: more of it, for its runs."""

    def __init__(self, stream, walpost, environment):
        self.stream = stream
        self.walpost = walpost
        self.board = Board(walpost.log_file + ".board")
        postgres = stream.postgres
        self.link = Link(postgres.address, postgres.port)
        walpost.write_config(
            postgres={
                "dsn": f"host={self.link.address} port={self.link.port} user={ROLE} "
                f"dbname={stream.name}"
            }
        )
        self.environment = {**environment, **self.board.environment}
        self.started = 0.0

    @property
    def running(self):
        return self.walpost.running

    def start(self, *arguments):
        self.board.clear()
        self.started = time.monotonic()
        self.walpost.start(*arguments, environment=self.environment)

    def check_alive(self):
        if not self.running:
            status = self.walpost.wait_exit()
            raise Unexpected(
                f"{self.walpost.name} ended with status {status}\n{self.walpost.log_tail(30)}"
            )

    def streams(self):
        """Has it a session of its own, now or a moment ago?"""
        self.check_alive()
        return '"streaming"' in self.walpost.log_text()

    def wait_streaming(self):
        wait_until(self.streams, START_TIMEOUT, f"streaming\n{self.walpost.log_tail()}", 0.02)

    def wait_session_or_death(self):
        wait_until(lambda: not self.running or self.streams(), START_TIMEOUT, "a session", 0.02)

    def wait_death(self, timeout=START_TIMEOUT):
        """The end at a crash point."""
        try:
            wait_until(lambda: not self.running, timeout, "the crash point", 0.005)
        except Timeout:
            raise Unexpected(f"no death\n{self.walpost.log_tail(30)}") from None
        status = self.walpost.wait_exit()
        if status != -9:
            raise Unexpected(f"exit status {status}\n{self.walpost.log_tail(30)}")

    def evidence(self):
        return {"in_flight": self.board.in_flight(), "in_commit": self.board.in_commit()}


class Crew:
    """lanes: as the configuration says."""

    def __init__(self, stream, lanes, environment):
        self.lanes = lanes
        self.leader = Instance(stream, stream.walpost, environment)
        other = stream.instance("other", **stream.walpost.config)
        self.other = Instance(stream, other, environment)
        self.starts = 0

    def start(self, lanes=None):
        """Starts the leader, or restarts it after its death; the start is not waited for."""
        lanes = self.lanes if lanes is None else lanes
        if self.leader.walpost.config.get("lanes") != lanes:
            self.leader.walpost.write_config(lanes=lanes)
        self.starts += 1
        self.leader.start()

    def start_other(self, *arguments):
        if self.other.walpost.config.get("lanes") != self.lanes:
            self.other.walpost.write_config(lanes=self.lanes)
        self.starts += 1
        self.other.start(*arguments)

    def swap(self):
        """The other one leads now."""
        self.leader, self.other = self.other, self.leader

    def kill_leader(self):
        """kill -9; where it was."""
        self.leader.check_alive()
        self.leader.walpost.kill()
        return self.leader.evidence()

    def wait_in_flight(self, passes=0, timeout=START_TIMEOUT):
        """Until a batch is in flight, after so many passes of crash points; False when none came."""
        deadline = time.monotonic() + timeout
        board = self.leader.board
        looks = 0
        while not (board.in_flight() and board.passes() >= passes):
            looks += 1
            if looks % 100 == 0:
                self.leader.check_alive()
                if time.monotonic() > deadline:
                    return False
            time.sleep(0.0005)
        return True

# SPDX-License-Identifier: Apache-2.0
"""I3: kills with -9 under load, where it hurts and at random. 2 x 34 of them; the places that load
does not reach (the snapshot, the leader's own records) have tests of their own."""

import random

import pytest

from support.process import Timeout, wait_until
from support.transactions import between_ends

# Each place, and from which pass on; under load every one is reached many times.
PLACES = {
    "before_generation": 1,
    "after_generation": 1,
    "after_produce": 12,
    "before_commit": 12,
    "after_commit": 12,
    "after_mark": 6,
    "before_feedback": 6,
}
ROUNDS = 3
RANDOM_KILLS = 13


def kill_at_every_place(stream, choose, killed):
    for place, passes in list(PLACES.items()) * ROUNDS:
        stream.walpost.start(crash=f"{place}:{choose.randint(1, passes)}")
        assert stream.walpost.wait_exit(60) == -9, f"at {place}\n{stream.walpost.log_tail()}"
        killed(place)


def kill_at_random(stream, choose, killed, count):
    for _ in range(count):
        stream.walpost.start()
        moment = choose.uniform(0.05, 1.5)  # in the start, or in the middle of the load
        try:
            wait_until(lambda: not stream.walpost.running, moment, "the moment of the kill")
        except Timeout:
            stream.walpost.kill()
            killed("at random")
        else:
            raise AssertionError(f"walpost ended by itself\n{stream.walpost.log_tail()}")


@pytest.mark.parametrize("lanes", [1, 3])
def test_kills_under_load(new_stream, postgres, kafka, killed, lanes):
    stream = new_stream(postgres, kafka, lanes=lanes, batch={"max_events": 500})
    choose = random.Random(f"kills {lanes}")
    stream.walpost.init()
    writer = stream.writer(keys=15, pause=0.1)
    with writer.running():
        kill_at_every_place(stream, choose, killed)
        kill_at_random(stream, choose, killed, RANDOM_KILLS)
        stream.walpost.start()
        stream.wait_streaming()
    stream.assert_exactly_once(writer.truth)
    stream.assert_all_marked()


def test_kills_while_lanes_change(new_stream, postgres, kafka, killed):
    """Every start has another number of lanes: the history of generations has to hold."""
    stream = new_stream(postgres, kafka)
    writer = stream.writer(keys=15, pause=0.05)
    stream.walpost.init()
    with writer.running():
        for lanes, place in ((3, "after_commit:3"), (1, "after_produce:2"), (2, "after_mark:1")):
            stream.walpost.write_config(lanes=lanes)
            stream.walpost.init()  # a partition of the checkpoint topic for each lane
            stream.walpost.start(crash=place)
            assert stream.walpost.wait_exit(60) == -9, stream.walpost.log_tail()
            killed(place.partition(":")[0])
        stream.walpost.write_config(lanes=4)
        stream.walpost.init()
        stream.walpost.start()
        stream.wait_streaming()
    stream.assert_exactly_once(writer.truth)


def test_kills_after_a_record_of_the_leader(stream, killed):
    """An idle outbox: what moves is the leader's own record, before it is confirmed."""
    stream.walpost.init()
    stream.execute("create table other (n int)")
    writer = stream.writer(connections=2, keys=4)
    for crash in ("after_leader_commit:1", "after_leader_commit:2", "before_feedback:2"):
        writer.run_transactions(20)
        stream.walpost.start(crash=crash)

        def idle_traffic():
            stream.execute("insert into other select generate_series(1, 1000)")
            return not stream.walpost.running

        wait_until(idle_traffic, 60, f"killed at {crash}\n{stream.walpost.log_tail()}", 0.2)
        assert stream.walpost.wait_exit() == -9
        killed(crash.partition(":")[0])
    stream.walpost.start()
    stream.assert_exactly_once(writer.truth)


def test_the_servers_are_killed(new_stream, postgres, kafka, killed):
    """PostgreSQL crashes and the broker crashes, with walpost alive all the time."""
    stream = new_stream(postgres, kafka, lanes=2)
    writer = stream.writer(keys=15, pause=0.05)
    with stream.running():
        with writer.running():
            for _ in range(2):
                enough = len(writer.truth.committed) + 150
                wait_until(lambda: len(writer.truth.committed) > enough, 60, "more rows")
                postgres.kill()
                postgres.start()
                killed("PostgreSQL")
                enough = len(writer.truth.committed) + 150
                wait_until(lambda: len(writer.truth.committed) > enough, 60, "more rows")
                with between_ends(kafka, stream.walpost):
                    kafka.kill_node(1)
                kafka.start_node(1)
                killed("Kafka")
        stream.assert_exactly_once(writer.truth, timeout=120)

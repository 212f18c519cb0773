# SPDX-License-Identifier: Apache-2.0
"""I11: one walpost publishes, a second one waits and follows; an older one that comes back harms
nobody. With ids that expired meanwhile: test_fencing.py."""

import time

import pytest

from support.process import wait_until


def walsender(stream):
    return stream.slot_state("active_pid")


def names(instance, text):
    """Is `text` the name of this instance, host:pid:start?"""
    return text is not None and text.split(":")[1] == str(instance.process.pid)


def log_line(walpost, message):
    return [entry for entry in walpost.log() if entry["message"] == message][-1]


def write_more(writer, rows):
    enough = len(writer.truth.committed) + rows
    wait_until(lambda: len(writer.truth.committed) > enough, 60, "more rows")


@pytest.mark.quick
def test_a_second_instance_waits_and_takes_over(stream, killed):
    """Within 5 seconds when the leader's sockets are closed; who leads is said everywhere."""
    standby = stream.instance("standby")
    writer = stream.writer(keys=10, pause=0.02)
    stream.walpost.init()
    stream.walpost.start()
    stream.walpost.wait_for('"streaming"')
    first = walsender(stream)
    standby.start()
    standby.wait_for("standing by")
    with writer.running():
        write_more(writer, 300)
        assert standby.running and walsender(stream) == first
        assert names(stream.walpost, log_line(standby, "standing by")["leader"])
        assert names(stream.walpost, stream.walpost.status()["checkpoint"]["leader"])
        stream.walpost.kill()
        killed("a leader with a standby")
        began = time.monotonic()
        standby.wait_for('"streaming"')
        took = time.monotonic() - began
        assert walsender(stream) not in (None, first)
        write_more(writer, 200)
    print(f"from the kill to the standby's stream: {took:.1f} s")
    assert took < 5
    leads = log_line(standby, "this instance leads the stream now")
    assert names(standby, leads["instance"]) and names(stream.walpost, leads["before"])
    assert names(standby, stream.walpost.status()["checkpoint"]["leader"])
    stream.assert_exactly_once(writer.truth, walpost=standby)
    assert stream.walpost.status()["checkpoint"]["leader"] is None


def test_a_frozen_leader_is_followed_after_wal_sender_timeout(stream):
    timeout = 4
    stream.walpost.write_config(
        postgres={
            "dsn": stream.postgres.dsn(stream.name, "walpost")
            + f" options='-c wal_sender_timeout={timeout}s'"
        }
    )
    standby = stream.instance("standby")
    writer = stream.writer(keys=10, pause=0.02)
    stream.walpost.init()
    stream.walpost.start()
    stream.walpost.wait_for('"streaming"')
    standby.start()
    standby.wait_for("standing by")
    with writer.running():
        write_more(writer, 100)
        began = time.monotonic()
        stream.walpost.freeze()
        standby.wait_for('"streaming"', timeout=60)
        took = time.monotonic() - began
        write_more(writer, 100)
    print(f"from the freeze to the standby's stream: {took:.1f} s")
    # The server last heard of it up to a third of the timeout before.
    assert timeout * 0.6 < took < timeout + 6, standby.log_tail()
    stream.walpost.thaw()
    assert stream.walpost.wait_exit(60) == 4, stream.walpost.log_tail()
    stream.assert_exactly_once(writer.truth, walpost=standby)


def test_a_frozen_leader_is_followed_and_fenced(stream):
    """At once, by --take-over: the server itself would wait for a minute."""
    successor = stream.instance("successor")
    writer = stream.writer(keys=10, pause=0.02)
    stream.walpost.init()
    stream.walpost.start()
    stream.walpost.wait_for('"streaming"')
    with writer.running():
        write_more(writer, 300)
        stream.walpost.freeze()
        began = time.monotonic()
        successor.start("--take-over")
        successor.wait_for('"streaming"')
        took = time.monotonic() - began
        write_more(writer, 300)
        stream.walpost.thaw()
        leader = walsender(stream)
        assert stream.walpost.wait_exit(60) == 4, stream.walpost.log_tail()
        write_more(writer, 300)
        assert walsender(stream) == leader and successor.running, successor.log_tail()
    print(f"from the start to the successor's stream: {took:.1f} s")
    assert took < 10
    assert names(successor, stream.walpost.last_error()["message"].split("(")[1].split(")")[0])
    stream.assert_exactly_once(writer.truth, walpost=successor)


def test_two_instances_never_throw_each_other_out(stream):
    """Each start and each take-over gives the stream one new generation, and no more: whoever is told
    that another one leads stays out."""
    other = stream.instance("other")
    writer = stream.writer(keys=10, pause=0.02)
    both = (stream.walpost, other)
    stream.walpost.init()
    for instance in both:  # at the same moment
        instance.start()
    with writer.running():
        wait_until(
            lambda: any("standing by" in instance.log_text() for instance in both)
            and any('"streaming"' in instance.log_text() for instance in both),
            60,
            "one leads and one stands by",
        )
        write_more(writer, 200)
        leader, standby = sorted(both, key=lambda each: '"streaming"' not in each.log_text())
        assert '"streaming"' not in standby.log_text() and standby.running and leader.running
        checkpoint = leader.status()["checkpoint"]
        assert checkpoint["generation"] == 2 and names(leader, checkpoint["leader"])

        assert standby.stop() == 0, standby.log_tail()
        standby.start("--take-over")
        standby.wait_for('"streaming"')
        assert leader.wait_exit(60) == 4, leader.log_tail()
        leader.start()  # as a supervisor does
        leader.wait_for("standing by")
        write_more(writer, 300)
        assert leader.running and standby.running
        checkpoint = leader.status()["checkpoint"]
        assert checkpoint["generation"] == 3 and names(standby, checkpoint["leader"])
    assert leader.stop() == 0, leader.log_tail()
    stream.assert_exactly_once(writer.truth, walpost=standby)

# SPDX-License-Identifier: Apache-2.0
"""I11: one walpost publishes, a second one waits; an older one that comes back harms nobody."""

import pytest

from support.process import wait_until


def walsender(stream):
    return stream.slot_state("active_pid")


@pytest.mark.quick
def test_a_second_instance_waits_and_takes_over(stream, killed):
    standby = stream.instance("standby")
    writer = stream.writer(keys=10, pause=0.02)
    stream.walpost.init()
    stream.walpost.start()
    stream.wait_streaming()
    first = walsender(stream)
    standby.start()
    with writer.running():
        wait_until(lambda: len(writer.truth.committed) > 500, 60, "rows")
        assert standby.running and walsender(stream) == first
        stream.walpost.kill()
        killed("a leader with a standby")
        wait_until(
            lambda: walsender(stream) not in (None, first), 30, "the standby has the slot"
        )
        enough = len(writer.truth.committed) + 200
        wait_until(lambda: len(writer.truth.committed) > enough, 60, "more rows")
    stream.assert_exactly_once(writer.truth, walpost=standby)


def test_a_frozen_leader_is_followed_and_fenced(stream):
    successor = stream.instance("successor")
    writer = stream.writer(keys=10, pause=0.02)
    stream.walpost.init()
    stream.walpost.start()
    stream.wait_streaming()
    with writer.running():
        wait_until(lambda: len(writer.truth.committed) > 300, 60, "rows")
        stream.walpost.freeze()
        frozen = walsender(stream)
        successor.start("--take-over")
        wait_until(
            lambda: walsender(stream) not in (None, frozen),
            30,
            f"the slot is taken over\n{successor.log_tail()}",
        )
        enough = len(writer.truth.committed) + 300
        wait_until(lambda: len(writer.truth.committed) > enough, 60, "more rows")
        stream.walpost.thaw()
        leader = walsender(stream)
        enough = len(writer.truth.committed) + 300
        wait_until(lambda: len(writer.truth.committed) > enough, 60, "more rows")
        assert walsender(stream) == leader and successor.running, successor.log_tail()
    # Fenced (4), or back among those that wait for the slot.
    if stream.walpost.running:
        assert stream.walpost.stop() == 0, stream.walpost.log_tail()
    else:
        assert stream.walpost.wait_exit() == 4, stream.walpost.log_tail()
    stream.assert_exactly_once(writer.truth, walpost=successor)

# SPDX-License-Identifier: Apache-2.0
"""I3: the link to PostgreSQL is lost, frozen or slow: walpost notices, comes back, catches up."""

import time

import pytest

from support.process import wait_until
from support.proxy import Proxy
from support.stream import ROLE

# The server's and walpost's patience, in seconds.
PATIENCE = 3


@pytest.fixture
def proxy(postgres):
    with Proxy(postgres.address, postgres.port) as made:
        yield made


@pytest.fixture
def stream(new_stream, postgres, kafka, proxy):
    made = new_stream(postgres, kafka)
    made.walpost.write_config(
        postgres={
            "dsn": f"host={proxy.address} port={proxy.port} user={ROLE} dbname={made.name} "
            f"options='-c wal_sender_timeout={PATIENCE}s'"
        }
    )
    return made


def lost(_stream, proxy):
    """Both sides are told, and the way is closed for a while."""
    proxy.cut()
    pass_time(1)
    proxy.mend()


def half_lost(stream, proxy):
    """The server does not know: the old walsender has the slot until its patience ends (55006)."""
    old = stream.slot_state("active_pid")
    proxy.cut_here()
    stream.walpost.wait_for("in use by", 30)
    assert stream.slot_state("active_pid") in (old, None)


def frozen(stream, proxy):
    """Nobody is told, longer than both are patient."""
    old = stream.slot_state("active_pid")
    proxy.frozen = True
    wait_until(
        lambda: stream.slot_state("active_pid") != old, 10 * PATIENCE, "the server gives up"
    )
    stream.walpost.wait_for("silent", 10 * PATIENCE)
    proxy.mend()


def slow(stream, proxy):
    """A hundred rows a second, and the writer writes more."""
    proxy.bytes_per_second = 50000
    pass_time(4)
    assert stream.slot_state("active"), stream.walpost.log_tail()
    proxy.mend()


def pass_time(seconds):
    """The accident lasts; what it does to the stream is looked at afterwards."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, seconds + 10, "the accident lasts")


@pytest.mark.parametrize("accident", [lost, half_lost, frozen, slow])
def test_I3_the_link_to_postgresql(stream, proxy, accident):
    writer = stream.writer(connections=4, keys=15, pause=0.02)
    with stream.running():
        with writer.running():
            enough = len(writer.truth.committed) + 150
            wait_until(lambda: len(writer.truth.committed) > enough, 60, "more rows")
            accident(stream, proxy)
            stream.wait_streaming(60)
        stream.assert_exactly_once(writer.truth)
    stream.assert_all_marked()

# SPDX-License-Identifier: Apache-2.0
"""I3: PostgreSQL goes away in every way that it knows, with walpost alive all the time: nothing is
lost, repeated or left unmarked, and walpost comes back by itself."""

import pytest

from support.process import wait_until


def restart(mode):
    def accident(postgres, _stream):
        postgres.restart(mode)

    return accident


def crash(postgres, _stream):
    postgres.kill()
    postgres.start()


def a_backend_crashes(postgres, stream):
    """The server ends every session and recovers, the postmaster lives on."""
    pid = stream.slot_state("active_pid")
    postgres.kill_backend(pid)
    wait_until(lambda: postgres.answers(), 60, "the server has recovered")


def the_walsender_is_terminated(postgres, stream):
    postgres.execute("select pg_terminate_backend(%s)", (stream.slot_state("active_pid"),))


def every_session_is_terminated(postgres, stream):
    postgres.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (stream.name,)
    )


ACCIDENTS = {
    "fast": restart("fast"),
    "immediate": restart("immediate"),
    "crash": crash,
    "backend": a_backend_crashes,
    "walsender": the_walsender_is_terminated,
    "sessions": every_session_is_terminated,
}


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_I3_postgresql_goes_away(new_stream, postgres, kafka, accident):
    stream = new_stream(postgres, kafka)
    writer = stream.writer(connections=4, keys=15, pause=0.02)
    with stream.running():
        with writer.running():
            for _ in range(2):
                enough = len(writer.truth.committed) + 150
                wait_until(lambda n=enough: len(writer.truth.committed) > n, 60, "more rows")
                ACCIDENTS[accident](postgres, stream)
                stream.wait_streaming(60)
        stream.assert_exactly_once(writer.truth)
    stream.assert_all_marked()

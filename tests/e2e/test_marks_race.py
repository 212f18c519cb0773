# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL sends a transaction to walpost once its commit is in the WAL; other sessions see its
rows a moment later, and with synchronous replication only when the standby has answered. A mark
that comes in between must not be lost."""

import threading

import pytest

from support.process import wait_until
from support.servers import Postgres


@pytest.fixture
def own_postgres():
    with Postgres() as server:
        yield server


def test_a_commit_that_waits_for_its_standby(new_stream, own_postgres, kafka):
    stream = new_stream(own_postgres, kafka)
    stream.execute("alter role walpost set synchronous_commit = local")
    with stream.running():
        own_postgres.configure({"synchronous_standby_names": "nobody"})
        own_postgres.reload()
        wait_until(
            lambda: stream.value("show synchronous_standby_names") == "nobody", 10, "the setting"
        )
        insert = threading.Thread(target=stream.insert, args=(3,))
        insert.start()
        assert len(stream.records(3)) == 3
        assert stream.statuses() == {}  # nobody sees the rows yet
        confirmed = stream.confirmed()
        own_postgres.configure({"synchronous_standby_names": ""})
        own_postgres.reload()
        insert.join(30)
        stream.wait_statuses({"COMMITTED": 3}, timeout=15)
        stream.wait_confirmed(stream.wal_position())
    assert confirmed != stream.confirmed()

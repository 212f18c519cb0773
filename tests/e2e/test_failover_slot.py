# SPDX-License-Identifier: Apache-2.0
"""I3: a failover to a physical standby that has a copy of the slot: PostgreSQL 17 and newer."""

import pytest

from support.process import wait_until
from support.servers import Postgres
from support.standby import Standby
from support.stream import ROLE

FIRST_WITH_FAILOVER_SLOTS = 170000
COPIED = (
    "select synced and not temporary and invalidation_reason is null "
    "from pg_replication_slots where slot_name = %s"
)


@pytest.fixture
def primary():
    with Postgres() as server:
        if int(server.value("show server_version_num")) < FIRST_WITH_FAILOVER_SLOTS:
            pytest.skip("the server knows no failover slots: set PG_BIN to PostgreSQL 17 or newer")
        yield server


@pytest.fixture
def standby(primary):
    primary.execute("select pg_create_physical_replication_slot('standby')")
    server = Standby(primary, "standby", {"sync_replication_slots": "on"})
    with server:
        wait_until(
            lambda: primary.value("select active from pg_replication_slots"), 30, "it streams"
        )
        primary.configure(
            {"synchronized_standby_slots": "standby", "synchronous_standby_names": "*"}
        )
        primary.reload()
        yield server


def both(primary, standby, database):
    hosts = f"{primary.address},{standby.address}"
    return f"host={hosts} port={primary.port},{standby.port} user={ROLE} dbname={database}"


def test_I3_a_failover_with_a_failover_slot_under_load(new_stream, primary, standby, kafka):
    """What Kafka has the standby has, so everything goes on: with the same walpost, by itself."""
    stream = new_stream(primary, kafka)
    stream.walpost.write_config(postgres={"dsn": both(primary, standby, stream.name)})
    writer = stream.writer(connections=4, keys=15, pause=0.03)
    with stream.running():
        assert stream.slot_state("failover")
        with writer.running():
            wait_until(lambda: len(writer.truth.committed) > 300, 60, "rows")
            wait_until(lambda: standby.value(COPIED, (stream.slot,)), 60, "the slot is copied")
            enough = len(writer.truth.committed) + 300
            wait_until(lambda: len(writer.truth.committed) > enough, 60, "more rows")
            primary.kill()
            standby.promote()
            stream.postgres = standby
            stream.wait_streaming(60)
            enough = len(writer.truth.committed) + 300
            wait_until(lambda: len(writer.truth.committed) > enough, 60, "rows after the failover")
        stream.assert_exactly_once(writer.truth, timeout=120)
    stream.assert_all_marked()

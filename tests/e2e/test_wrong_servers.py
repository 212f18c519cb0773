# SPDX-License-Identifier: Apache-2.0
"""Servers that cannot be reached, that do not let walpost in, or that have no room for it: `check`,
`init` and `run` say which, why, and what to do; a `run` tries on."""

import concurrent.futures
import contextlib
import os
import time

import psycopg2.extras
import pytest

from support.messages import assert_plain, assert_well, refusal, statement, wrong_point
from support.process import new_folder, wait_until
from support.servers import Postgres
from support.stream import ROLE, TABLE, Stream
from support.walpost import Walpost

UNRESOLVED = "no-such-host.invalid"
REFUSED = "127.0.0.1:1"


# --- cannot be reached ---

# name of the run, section, what its log says
UNREACHABLE = {
    "postgres_refused": (
        {"postgres": {"dsn": "host=127.0.0.1 port=1 user=walpost dbname=shop"}},
        "PostgreSQL at 127.0.0.1:1 cannot be reached: Connection refused",
        "Is PostgreSQL running",
    ),
    "postgres_unresolved": (
        {"postgres": {"dsn": f"host={UNRESOLVED} user=walpost dbname=shop"}},
        f'the host name "{UNRESOLVED}" cannot be resolved',
        "Check the host in postgres.dsn",
    ),
    "kafka_refused": (
        {"kafka": {"bootstrap.servers": REFUSED}},
        f"Kafka at {REFUSED} cannot be reached",
        "Is a broker running there",
    ),
    "kafka_unresolved": (
        {"kafka": {"bootstrap.servers": f"{UNRESOLVED}:9092"}},
        f"Kafka at {UNRESOLVED}:9092 cannot be reached: the broker's host name could not be",
        "Check the host names in kafka: bootstrap.servers",
    ),
}


@pytest.fixture(scope="module")
def runs(postgres, kafka):
    """One run for each of UNREACHABLE, from the beginning of this module to its end."""
    streams = [Stream(postgres, kafka, name) for name in UNREACHABLE]
    for stream in streams:
        if "kafka" in stream.name:
            stream.walpost.init()
    instances = {}
    for stream in streams:
        instances[stream.name] = stream.instance("run", **UNREACHABLE[stream.name][0]).start()
    began = time.monotonic()
    yield began, instances
    for stream in streams:
        stream.end()


@pytest.mark.parametrize("case", UNREACHABLE)
def test_a_run_says_at_once_what_it_cannot_reach(runs, case):
    began, instances = runs
    _, cause, remedy = UNREACHABLE[case]
    [entry] = wait_until(
        lambda: [e for e in instances[case].log() if cause in e["message"]],
        15 - (time.monotonic() - began),
        f"{cause}\n{instances[case].log_tail()}",
    )
    assert entry["level"] == "warn" and entry["consequence"] == "retry", entry
    assert remedy in entry["remedy"], entry
    assert instances[case].running
    assert_plain(instances[case].log_text().replace('"code":"_', ""))


KAFKA_SECURITY = {
    "TLS where the broker speaks none": (
        {"security.protocol": "ssl"},
        "unexpected eof while reading",  # the broker hangs up
        "security.protocol",
    ),
    "a login where the broker wants none": (
        {
            "security.protocol": "sasl_plaintext",
            "sasl.mechanisms": "PLAIN",
            "sasl.username": "walpost",
            "sasl.password": "topsecret",
        },
        "the broker did not accept the login",
        "sasl.*",
    ),
}


@pytest.fixture(scope="module")
def answers(runs, postgres, kafka):
    """What `check` says of each: all at the same time, for Kafka is waited for some seconds."""
    walposts = dict(runs[1])
    for case, (properties, _, _) in KAFKA_SECURITY.items():
        config = {
            "stream": "security",
            "postgres": {"dsn": postgres.dsn()},
            "kafka": {"bootstrap.servers": kafka.bootstrap, **properties},
        }
        walposts[case] = Walpost(new_folder("security"), config)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        futures = {
            case: pool.submit(wrong_point, walpost, "server" if "postgres" in case else "brokers")
            for case, walpost in walposts.items()
        }
    return futures


@pytest.mark.parametrize("case", [*UNREACHABLE, *KAFKA_SECURITY])
def test_a_command_says_what_it_cannot_reach(answers, case):
    _, cause, remedy = {**UNREACHABLE, **KAFKA_SECURITY}[case]
    text, said = answers[case].result()
    assert cause in text and remedy in said, (text, said)
    assert "topsecret" not in text + said


@pytest.mark.parametrize("case", ["postgres_refused", "postgres_unresolved"])
def test_init_says_so_too(runs, case):
    _, cause, remedy = UNREACHABLE[case]
    text, said = refusal(runs[1][case], "init", status=1)
    assert cause in text and remedy in said, (text, said)


# --- does not let walpost in, or has no room ---

HBA = f"""\
local all all trust
host all secretive 127.0.0.1/32 scram-sha-256
host all stranger 127.0.0.1/32 reject
host all all 127.0.0.1/32 trust
"""


@pytest.fixture(scope="module")
def small():
    """A server as a package installs it, and smaller; with one stream's database."""
    settings = {
        "wal_level": "replica",
        "max_replication_slots": 1,
        "max_wal_senders": 1,
        "max_slot_wal_keep_size": "1MB",
        "password_encryption": "scram-sha-256",
    }
    server = Postgres(settings)
    write_hba(server, HBA)
    with server:
        yield server


def write_hba(server, text):
    with open(os.path.join(server.data, "pg_hba.conf"), "w", encoding="utf-8") as file:
        file.write(text)


@pytest.fixture(scope="module")
def stream(small, kafka):
    """Whose database is there, and nothing else until the first tests are through."""
    made = Stream(small, kafka, "wrong_servers")
    yield made
    made.end()


def test_wal_level_of_a_fresh_installation(stream, small):
    text, remedy = wrong_point(stream.walpost, "wal_level")
    assert text == "is replica, must be logical" and "restart PostgreSQL" in remedy
    for command in ["init", "run"]:
        text, remedy = refusal(stream.walpost, command, status=1)
        assert "wal_level=replica" in text and "restart PostgreSQL" in remedy
    small.execute(statement(remedy, "ALTER SYSTEM "))
    small.restart()
    assert small.value("show wal_level") == "logical"


def test_no_slot_is_left(stream, small):
    small.execute("select pg_create_physical_replication_slot('somebodys')")
    text, remedy = wrong_point(stream.walpost, "max_replication_slots")
    assert text == "all 1 are in use" and "drop a slot that nobody needs" in remedy
    assert "ALTER SYSTEM SET max_replication_slots = 11;" in remedy
    text, remedy = refusal(stream.walpost, "init", status=1)
    assert "no replication slot left" in text and "pg_replication_slots" in remedy
    small.execute("select pg_drop_replication_slot('somebodys')")
    stream.walpost.init()
    assert_well(stream.walpost)


def test_no_walsender_is_left(stream, small):
    with contextlib.closing(
        psycopg2.connect(
            small.dsn(), connection_factory=psycopg2.extras.LogicalReplicationConnection
        )
    ):
        text, remedy = wrong_point(stream.walpost, "replication right")
        assert "no walsender left" in text and "pg_stat_replication" in remedy
        stream.walpost.start()
        line = stream.walpost.wait_for("no walsender left", 15)
        assert "Raise max_wal_senders" in line and '"consequence":"retry"' in line
    stream.wait_streaming()  # it tried on
    assert stream.walpost.stop() == 0
    wait_until(lambda: not stream.slot_state("active"), 10, "the slot is free")
    assert_well(stream.walpost)


ROLES = {
    "unknown role": (
        None,
        'does not let role "visitor" in: role "visitor" does not exist',
        'CREATE ROLE "visitor" LOGIN REPLICATION;',
        "server",
    ),
    "role that may not log in": (
        "create role visitor replication",
        'role "visitor" is not permitted to log in',
        'ALTER ROLE "visitor" LOGIN;',
        "server",
    ),
    "role that may not replicate": (
        "create role visitor login",
        "role visitor may not replicate",
        "ALTER ROLE visitor REPLICATION;",
        "replication right",
    ),
    "role that may not connect": (
        "revoke connect on database wrong_servers from public; "
        "create role visitor login replication",
        'role "visitor" may not connect to database "wrong_servers"',
        'GRANT CONNECT ON DATABASE "wrong_servers" TO "visitor";',
        "server",
    ),
}


@pytest.mark.parametrize("case", ROLES)
def test_roles(stream, small, case):
    create, cause, remedy, point = ROLES[case]
    if create is not None:
        small.execute(create)
    walpost = stream.instance("visitor", postgres={"dsn": small.dsn(stream.name, "visitor")})
    try:
        text, said = wrong_point(walpost, point)
        assert cause in text and remedy in said, (text, said)
        for command in ["init", "run"]:
            text, said = refusal(walpost, command, status=1)
            assert '"visitor"' in text and statement(said).split()[0] in remedy, (text, said)
        small.execute(remedy)
        small.execute(f"grant {ROLE} to visitor")
        assert_well(walpost)
    finally:
        small.execute("grant connect on database wrong_servers to public")
        stream.execute("drop owned by visitor")
        small.execute("drop role visitor")


def test_unknown_database(stream, small):
    walpost = stream.instance("database", postgres={"dsn": small.dsn("shop", ROLE)})
    text, remedy = wrong_point(walpost, "server")
    assert 'there is no database "shop"' in text and 'CREATE DATABASE "shop";' in remedy
    for command in ["init", "run"]:
        assert refusal(walpost, command, status=1) == (text, remedy)


def test_wrong_password(stream, small):
    small.execute("create role secretive login replication password 'right'")
    small.execute(f"grant {ROLE} to secretive")
    dsn = small.dsn(stream.name, "secretive")
    walpost = stream.instance("secretive", postgres={"dsn": dsn})
    text, remedy = wrong_point(walpost, "server")
    assert 'asks for the password of role "secretive"' in text and "~/.pgpass" in remedy
    walpost.write_config(postgres={"dsn": dsn + " password=${SECRET}"})
    secret = {"SECRET": "mistyped"}
    text, remedy = wrong_point(walpost, "server", environment=secret)
    assert 'does not accept the password of role "secretive"' in text and ".pgpass" in remedy
    for command in ["init", "run"]:
        done = walpost.command(command, status=1, environment=secret)
        assert "does not accept the password" in done.stderr
        assert "mistyped" not in done.stdout + done.stderr
    # The remedy: a line in a file, mode 0600
    line = f"{small.address}:{small.port}:{stream.name}:secretive:right\n"
    passfile = os.path.join(stream.folder, "passfile")
    with open(os.open(passfile, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(line)
    walpost.write_config(postgres={"dsn": f"{dsn} passfile={passfile}"})
    assert_well(walpost)


def test_rejected_by_pg_hba(stream, small):
    small.execute("create role stranger login replication password 'right'")
    small.execute(f"grant {ROLE} to stranger")
    dsn = small.dsn(stream.name, "stranger") + " password=right"
    walpost = stream.instance("stranger", postgres={"dsn": dsn})
    text, remedy = wrong_point(walpost, "server")
    assert "refuses this connection by its pg_hba.conf" in text
    line = f"host {stream.name} stranger 127.0.0.1/32 scram-sha-256"
    assert remedy.endswith(line), remedy
    for command in ["init", "run"]:
        assert refusal(walpost, command, status=1) == (text, remedy)
    write_hba(small, line + "\n" + HBA)
    small.reload()
    wait_until(
        lambda: walpost.check(status=None).returncode == 0, 10, "the line lets the stranger in"
    )


def test_a_slot_that_the_server_gave_up(stream, small):
    """max_slot_wal_keep_size was reached."""
    stream.insert(3)
    for _ in range(4):
        small.execute("select pg_logical_emit_message(false, 'x', 'y'); select pg_switch_wal()")
    small.execute("checkpoint")
    assert stream.slot_state("wal_status") == "lost"
    text, remedy = wrong_point(stream.walpost, "slot")
    assert "is lost" in text and "`walpost drop` and `walpost init`" in remedy
    assert "max_slot_wal_keep_size" in remedy
    for command, options in [("init", []), ("run", ["--once"])]:
        text, remedy = refusal(stream.walpost, command, *options, status=3)
        assert stream.slot in text and "`walpost drop` and `walpost init`" in remedy
        assert "max_slot_wal_keep_size" in remedy
    stream.walpost.command("drop", "--yes")
    stream.walpost.init()
    assert_well(stream.walpost)
    stream.walpost.command("run", "--once")
    assert stream.statuses() == {"COMMITTED": 3}
    assert len(stream.records(3)) == 3
    assert stream.value(f"select count(*) from {TABLE}") == 3


# --- still not reached ---


def test_a_run_goes_on_trying_and_can_be_stopped(runs):
    """Kafka's absence is said every ten seconds, PostgreSQL's every half minute."""
    began, instances = runs
    for case, walpost in instances.items():
        assert walpost.running, walpost.log_tail()
        cause = UNREACHABLE[case][1]
        if "kafka" in case:
            wait_until(
                lambda w=walpost, c=cause: sum(c in e["message"] for e in w.log()) >= 2,
                35 - (time.monotonic() - began),
                f"{case} is said again\n{walpost.log_tail()}",
            )
        stopped_at = time.monotonic()
        assert walpost.stop() == 0, walpost.log_tail()
        assert time.monotonic() - stopped_at < 8

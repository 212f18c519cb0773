# SPDX-License-Identifier: Apache-2.0
"""Wrong files, options and values: exit status 2, the place, the cause, and what to write instead.
No server is needed; test_wrong_streams.py and test_wrong_servers.py have what is wrong around
walpost."""

import os
import pwd
import subprocess
import time

import pytest

from support.messages import assert_plain
from support.process import new_folder
from support.walpost import program

NOWHERE = "host=127.0.0.1 port=1 user=walpost dbname=shop"
HEAD = f"""\
stream: orders
postgres:
  dsn: {NOWHERE}
kafka:
  bootstrap.servers: 127.0.0.1:1
"""


@pytest.fixture(scope="module")
def folder():
    return new_folder("wrong")


def walpost(folder, *arguments, file=None, environment=None, user=None):
    """Runs a command in `folder`, where walpost.yaml holds `file` (None: there is none)."""
    path = os.path.join(folder, "walpost.yaml")
    if os.path.exists(path):
        os.remove(path)
    if file is not None:
        with open(path, "w", encoding="utf-8") as opened:
            opened.write(file)
    began = time.monotonic()
    done = subprocess.run(
        [program(), *arguments],
        text=True,
        capture_output=True,
        timeout=20,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        user=user,
    )
    assert time.monotonic() - began < 5
    return done


def assert_refused(done, cause, remedy):
    """One line says what is wrong, the next one what to do."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 2, done.stderr
    assert lines[0].startswith("walpost: ") and lines[1].startswith("  "), done.stderr
    assert cause in lines[0], done.stderr
    assert remedy in lines[1], done.stderr
    assert_plain(done.stderr)


# More lines of the file, the place that is named, the cause, the remedy
IN_THE_FILE = {
    "unknown key": (
        "memry: 64MB\n",
        "walpost.yaml:6",
        'no key "memry"',
        "nearest valid key is memory;",
    ),
    "unknown nested key": (
        "batch:\n  max_event: 5\n",
        "walpost.yaml:7",
        'no key "batch.max_event"',
        "nearest valid key is batch.max_events;",
    ),
    "unknown column": (
        "outbox: {columns: {statuss: state}}\n",
        "walpost.yaml:6",
        'no key "outbox.columns.statuss"',
        "outbox.columns.status;",
    ),
    "wrong type": ("lanes: two\n", "walpost.yaml:6", 'lanes cannot be "two"', "from 1 to 64"),
    "a map for a value": ("lanes: {a: 1}\n", "walpost.yaml:6", "lanes is a map", "whole number"),
    "a list for a value": ("memory: [1, 2]\n", "walpost.yaml:6", "memory is a list", "one text"),
    "a value for a map": ("batch: 5\n", "walpost.yaml:6", 'batch is "5"', "keys below it"),
    "out of range": ("lanes: 65\n", "walpost.yaml:6", 'lanes cannot be "65"', "from 1 to 64"),
    "impossible choice": (
        "delivery: exactly-once\n",
        "walpost.yaml:6",
        'delivery cannot be "exactly-once"',
        "exactly_once or at_least_once",
    ),
    "impossible switch": (
        "topics: {create: maybe}\n",
        "walpost.yaml:6",
        '"maybe"',
        "true or false",
    ),
    "a time without unit": (
        "batch: {linger: 5}\n",
        "walpost.yaml:6",
        'linger cannot be "5"',
        "unit",
    ),
    "a size with a strange unit": (
        "batch: {max_bytes: 16 megabytes}\n",
        "walpost.yaml:6",
        '"16 megabytes"',
        "for example 16MB",
    ),
    "unknown placeholder": (
        'route: {topic: "{domian}"}\n',
        "walpost.yaml:6",
        'route.topic cannot be "{domian}"',
        "{domain}, {event_type}, {aggregate_id}",
    ),
    "impossible topic": ('dead_letter: {topic: "a b"}\n', "walpost.yaml:6", '"a b"', "1 to 249"),
    "the checkpoint topic for dead letters": (
        "dead_letter: {topic: walpost.checkpoint.orders}\n",
        "walpost.yaml:6",
        "cannot be the checkpoint topic",
        "a name of its own",
    ),
    "one column for two things": (
        "outbox: {columns: {id: key, aggregate_id: key}}\n",
        "walpost.yaml:6",
        'both name the column "key"',
        "a column of its own",
    ),
    "duplicate key": (
        "lanes: 1\nlanes: 2\n",
        "walpost.yaml:7",
        "first at walpost.yaml:6",
        "Remove one",
    ),
    "no YAML": ("lanes: [1\n", "walpost.yaml:7", "this is no YAML", "the one above"),
    "a tab": (
        "batch:\n\tlinger: 1ms\n",
        "walpost.yaml:7",
        "this is no YAML",
        "indented with spaces",
    ),
    "unset variable": (
        "dead_letter: {topic: '${NO_SUCH_VARIABLE}'}\n",
        "walpost.yaml:6",
        "NO_SUCH_VARIABLE, which is not set",
        "${NO_SUCH_VARIABLE:-default}",
    ),
    "unclosed variable": (
        "dead_letter: {topic: '${NAME'}\n",
        "walpost.yaml:6",
        'dead_letter.topic has a "${"',
        "${NAME:-default}",
    ),
    "a snapshot of rows that are kept": (
        "outbox: {after_publish: keep, snapshot: pending}\n",
        "walpost.yaml:6",
        "outbox.snapshot cannot be pending",
        "outbox.snapshot to none",
    ),
    "memory for less than a batch": (
        "memory: 16MB\n",
        "walpost.yaml:6",
        "cannot hold one batch",
        "Set memory to 46MB",
    ),
    "a key of a later version": (
        "telemetry: {otlp: 127.0.0.1}\n",
        "walpost.yaml:6",
        "telemetry.otlp is not in this version",
        "Remove the key",
    ),
    "a property that carries a promise": (
        "  acks: 1\n",
        "walpost.yaml:6",
        "kafka.acks cannot be set: exactly-once",
        "Remove the key",
    ),
    "unknown property": (
        "  bootstrap.server: db\n",
        "walpost.yaml:6",
        "kafka.bootstrap.server is no property",
        "nearest is kafka.bootstrap.servers;",
    ),
    "another unknown property": (
        "  sasl.user: db\n",
        "walpost.yaml:6",
        "kafka.sasl.user is no property",
        "nearest is kafka.sasl.username;",
    ),
    "impossible value of a property": (
        "  security.protocol: tls\n",
        "walpost.yaml:6",
        "kafka.security.protocol cannot have the value",
        "plaintext, ssl, sasl_plaintext or sasl_ssl",
    ),
    "value of a property out of range": (
        "  transaction.timeout.ms: 60s\n",
        "walpost.yaml:6",
        "kafka.transaction.timeout.ms cannot have the value",
        "a whole number from 1000 to",
    ),
    "a certificate that is not there": (
        "  ssl.ca.location: /no/such/file.pem\n",
        "walpost.yaml:6",
        "kafka.ssl.ca.location names a file that cannot be read: No such file",
        "Correct the path",
    ),
}


@pytest.mark.parametrize("command", ["check", "run", "init"])
@pytest.mark.parametrize("case", IN_THE_FILE)
def test_in_the_file(folder, case, command):
    more, place, cause, remedy = IN_THE_FILE[case]
    done = walpost(folder, command, file=HEAD + more)
    assert_refused(done, cause, remedy)
    assert done.stderr.startswith(f"walpost: {place}:"), done.stderr


# The whole file
WHOLE_FILES = {
    "no stream": (
        HEAD.replace("stream: orders\n", ""),
        "walpost.yaml: stream is not set",
        "Set stream",
    ),
    "no PostgreSQL": (
        "stream: orders\nkafka: {bootstrap.servers: db}\n",
        "walpost.yaml: postgres.dsn is not set",
        "--set postgres.dsn=",
    ),
    "no Kafka": (
        f"stream: orders\npostgres: {{dsn: {NOWHERE}}}\n",
        "walpost.yaml: kafka.bootstrap.servers is not set",
        "--set kafka.bootstrap.servers=localhost:9092",
    ),
    "impossible name of a stream": (
        HEAD.replace("orders", "My-Orders"),
        'stream cannot be "My-Orders"',
        "a-z, 0-9 and _",
    ),
    "no connection string": (
        HEAD.replace(NOWHERE, "postgres//walpost:secret@db"),
        "walpost.yaml: postgres.dsn is not a connection string",
        "postgresql://ROLE@HOST:PORT/DATABASE",
    ),
    "unknown option of a connection": (
        HEAD.replace("user=", "usr="),
        'postgres.dsn has an option "usr"',
        "host=HOST port=PORT dbname=DATABASE user=ROLE",
    ),
    "no file": (None, "there is no walpost.yaml here", "-c FILE"),
}


@pytest.mark.parametrize("case", WHOLE_FILES)
def test_whole_files(folder, case):
    file, cause, remedy = WHOLE_FILES[case]
    done = walpost(folder, "run", file=file)
    assert_refused(done, cause, remedy)
    assert "secret" not in done.stderr


def test_a_file_that_may_not_be_read(folder):
    hidden = os.path.join(folder, "hidden.yaml")
    with open(hidden, "w", encoding="utf-8") as file:
        file.write(HEAD)
    os.chmod(hidden, 0)
    user = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None
    done = walpost(folder, "check", "-c", hidden, user=user)
    assert_refused(done, f"{hidden} cannot be read: Permission denied", "that you may read")
    for path, cause in [("absent.yaml", "No such file"), (folder, "Is a directory")]:
        assert_refused(walpost(folder, "check", "-c", path), cause, "-c FILE")


# On the command line and in the environment
COMMAND_LINES = {
    "no command": ([], "no command was given", "walpost help"),
    "unknown command": (["chekc"], 'no command "chekc"', "The nearest is check"),
    "a command of a later version": (["load"], "walpost load is not in this version", "walpost help"),
    "unknown option": (["run", "--onec"], "walpost run has no option --onec", "nearest is --once"),
    "an option without its value": (
        ["run", "--until-lsn"],
        "--until-lsn needs a value",
        "--until-lsn LSN",
    ),
    "a value too many": (["run", "--once=5"], "--once takes no value", "--once alone"),
    "a word too many": (["run", "fast"], '"fast" is one word too many', "walpost help run"),
    "no LSN": (["run", "--until-lsn", "12345"], '--until-lsn cannot be "12345"', "0/16B3748"),
    "unknown target": (["run", "--to", "stdot"], '--to cannot be "stdot"', "nearest is stdout"),
    "two ends": (["run", "--once", "--until-lsn", "0/5"], "do not go together", "give one of them"),
    "a gap without Kafka": (
        ["run", "--accept-gap", "--to", "stdout"],
        "do not go together",
        "the checkpoint, which is in Kafka",
    ),
    "--set without a value": (
        ["check", "--set", "lanes"],
        "this is no key=value",
        "--set batch.max_events=",
    ),
    "--set of an unknown key": (
        ["check", "--set", "lane=3"],
        'no key "lane"',
        "nearest valid key is lanes",
    ),
    "--set of an impossible value": (
        ["check", "--set", "lanes=0"],
        'lanes cannot be "0"',
        "from 1 to 64",
    ),
    "--set of a section": (["check", "--set", "batch=1"], "batch is a section", "batch.max_events"),
}


@pytest.mark.parametrize("case", COMMAND_LINES)
def test_on_the_command_line(folder, case):
    arguments, cause, remedy = COMMAND_LINES[case]
    assert_refused(walpost(folder, *arguments, file=HEAD), cause, remedy)


def test_in_the_environment(folder):
    done = walpost(folder, "check", file=HEAD, environment={"WALPOST_BATCH__MAX_EVENT": "5"})
    assert_refused(done, "WALPOST_BATCH__MAX_EVENT in the environment", "batch.max_events")


def test_the_nearest_key_repairs_the_file(folder):
    wrong = HEAD + "batch: {lingr: 1ms}\n"
    said = walpost(folder, "check", file=wrong).stderr
    nearest = said.partition("nearest valid key is ")[2].partition(";")[0]
    right = wrong.replace("lingr", nearest.rpartition(".")[2])
    done = walpost(folder, "init", "--dry-run", file=right)
    assert done.returncode == 0, done.stderr

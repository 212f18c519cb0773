# SPDX-License-Identifier: Apache-2.0
"""Servers for the whole run, a stream for each test."""

import itertools
import re

import pytest

from support.process import stop_everything
from support.registry import Registry
from support.servers import Kafka, Postgres
from support.stream import Stream, keep_logs

_kills = {}
_numbers = itertools.count(1)


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="only the tests that take minutes")


def pytest_collection_modifyitems(config, items):
    wanted = config.getoption("--long")
    left = [item for item in items if (item.get_closest_marker("long") is None) == wanted]
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)


@pytest.fixture(scope="session")
def postgres():
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def kafka():
    with Kafka() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def registry():
    with Registry() as server:
        yield server


@pytest.fixture
def new_stream(request):
    """Makes streams: new_stream(postgres, kafka, section={...})."""
    made = []

    def make(postgres, kafka, **sections):
        words = re.sub(r"[^a-z0-9]+", "_", request.node.name.lower()).removeprefix("test_")
        number = next(_numbers)
        name = f"s{number}_{words}"[:40].rstrip("_")
        stream = Stream(postgres, kafka, name, **sections)
        made.append(stream)
        return stream

    request.node.streams = made
    yield make
    for stream in made:
        stream.end()


@pytest.fixture
def stream(new_stream, postgres, kafka):
    """One stream with the defaults."""
    return new_stream(postgres, kafka)


@pytest.fixture
def killed():
    """killed(how): counts a kill with -9 for the closing summary."""

    def count(how):
        _kills[how] = _kills.get(how, 0) + 1

    return count


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for stream in getattr(item, "streams", []):
            keep_logs(stream, report)


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):  # one of several processes, see ./dev
        session.config.workeroutput["kills"] = _kills


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    for how, count in getattr(node, "workeroutput", {}).get("kills", {}).items():
        _kills[how] = _kills.get(how, 0) + count


def pytest_unconfigure():
    stop_everything()  # such a process may end without atexit


def pytest_terminal_summary(terminalreporter):
    if _kills:
        places = ", ".join(f"{how} {count}" for how, count in sorted(_kills.items()))
        terminalreporter.write_line(f"kills with -9: {sum(_kills.values())} ({places})")

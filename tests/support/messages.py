# SPDX-License-Identifier: Apache-2.0
"""What no message of walpost may hold: the words of a library for those who wrote it."""

import json
import re
import time

RAW = [
    r"%\d\|",  # librdkafka's own log
    r"\[thrd:",
    r"rd_kafka_|\bPQ[a-z]\w+|\bpq_\w+",
    r"identical error\(s\)|\(after \d+ms in state",
    r"/bootstrap\b|ipv4#|ipv6#",
    r"connection to server (at|on socket)",  # libpq's line for each address it tried
    r"LOCATION: |SQLSTATE|DETAIL: ",
    r"error:[0-9A-F]{8}:",  # OpenSSL
    r"\b\w+\.c:\d+",
    r"\b_[A-Z]{4,}\b",
    r"(?<!\w)errno\b|Local: |Broker: ",
]


def assert_plain(text):
    for pattern in RAW:
        found = re.search(pattern, text)
        assert found is None, f"{found.group()!r} in\n{text}"


def wrong_point(walpost, point, *options, environment=None):
    """What `check` says of `point`, which must be wrong: (text, remedy)."""
    began = time.monotonic()
    done = walpost.check("--json", *options, status=1, environment=environment)
    assert time.monotonic() - began < 20
    assert done.stderr == "", done.stderr
    assert_plain(done.stdout)
    points = json.loads(done.stdout)["points"]
    for each in points:
        assert each["state"] != "wrong" or each["remedy"], f"no remedy: {each}"
    for each in points:
        if each["point"] == point and each["state"] == "wrong":
            return each["text"], each["remedy"]
    raise AssertionError(f"{point} is not wrong in\n{done.stdout}")


def assert_well(walpost, *options):
    done = walpost.check(*options)
    assert "Ready to run: nothing is wrong" in done.stdout, done.stdout


def refusal(walpost, command, *options, status, timeout=20):
    """The error of a command that ends with `status`: (what, remedy)."""
    done = walpost.command(command, *options, status=status, timeout=timeout)
    assert_plain(done.stderr)
    if command == "run":
        entries = [json.loads(line) for line in done.stderr.splitlines()]
        errors = [entry for entry in entries if entry["level"] == "error"]
        assert len(errors) == 1, done.stderr
        return errors[0]["message"], errors[0].get("remedy", "")
    lines = done.stderr.splitlines()
    assert len(lines) == 2, done.stderr
    return lines[0].removeprefix("walpost: "), lines[1].strip()


def statement(remedy, begin=""):
    """The first SQL statement of a remedy that begins so."""
    found = re.search(rf"{begin or '[A-Z]{3,} '}[^;]*;", remedy)
    assert found, f"no statement in: {remedy}"
    return found.group()

# SPDX-License-Identifier: Apache-2.0
"""JSON Schema's own test suite (Debian: json-schema-test-suite) against what checks payloads.

Every case must have the suite's verdict, or its schema must be refused when it is loaded: then it is in
the list below, with the reason. A case that is in the list and passes fails the test too."""

import glob
import json
import os
import struct
import subprocess

import pytest

SUITE = "/usr/share/json-schema-test-suite/tests"
TESTEE = os.environ.get("WALPOST_JSON_SCHEMA_TESTEE")

# What is refused when the schema is loaded, by the words that say so.
REFUSED = {
    "leads to another document": "nothing is fetched while events are checked",
    "leads nowhere": 'names of "$id" and % escapes are not followed',
    '"$id" inside of a schema': 'references are #/definitions/NAME, and nothing else',
    "names a draft": "",
}
# FILE: GROUP -> why the verdict is another one.
EXCEPTIONS = {}


# Of the optional formats, those that are checked.
FORMATS = ("date-time", "date", "time", "email", "hostname", "ipv4", "ipv6", "uri")


def cases(draft, names=("*",)):
    for path in sorted(path for name in names for path in glob.glob(os.path.join(SUITE, draft, name + ".json"))):
        with open(path, encoding="utf-8") as file:
            for group in json.load(file):
                for test in group["tests"]:
                    yield os.path.basename(path), group, test


def ask(pairs):
    """The testee's answers to all pairs of schema and payload."""
    wire = b""
    for pair in pairs:
        for value in pair:
            text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
            wire += struct.pack("<I", len(text)) + text
    done = subprocess.run([TESTEE], input=wire, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode("utf-8", "replace").splitlines()


@pytest.mark.quick
@pytest.mark.skipif(not TESTEE, reason="WALPOST_JSON_SCHEMA_TESTEE is not set: ./dev test sets it")
@pytest.mark.parametrize("draft, names, least", [
    ("draft6", ("*",), 400), ("draft7", ("*",), 400), ("draft7/optional/format", FORMATS, 40)])
def test_the_suite(draft, names, least):
    wanted = list(cases(draft, names))
    assert len(wanted) > least
    answers = ask((group["schema"], test["data"]) for _, group, test in wanted)
    assert len(answers) == len(wanted)
    wrong = []
    for (file, group, test), answer in zip(wanted, answers):
        name = f"{file}: {group['description']}"
        if answer.startswith("refused"):
            right = any(words in answer for words in REFUSED)
        else:
            right = answer.startswith("valid") == test["valid"]
        if right == (name in EXCEPTIONS):
            wrong.append(f"{name}: {test['description']}: {answer}")
    assert not wrong, "\n".join(wrong)

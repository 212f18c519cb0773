# SPDX-License-Identifier: Apache-2.0
"""What others say to the cases of tests/contracts/compatibility.txt: a registry, and buf breaking."""

import functools
import json
import os
import subprocess
import sys
import tempfile

from support.servers import REPOSITORY

sys.path.append(os.path.join(REPOSITORY, "tests", "contracts"))

from compatibility_cases import compile_version, read_answers, read_cases  # noqa: E402

__all__ = ["Buf", "read_answers", "read_cases", "registry_says"]

CATEGORIES = ("WIRE", "WIRE_JSON")


def registry_says(registry, case, subject):
    """Whether the registry takes every version of the case, one after the other, by its level."""
    for number, version in enumerate(case.versions):
        status, answer = registry.ask(
            "POST", f"/subjects/{subject}/versions", {"schemaType": "PROTOBUF", "schema": version}
        )
        if number > 0 and status == 409:
            return "reject"
        assert status == 200, (case.name, status, answer)
        if number == 0:
            level = {"compatibility": case.level}
            status, answer = registry.ask("PUT", f"/config/{subject}", level)
            assert status == 200, (case.name, status, answer)
    return "accept"


class Buf:
    """The program that scripts/buf.sh keeps."""

    def __init__(self, program):
        self.program = program
        self.version = self._run("--version").stdout.strip()

    def _run(self, *arguments):
        return subprocess.run(
            [self.program, *arguments], capture_output=True, text=True, check=False
        )

    @functools.cached_property
    def rules(self):
        """category -> names of its rules"""
        listed = self._run("config", "ls-breaking-rules", "--version", "v2", "--format", "json")
        every = [json.loads(line) for line in listed.stdout.splitlines()]
        return {
            category: {rule["id"] for rule in every if category in rule["categories"]}
            for category in CATEGORIES
        }

    def says(self, case):
        """category -> the names of the rules that the case breaks, by its level"""
        broken = set()
        with tempfile.TemporaryDirectory() as folder:
            for number, version in enumerate(case.versions):
                with open(os.path.join(folder, f"{number}.binpb"), "wb") as file:
                    file.write(compile_version(version))
            for writer, reader in case.pairs():
                broken |= self._breaking(f"{folder}/{reader}.binpb", f"{folder}/{writer}.binpb")
        return {category: sorted(broken & self.rules[category]) for category in CATEGORIES}

    def _breaking(self, new, old):
        config = json.dumps({"version": "v2", "breaking": {"use": CATEGORIES}})
        done = self._run(
            "breaking", new, "--against", old, "--config", config, "--error-format", "json"
        )
        assert done.returncode in (0, 100), done.stderr
        return {json.loads(line)["type"] for line in done.stdout.splitlines()}

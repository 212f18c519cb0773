#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compatibility_cases.py CASES HEADER: the cases of compatibility.txt, every version compiled by protoc, as C."""
import hashlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
CASES = HERE / "compatibility.txt"
ANSWERS = HERE / "compatibility_answers.txt"


class Case(NamedTuple):
    name: str
    level: str
    versions: list  # of .proto, the oldest first
    verdict: str  # compatible, warned, broken
    changes: list
    confluent: str  # accept, reject
    notes: dict  # "note": why; "others": names of reasons, with commas

    def key(self):
        """Changes with the versions, so that no answer outlives what was asked."""
        return f"{self.name} @ {self.level} {hashlib.sha256(repr(self.versions).encode()).hexdigest()[:12]}"

    def pairs(self):
        """(writer, reader) of every comparison that the level asks for: numbers from 0."""
        for newer in range(1, len(self.versions)):
            transitive = self.level.endswith("TRANSITIVE")
            for older in range(0 if transitive else newer - 1, newer):
                if self.level.startswith(("BACKWARD", "FULL")):
                    yield older, newer
                if self.level.startswith(("FORWARD", "FULL")):
                    yield newer, older


def without_comments(path):
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("#")) + "\n"


def read_cases(path=CASES):
    pattern = re.compile(r"^== (?!with\n)([^\n]+?)(?: @ (\w+))?\n(.*?)^-> ([^\n]+?) \| (\w+)\n((?:\w+: [^\n]+\n)*)",
                         re.S | re.M)
    cases = []
    for name, level, bodies, words, confluent, notes in pattern.findall(without_comments(path)):
        verdict, *changes = words.split()
        versions = [whole_file(body) for body in bodies.split("== with\n")]
        cases.append(Case(name, level or "BACKWARD", versions, verdict, sorted(changes), confluent,
                          dict(line.split(": ", 1) for line in notes.splitlines())))
    return cases


def read_reasons(path=CASES):
    """Why others say something else: name -> (who says it, text)"""
    return {name: (set(who.split(", ")), text)
            for name, who, text in re.findall(r"^reason (\S+) \((.+?)\): (.+)$", without_comments(path), re.M)}


class Answer(NamedTuple):
    """Each: accept, or reject with the rules that say so."""
    registry: str
    wire: str
    json: str

    def others(self, verdict):
        """Who says something else than our verdict."""
        ours = {"registry": verdict == "broken", "wire": verdict == "broken", "json": verdict != "compatible"}
        return {who for who, rejects in ours.items() if rejects != getattr(self, who).startswith("reject")}


def read_answers(path=ANSWERS):
    """(who was asked -> version, Case.key() -> Answer)"""
    text = Path(path).read_text(encoding="utf-8")
    asked = dict(re.findall(r"^# (registry|buf): (.+)$", text, re.M))
    rows = (line.split(" | ") for line in text.splitlines() if not line.startswith("#"))
    return asked, {row[0]: Answer(*row[1:]) for row in rows}


def write_answers(path, asked, answers):
    lines = ["# Written by ./dev compatibility: what others say to the cases of compatibility.txt.",
             *(f"# {who}: {version}" for who, version in asked.items()),
             "# case @ level, digest of its versions | registry | buf breaking WIRE | WIRE_JSON",
             *(" | ".join([key, *answer]) for key, answer in answers.items())]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def whole_file(body):
    return body if "syntax" in body else 'syntax = "proto3"; package t.v1;\n' + body


def compile_version(text):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "case.proto").write_text(text, encoding="utf-8")
        subprocess.run(["protoc", "--include_imports", "--include_source_info", f"-I{folder}",
                        f"--descriptor_set_out={folder}/case.binpb", "case.proto"], check=True)
        return Path(folder, "case.binpb").read_bytes()


def as_c(data):
    return "{(const unsigned char[]){" + ",".join(map(str, data)) + f"}}, {len(data)}}}"


def main():
    cases = read_cases(sys.argv[1])
    with ThreadPoolExecutor(4) as pool:
        compiled = [pool.map(compile_version, case.versions) for case in cases]
        with open(sys.argv[2], "w", encoding="utf-8") as out:
            out.write("static const struct {\n    const char *name, *level, *verdict, *changes, *confluent, *note;\n"
                      "    struct {\n        const unsigned char *bytes;\n        unsigned len;\n    } versions[3];\n"
                      "    unsigned n_versions;\n} cases[] = {\n")
            for case, versions in zip(cases, compiled):
                out.write(f'    {{"{case.name}", "{case.level}", "{case.verdict}", "{" ".join(case.changes)}", '
                          f'"{case.confluent}",\n     "{case.notes.get("note", "")}",\n     {{')
                out.write(",\n      ".join(as_c(version) for version in versions))
                out.write(f"}},\n     {len(case.versions)}}},\n")
            out.write("};\n")


if __name__ == "__main__":
    main()

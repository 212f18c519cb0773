#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compatibility_cases.py CASES HEADER: the cases of compatibility.txt, both sides compiled by protoc, as C."""
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def read_cases(path):
    """(name, old, new, verdict, changes, Confluent's verdict, note)"""
    text = "\n".join(line for line in Path(path).read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    pattern = re.compile(r"^== (.+?)\n(.*?)^== with\n(.*?)^-> (.+?) \| (\w+)\n(?:note: (.+?)$)?", re.S | re.M)
    for name, old, new, words, confluent, note in pattern.findall(text + "\n"):
        verdict, *changes = words.split()
        yield name, old, new, verdict, sorted(changes), confluent, note


def compile_side(body):
    if "syntax" not in body:
        body = 'syntax = "proto3"; package t.v1;\n' + body
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "case.proto").write_text(body, encoding="utf-8")
        subprocess.run(["protoc", "--include_imports", "--include_source_info", f"-I{folder}",
                        f"--descriptor_set_out={folder}/case.binpb", "case.proto"], check=True)
        return Path(folder, "case.binpb").read_bytes()


def as_c(data):
    return "(const unsigned char[]){" + ",".join(map(str, data)) + f"}}, {len(data)}"


def main():
    cases = list(read_cases(sys.argv[1]))
    with ThreadPoolExecutor(4) as pool:
        olds = list(pool.map(compile_side, [case[1] for case in cases]))
        news = list(pool.map(compile_side, [case[2] for case in cases]))
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write("static const struct {\n    const char *name, *verdict, *changes, *confluent, *note;\n"
                  "    const unsigned char *old;\n    unsigned old_len;\n"
                  "    const unsigned char *new;\n    unsigned new_len;\n} cases[] = {\n")
        for (name, _, _, verdict, changes, confluent, note), old, new in zip(cases, olds, news):
            out.write(f'    {{"{name}", "{verdict}", "{" ".join(changes)}", "{confluent}", "{note}",\n'
                      f"     {as_c(old)},\n     {as_c(new)}}},\n")
        out.write("};\n")


if __name__ == "__main__":
    main()

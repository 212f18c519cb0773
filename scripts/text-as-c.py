#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""text-as-c.py NAME FILE HEADER: a text file as a string of C."""
import sys


def main():
    name, path, header = sys.argv[1:]
    with open(path, encoding="utf-8") as source, open(header, "w", encoding="utf-8") as out:
        out.write(f"/* Made by scripts/text-as-c.py. */\nstatic const char {name}[] =\n")
        for line in source:
            escaped = line.rstrip("\n").replace("\\", "\\\\").replace('"', '\\"')
            out.write(f'    "{escaped}\\n"\n')
        out.write(";\n")


main()

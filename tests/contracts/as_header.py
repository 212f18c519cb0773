#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""as_header.py FILE HEADER: the bytes of a file, as a C array."""
import sys

with open(sys.argv[1], "rb") as source, open(sys.argv[2], "w", encoding="ascii") as out:
    data = source.read()
    out.write("static const unsigned char tests_contracts[] = {\n")
    for i in range(0, len(data), 20):
        out.write("    " + " ".join(f"{byte}," for byte in data[i:i + 20]) + "\n")
    out.write("};\n")

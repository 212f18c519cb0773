#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the leading 128 bits of 5^q, for every q that a double needs: those of positive powers
cut off, those of negative ones (of the reciprocal) rounded up, as the method in number.c wants."""
import sys

SMALLEST, LARGEST = -342, 308


def leading_bits(q):
    if q >= 0:
        power = 5 ** q
        shift = 128 - power.bit_length()
        return power << shift if shift >= 0 else power >> -shift
    power = 5 ** -q
    # 2^b / 5^-q has 128 bits for this b, once what is cut off is rounded up.
    b = power.bit_length() + 127
    quotient = (1 << b) // power + 1
    return quotient if quotient.bit_length() == 128 else quotient >> 1


def main():
    with open(sys.argv[1], "w", encoding="ascii") as out:
        out.write("/* Made by scripts/powers-of-five.py. */\n#include <stdint.h>\n")
        out.write(f"enum {{ POWER_SMALLEST = {SMALLEST}, POWER_LARGEST = {LARGEST} }};\n")
        out.write("static const uint64_t powers_of_five[][2] = {\n")
        for q in range(SMALLEST, LARGEST + 1):
            bits = leading_bits(q)
            assert bits.bit_length() == 128
            out.write(f"    {{0x{bits >> 64:016X}, 0x{bits & (1 << 64) - 1:016X}}}, /* {q} */\n")
        out.write("};\n")


main()

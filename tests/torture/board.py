# SPDX-License-Identifier: Apache-2.0
"""The board of a walpost built with crash points (src/base/crash_point.h): orders to it, and the
evidence of where each of its threads was, which outlives a kill -9."""

import mmap
import os
import struct

SIZE = 4096
FIRST_SEAT = 64
SEAT = 48

IN_FLIGHT = {"batch_begun", "after_produce", "before_commit"}  # passed last: not committed yet
IN_COMMIT = "before_commit"


class Board:
    def __init__(self, file):
        self.file = file
        with open(file, "wb") as new:
            new.write(bytes(SIZE))
        with open(file, "r+b") as shared:
            self.memory = mmap.mmap(shared.fileno(), SIZE)

    @property
    def environment(self):
        return {"WALPOST_CRASH_BOARD": os.path.abspath(self.file)}

    def clear(self):
        """Before a start."""
        self.memory[:] = bytes(SIZE)

    def arm(self, point, passes=1, delay_us=0):
        """The process kills itself at the N-th pass from now, or so much later."""
        struct.pack_into("<II", self.memory, 24, passes, delay_us)
        self.memory[0:24] = point.encode().ljust(24, b"\0")

    def lanes(self):
        """lane -> the point that it passed last."""
        return {
            thread: point
            for thread, point, _ in self._seats()
            if thread.startswith("lane ") and point
        }

    def in_flight(self):
        """Is a lane between the begin of a batch and its end?"""
        return any(point in IN_FLIGHT for point in self.lanes().values())

    def in_commit(self):
        """Is a lane between the call that commits its batch and the answer?"""
        return IN_COMMIT in self.lanes().values()

    def passes(self):
        """Points passed by all threads: whether anything moves."""
        return sum(passes for _, _, passes in self._seats())

    def lane_passes(self):
        return sum(passes for thread, _, passes in self._seats() if thread.startswith("lane "))

    def _seats(self):
        for place in range(FIRST_SEAT, SIZE, SEAT):
            thread, point, passes = struct.unpack_from("<16s24sI", self.memory, place)
            if not thread[0]:
                return
            yield _text(thread), _text(point), passes


def _text(field):
    return field.partition(b"\0")[0].decode("ascii", "replace")

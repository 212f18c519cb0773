# SPDX-License-Identifier: Apache-2.0
"""Runs what a document tells its readers to do, and looks whether they see what it shows."""

import os
import pty
import re
import subprocess

from support.servers import REPOSITORY


def blocks(name):
    """(language, text) of every fenced block of docs/NAME, in order."""
    with open(os.path.join(REPOSITORY, "docs", name), encoding="utf-8") as file:
        return re.findall(r"^```(\w*)\n(.*?)^```$", file.read(), re.S | re.M)


def on_a_terminal(script, folder, environment=None, timeout=120):
    """What bash makes of it, as a person at a terminal sees it: output and errors, without colours."""
    outer, inner = pty.openpty()
    with subprocess.Popen(
        ["bash", "-euc", script],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=inner,
        stderr=inner,
        env={**os.environ, "NO_COLOR": "1", **(environment or {})},
    ) as process:
        os.close(inner)
        seen = b""
        try:
            while True:
                piece = os.read(outer, 65536)
                if not piece:
                    break
                seen += piece
        except OSError:  # Linux says so when the last one has closed its end
            pass
        os.close(outer)
        status = process.wait(timeout)
    text = seen.decode().replace("\r\n", "\n")
    assert status == 0, f"{script}\nexit status {status}\n{text}"
    return text


def shows(seen, wanted):
    """Every line of `wanted` is among those that were seen; "..." is anything, spaces are one."""
    for line in wanted.splitlines():
        pieces = [re.escape(piece) for piece in " ".join(line.split()).split("...")]
        pattern = "^" + ".*".join(pieces) + "$"
        if not any(re.match(pattern, " ".join(given.split())) for given in seen.splitlines()):
            raise AssertionError(f"the document shows\n{line}\nand these were seen:\n{seen}")

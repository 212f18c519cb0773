# SPDX-License-Identifier: Apache-2.0
"""Processes and folders that end with the test run, however it ends.

A normal end, an exception, SIGINT and SIGTERM stop everything that was started here (atexit). When
this process itself is killed with -9, the kernel sends each child its death signal, and the next
run removes the folders that were left behind."""

import atexit
import contextlib
import ctypes
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PR_SET_PDEATHSIG = 1
FOLDER_PREFIX = "walpost-test-"
SERVER_PORTS = range(10000, 32000)

_libc = ctypes.CDLL(None, use_errno=True)
_running = []
_ports = set()
_root = None


class Timeout(AssertionError):
    """A condition did not come true in time."""


def wait_until(condition, timeout, what, interval=0.05):
    """Polls `condition` until it returns something true, and returns that; Timeout otherwise."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= deadline:
            raise Timeout(f"not within {timeout} s: {what}")
        time.sleep(interval)


def free_port(address="127.0.0.1"):
    """A port that nobody listens on. Not one of those that the kernel gives to connections, which
    could take it before the server does; any of many, because test runs work side by side."""
    while True:
        port = random.choice(SERVER_PORTS)
        if port in _ports:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((address, port))
            _ports.add(port)
            return port


def spawn(arguments, death_signal=signal.SIGKILL, **options):
    """subprocess.Popen for a child that does not outlive this process. To be called by the main
    thread: the kernel sends the death signal when the calling thread ends."""
    parent = os.getpid()

    def in_child():
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    child = subprocess.Popen(arguments, preexec_fn=in_child, start_new_session=True, **options)
    _running.append(child)
    return child


def end(child, how=signal.SIGKILL, timeout=30):
    """Signals a child and waits; SIGKILL when it takes too long. Returns its exit status."""
    if child.poll() is None:
        child.send_signal(signal.SIGCONT)
        child.send_signal(how)
        try:
            child.wait(timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    if child in _running:
        _running.remove(child)
    return child.returncode


def new_folder(name, user=None):
    """A fresh folder below the run's own root folder, which goes when the run ends."""
    folder = tempfile.mkdtemp(prefix=name + "-", dir=_root_folder())
    os.chmod(folder, 0o755)
    if user is not None:
        shutil.chown(folder, user)
    return folder


def stop_everything():
    """Ends every child that still runs, and removes the run's folder (unless WALPOST_TEST_KEEP)."""
    global _root
    for child in list(reversed(_running)):
        end(child)
    if _root is not None and not os.environ.get("WALPOST_TEST_KEEP"):
        shutil.rmtree(_root, ignore_errors=True)
        _root = None


def _root_folder():
    global _root
    if _root is None:
        _remove_folders_of_the_dead()
        _root = tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-")
        os.chmod(_root, 0o755)
    return _root


def _remove_folders_of_the_dead():
    base = tempfile.gettempdir()
    for name in os.listdir(base):
        found = re.match(FOLDER_PREFIX + r"(\d+)-", name)
        if found and not os.path.exists(f"/proc/{found.group(1)}"):
            shutil.rmtree(os.path.join(base, name), ignore_errors=True)


def _on_sigterm(_number, _frame):
    sys.exit(128 + signal.SIGTERM)  # unwinds, then atexit


signal.signal(signal.SIGTERM, _on_sigterm)
atexit.register(stop_everything)

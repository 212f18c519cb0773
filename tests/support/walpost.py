# SPDX-License-Identifier: Apache-2.0
"""The program under test: its configuration, its commands, and one running instance."""

import json
import os
import signal
import subprocess

import yaml

from support.process import end, spawn, wait_until
from support.servers import REPOSITORY


def program():
    return os.environ.get("WALPOST_PROGRAM") or os.path.join(REPOSITORY, "build", "walpost")


class CommandFailed(AssertionError):
    """A walpost command ended with another status than expected."""


class Walpost:
    """One configuration in a folder of its own, and at most one `run` of it at a time. A second
    instance of the same stream is a second Walpost with another `name`."""

    def __init__(self, folder, config, name="walpost"):
        self.folder = folder
        self.name = name
        self.config = config
        self.config_file = os.path.join(folder, name + ".yaml")
        self.log_file = os.path.join(folder, name + ".log")
        self.output_file = os.path.join(folder, name + ".out")
        self.process = None
        self.log_start = 0
        self.write_config()

    def write_config(self, **sections):
        """Writes the configuration; sections given here replace those of the same name first."""
        self.config.update(sections)
        with open(self.config_file, "w", encoding="utf-8") as file:
            yaml.safe_dump(self.config, file, sort_keys=False)

    # Commands

    def command(self, *arguments, status=0, timeout=60, environment=None):
        """Runs a command to its end; status=None takes any exit status."""
        done = subprocess.run(
            [program(), arguments[0], "-c", self.config_file, *arguments[1:]],
            text=True,
            capture_output=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )
        if status is not None and done.returncode != status:
            raise CommandFailed(
                f"walpost {' '.join(arguments)}: exit status {done.returncode}, expected {status}\n"
                f"{done.stdout}{done.stderr}"
            )
        return done

    def init(self, *arguments, **options):
        return self.command("init", *arguments, **options)

    def check(self, *arguments, **options):
        return self.command("check", *arguments, **options)

    def status(self):
        return json.loads(self.command("status", "--json").stdout)

    # One run

    def start(self, *arguments, crash=None, freeze=None, environment=None):
        """walpost run ARGUMENTS. crash, freeze: "name" or "name:N", where the process kills itself,
        or stops itself until thaw(). environment: added to ours."""
        assert self.process is None or self.process.poll() is not None
        environment = {**os.environ, **(environment or {})}
        for variable, place in (("WALPOST_CRASH", crash), ("WALPOST_FREEZE", freeze)):
            environment.pop(variable, None)
            if place is not None:
                environment[variable] = place
        self.log_start = os.path.getsize(self.log_file) if os.path.exists(self.log_file) else 0
        with open(self.log_file, "ab") as log, open(self.output_file, "ab") as output:
            self.process = spawn(
                [program(), "run", "-c", self.config_file, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                env=environment,
            )
        return self

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, timeout=30):
        """SIGTERM, which drains. Returns the exit status, -9 when it had to be killed."""
        wait_until(lambda: not self.running or self._catches(signal.SIGTERM), timeout, "it is up")
        return end(self.process, signal.SIGTERM, timeout)

    def _catches(self, number):
        """Does the process handle this signal yet? Just started, it may not even be linked."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("SigCgt:"):
                    return int(line.split()[1], 16) >> (number - 1) & 1
        raise AssertionError("no SigCgt")

    def kill(self):
        return end(self.process, signal.SIGKILL)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    @property
    def frozen(self):
        """Has it stopped, by freeze() or where start(freeze=...) said?"""
        assert self.running, f"{self.name} ended\n{self.log_tail()}"
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] == "T"

    def wait_frozen(self, timeout=30):
        wait_until(lambda: self.frozen, timeout, f"{self.name} is frozen\n{self.log_tail()}")

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def wait_exit(self, timeout=30):
        """Waits for an end that nobody asked for. Returns the exit status."""
        wait_until(lambda: not self.running, timeout, f"{self.name} ends\n{self.log_tail()}")
        return end(self.process)

    def rss_peak(self):
        """The largest resident memory of the process so far, in bytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        raise AssertionError("no VmHWM")

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # Its log: JSON lines, since the last start

    def log_text(self):
        if not os.path.exists(self.log_file):
            return ""
        with open(self.log_file, "rb") as file:
            file.seek(self.log_start)
            return file.read().decode("utf-8", errors="replace")

    def log_tail(self, lines=15):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def log(self):
        entries = []
        for line in self.log_text().splitlines():
            try:
                entries.append(json.loads(line))
            except ValueError:
                entries.append({"level": "?", "message": line})
        return entries

    def last_error(self):
        """The last line of the log that is an error: why it ended."""
        errors = [entry for entry in self.log() if entry.get("level") == "error"]
        assert errors, f"{self.name} logged no error:\n{self.log_tail()}"
        return errors[-1]

    def wait_for(self, text, timeout=30):
        """Waits until a line of the log holds `text`, in any case; the line."""

        def found():
            for line in self.log_text().splitlines():
                if text.lower() in line.lower():
                    return line
            if not self.running:
                raise AssertionError(f"{self.name} ended before '{text}':\n{self.log_tail()}")
            return None

        return wait_until(found, timeout, f"'{text}' in the log of {self.name}")

    def output(self):
        with open(self.output_file, encoding="utf-8") as file:
            return file.read()

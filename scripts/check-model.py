#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The model of the protocol, docs/model/: holds as it is, and breaks without any one of its rules.

  check-model.py                 in seconds: the fast configurations, every rule once
      --full                     all configurations, every promise that a rule keeps
      --figures                  prints states and seconds of CPU of every run
      --filter WORDS             only the runs whose title contains WORDS
      --jobs N                   so many runs at a time (default: one a core)
      --root FOLDER              the repository (a test gives it a broken copy)
  check-model.py [--without RULE,...] [--only PROMISE] setting=value ...
                                 one run; prints the steps that lead to what breaks

What is run stands in two tables of docs/model/README.md, so that they are true: configurations, and
rules, with the function of src/ that keeps each, the configuration to remove it in, and the promises
that break then. A rule of rules.pml that is not there, a function that does not exist, and a rule
that can be removed without harm are errors.
"""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

LIMIT_S = {"fast": 120, "full": 3600}  # of CPU: the machine may be busy
HASH_BITS = {"fast": 21, "full": 26}
DEPTH_MAX = 100000
SPOKEN = r"(session|somebody|PostgreSQL|Kafka|the link|the WAL|an open transaction) "


class Wrong(Exception):
    """What the user has to hear; ends the check."""


def rows(text, first_header):
    """The cells of the Markdown table whose first header this is."""
    found, inside = [], False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == first_header:
            inside = True
        elif inside and not set(line) <= set("|- "):
            found.append(cells)
    if not found:
        raise Wrong(f"README.md has no table that begins with | {first_header} |")
    return found


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


def content(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


class Rule:
    """A row of the table of rules."""

    def __init__(self, cells):
        self.names, self.places = quoted(cells[0]), quoted(cells[2])
        self.title = "without " + " + ".join(self.names)
        self.configuration = quoted(cells[3])[0]
        self.breaks = quoted(cells[4])


class Model:
    def __init__(self, root):
        self.root = root
        self.folder = os.path.abspath(os.path.join(root, "docs", "model"))
        text = content(self.folder, "README.md")
        rules = content(self.folder, "rules.pml").partition("#define RULES ")[0]
        self.numbers = dict(re.findall(r"^#define (\w+) +(\d+)$", rules, re.M))
        self.settings, self.fast = {}, set()
        for cells in rows(text, "configuration"):
            name = quoted(cells[0])[0]
            self.settings[name] = dict(pair.split("=") for pair in quoted(cells[1]))
            if cells[3] == "fast":
                self.fast.add(name)
        self.rules = [Rule(cells) for cells in rows(text, "rule")]

    def complaints(self):
        """Where the tables, rules.pml and src/ do not agree."""
        in_table = {name for rule in self.rules for name in rule.names}
        for name in sorted(set(self.numbers) - in_table):
            yield f"README.md does not name the rule {name}"
        for name in sorted(in_table - set(self.numbers)):
            yield f"README.md names the rule {name}, which is not in rules.pml"
        files = [name for name in os.listdir(self.folder) if name.endswith(".pml")]
        model = "".join(content(self.folder, name) for name in files)
        for name in sorted(self.numbers):
            if f"WITHOUT({name})" not in model:
                yield f"the rule {name} changes nothing in the model"
        for rule in self.rules:
            if rule.configuration not in self.settings:
                yield f"{rule.title}: there is no configuration {rule.configuration}"
            if not rule.breaks:
                yield f"{rule.title}: README.md does not say what breaks"
            if not rule.places:
                yield f"{rule.title}: README.md does not say where the code keeps it"
            for place in rule.places:
                if not self.is_in_code(place):
                    yield f"README.md names {place}, which does not exist"

    def is_in_code(self, place):
        file, _, name = place.partition(": ")
        if not os.path.isfile(os.path.join(self.root, "src", file)):
            return False
        definition = rf"^\w[^;\n]*\b{re.escape(name)}\([^;{{}}]*\)\n{{"
        return re.search(definition, content(self.root, "src", file), re.M) is not None

    def build(self, folder, *flags):
        """The checker: one program for all runs."""
        for command in (
            ["spin", "-a", os.path.join(self.folder, "walpost.pml")],
            ["gcc", "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-DVECTORSZ=2048", *flags,
             "-o", "pan", "pan.c"],
        ):
            try:
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            except FileNotFoundError as error:
                raise Wrong(f"{command[0]} is not there: `./dev deps` installs it") from error
            if done.returncode != 0:
                raise Wrong(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
        return os.path.join(folder, "pan")


class Run:
    """One run of the checker: what it looks for, and what it found."""

    def __init__(self, model, title, settings, without=(), only=None):
        self.title = title
        self.environment = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
        self.environment.update(settings)
        self.environment["without"] = ",".join(model.numbers[name] for name in without)
        if only is not None:
            self.environment["only"] = only
        self.broken = None  # the promise that broke
        self.trouble = None
        self.states, self.seconds = 0, 0.0

    def go(self, pan, mode):
        with tempfile.TemporaryDirectory(prefix="walpost-model-") as folder:
            self.check(pan, folder, mode)
        return self

    def check(self, pan, folder, mode, *options):
        command = [pan, "-E", f"-m{DEPTH_MAX}", f"-w{HASH_BITS[mode]}", "-c1", *options]
        limit_s = LIMIT_S[mode]
        path = os.path.join(folder, "output")
        with open(path, "w", encoding="utf-8") as file:
            process = subprocess.Popen(
                ["prlimit", f"--cpu={limit_s}", *command], cwd=folder, env=self.environment,
                stdout=file, stderr=subprocess.STDOUT,
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds = usage.ru_utime + usage.ru_stime
        text = content(path)
        states = re.search(r"(\d+) states, stored", text)
        errors = re.search(r"errors: (\d+)", text)
        broken = re.search(r"assertion violated \(+(\w+)\|\|", text)
        complete = states and errors and "max search depth too small" not in text
        if process.returncode < 0:
            self.trouble = f"did not end within {limit_s} s of CPU, or was killed"
        elif not complete:
            self.trouble = f"the checker failed:\n{text[-2000:]}"
        elif errors.group(1) != "0" and not broken:
            self.trouble = f"not a promise, but {text.splitlines()[0]}"
        else:
            self.broken = broken.group(1) if broken else None
            self.states = int(states.group(1))

    def failure(self, expected):
        """None when this run did what it should. expected: the promise that breaks, or None."""
        if self.trouble is not None:
            return f"{self.title}: {self.trouble}"
        if self.broken == expected:
            return None
        if expected is None:
            return f"{self.title}: {self.broken} breaks"
        return f"{self.title}: {expected} holds all the same"


def plan(model, full):
    """Runs, and what each is expected to break."""
    for name, settings in model.settings.items():
        if full or name in model.fast:
            yield Run(model, f"configuration {name}", settings), None
    # A world that cannot come to its end proves nothing.
    first = next(iter(model.settings.values()))
    yield Run(model, "the last session confirms everything", first, (), "REACHED_end"), "REACHED_end"
    for rule in model.rules:
        for promise in rule.breaks if full else rule.breaks[:1]:
            settings = model.settings[rule.configuration]
            yield Run(model, rule.title, settings, rule.names, promise), promise


def check(model, options):
    complaints = list(model.complaints())
    if complaints:
        raise Wrong("\n".join(complaints))
    failures = 0
    mode = "full" if options.full else "fast"
    runs = [(run, expected) for run, expected in plan(model, options.full)
            if options.filter in run.title]
    if not runs:
        raise Wrong(f"no run has {options.filter} in its title")
    with tempfile.TemporaryDirectory(prefix="walpost-model-") as folder:
        pan = model.build(folder)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            done = [(pool.submit(run.go, pan, mode), expected) for run, expected in runs]
            for future, expected in done:
                run = future.result()
                failure = run.failure(expected)
                if failure is not None:
                    print(failure, file=sys.stderr, flush=True)
                    failures += 1
                elif options.figures:
                    what = f"{run.broken} breaks" if run.broken else "holds"
                    print(f"{run.title}: {what}, {run.states:,} states, {run.seconds:.1f} s",
                          flush=True)
    return 1 if failures else 0


def show(model, options):
    """One run, and the steps that lead to what breaks."""
    without = options.without.split(",") if options.without else []
    for name in without:
        if name not in model.numbers:
            raise Wrong(f"there is no rule {name}")
    settings = dict(pair.split("=") for pair in options.settings)
    run = Run(model, "this run", settings, without, options.only)
    with tempfile.TemporaryDirectory(prefix="walpost-model-") as folder:
        pan = model.build(folder, "-DREACH")
        run.check(pan, folder, "full", "-i")  # -i: the shortest way to it
        if run.trouble is not None:
            raise Wrong(run.trouble)
        if run.broken is None:
            print(f"everything holds, {run.states:,} states")
            return 0
        steps = subprocess.run([pan, "-r", "walpost.pml.trail"], cwd=folder, text=True,
                               env=run.environment, capture_output=True).stdout
    for line in steps.splitlines():
        if re.match(SPOKEN, line.strip()):
            print(line.strip())
    print(f"{run.broken} breaks")
    return 1


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, usage="")
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--root", default=os.path.join(here, ".."), help=argparse.SUPPRESS)
    parser.add_argument("--full", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--figures", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--filter", default="", help=argparse.SUPPRESS)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help=argparse.SUPPRESS)
    parser.add_argument("--without", help=argparse.SUPPRESS)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("settings", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    model = Model(options.root)
    if options.without or options.only or options.settings:
        return show(model, options)
    return check(model, options)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Wrong as wrong:
        print(wrong, file=sys.stderr)
        sys.exit(1)

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""./dev torture: kills and faults on real servers by a seed, and two judges at the end. Exit status 0
only when every promise held."""

import argparse
import os
import random
import shutil
import sys
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from support.servers import REPOSITORY, Kafka, Postgres  # noqa: E402
from support.stream import Stream  # noqa: E402
from torture import report  # noqa: E402
from torture.torture import Torture  # noqa: E402


def options():
    parser = argparse.ArgumentParser(prog="./dev torture", description=__doc__)
    parser.add_argument("--seed", type=int, help="default: a random one, which is printed")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--duration", type=float, metavar="SECONDS", help="default: 60")
    length.add_argument("--faults", type=int, metavar="N", help="so many, however long it takes")
    parser.add_argument("--lanes", default="1", help="1, 3, partition; several: 1,3 (default: 1)")
    parser.add_argument("--brokers", default="1", help="1, 3; both: 1,3 (default: 1)")
    parser.add_argument("--report", metavar="FILE", help="the outcome in Markdown")
    chosen = parser.parse_args()
    if chosen.seed is None:
        chosen.seed = random.SystemRandom().randrange(1, 1_000_000)
    if chosen.faults is None and chosen.duration is None:
        chosen.duration = 60
    lanes = [int(lanes) if lanes.isdigit() else lanes for lanes in chosen.lanes.split(",")]
    brokers = [int(nodes) for nodes in chosen.brokers.split(",")]
    if not set(brokers) <= {1, 3}:
        parser.error("--brokers takes 1 and 3")
    chosen.legs = [(some, nodes) for nodes in brokers for some in lanes]
    return chosen


def keep_logs(folder, stream, kafka, postgres):
    """What walpost and the servers wrote, for whoever looks into a failure."""
    shutil.copytree(stream.folder, os.path.join(folder, "walpost"), dirs_exist_ok=True)
    shutil.copy(postgres.log_file, os.path.join(folder, "postgres.log"))
    for name in os.listdir(kafka.folder):
        if name.endswith(".log"):
            shutil.copy(os.path.join(kafka.folder, name), os.path.join(folder, "kafka-" + name))


def one_leg(chosen, lanes, folder, postgres, kafka):
    """A share of the faults on servers of its own: the run, and its outcome or None."""
    os.makedirs(folder, exist_ok=True)
    share = 1 / len(chosen.legs)
    outcome = None
    with open(os.path.join(folder, "faults.jsonl"), "w", encoding="utf-8") as log:
        stream = Stream(postgres, kafka, "torture")
        leg = Torture(stream, chosen.seed, lanes, log)
        try:
            outcome = leg.run(
                faults=chosen.faults and round(chosen.faults * share),
                duration=chosen.duration and chosen.duration * share,
            )
        except Exception:  # whatever it is: the seed and the faults so far are worth a report
            traceback.print_exc()
    keep_logs(folder, stream, kafka, postgres)
    print(f"== {report.name_of(leg)}\n{report.verdict(outcome)}", flush=True)
    return leg, outcome


def main():
    chosen = options()
    length = f"--faults {chosen.faults}" if chosen.faults else f"--duration {chosen.duration:g}"
    again = f"--seed {chosen.seed} {length} --lanes {chosen.lanes} --brokers {chosen.brokers}"
    folder = os.path.join(REPOSITORY, "build-torture", str(chosen.seed))
    print(f"seed {chosen.seed}; the same faults again: ./dev torture {again}", flush=True)
    legs, outcomes = [], []
    for lanes, nodes in chosen.legs:
        with Postgres() as postgres, Kafka(nodes=nodes) as kafka:
            name = os.path.join(folder, f"lanes-{lanes}-brokers-{nodes}")
            leg, outcome = one_leg(chosen, lanes, name, postgres, kafka)
            version = postgres.value("show server_version").split()[0]
        legs.append(leg)
        outcomes.append(outcome)
    print(report.plain(legs))
    if chosen.report:
        with open(chosen.report, "w", encoding="utf-8") as file:
            file.write(report.markdown(legs, outcomes, version, again))
    held = all(outcome is not None and outcome.held for outcome in outcomes)
    if held:
        print(f"every promise held; what happened: {folder}")
    else:
        print(f"FAILED; what happened: {folder}; the same faults again: ./dev torture {again}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""What shall happen, drawn from a seed: the same seed gives the same faults in the same order. When
they happen depends on the machine, so a failing seed repeats its faults, not its interleaving."""

import random
from collections import namedtuple

# kind -> (how many in a deck, what it is). A deck is shuffled and played to its end: so kinds keep
# their shares in any stretch of a run.
KINDS = {
    "kill_in_commit": (21, "kill -9 while the client waits for the commit's answer"),
    "kill_at_point": (22, "kill -9 at a named place of the program"),
    "kill_at_random": (10, "kill -9 at a random moment"),
    "lanes_change": (5, "kill -9, then a start with another number of lanes, then back"),
    "take_over": (5, "SIGSTOP, a take-over by a second instance, SIGCONT"),
    "standby": (5, "kill -9 while a standby waits"),
    "clean_stop": (5, "SIGTERM and a start"),
    "walsender": (5, "the walsender is terminated"),
    "link_cut": (5, "both connections to PostgreSQL are cut"),
    "link_silent": (5, "nothing passes between walpost and PostgreSQL for a while"),
    "link_slow": (5, "the link to PostgreSQL carries 2 to 64 kB a second for a while"),
    "postgres_crash": (5, "PostgreSQL is killed with -9 and started"),
    "postgres_restart": (5, "PostgreSQL restarts, fast or immediate"),
    "broker_kill": (5, "a broker is killed with -9 and started"),
    "broker_pause": (5, "a broker is stopped and continued (SIGSTOP, SIGCONT)"),
    "coordinator_move": (10, "the broker that coordinates a lane's transactions goes away"),
    "leader_move": (10, "the broker that leads a partition in use goes away"),
    "new_topic": (5, "events for a topic that is not there yet"),
    "partitions_added": (5, "a topic in use gets one or two more partitions"),
    "row_lock": (5, "kill -9 while the marks wait for the lock of a row"),
    "ddl": (5, "ALTER TABLE on the outbox, half of them with a lock held and a kill -9"),
}
THREE_BROKERS = {"coordinator_move", "leader_move"}

# Places of kill_at_point, and up to which pass. The generation is committed at a start only.
PLACES = {
    "after_produce": 8,
    "before_commit": 8,
    "after_commit": 8,
    "after_mark": 5,
    "before_feedback": 5,
    "before_generation": 1,
    "after_generation": 1,
    "after_leader_commit": 1,
}
LEADER_PLACE = "after_leader_commit"  # with one lane the leader is silent under load

Fault = namedtuple("Fault", "number kind place passes delay_us moment in_flight choice lanes")
"""number: from 1. place, passes, delay_us: of a crash point. moment: 0 to 1, when or how long.
in_flight: wait until a batch is in flight. choice: 0 to 1, which of several. lanes: of the next
start, where that is what changes."""


def kinds(brokers):
    return [kind for kind in KINDS if brokers == 3 or kind not in THREE_BROKERS]


def draw(seed, brokers, lanes):
    """The faults, without an end. lanes: what the configuration says; not 1: the leader commits."""
    choose = random.Random(f"torture {seed} {lanes} {brokers}")
    places = [place for place in PLACES if lanes != 1 or place != LEADER_PLACE]
    number = 0
    turn = 0
    while True:
        deck = [kind for kind in kinds(brokers) for _ in range(KINDS[kind][0])]
        choose.shuffle(deck)
        for kind in deck:
            number += 1
            place, passes = "", 1
            if kind == "kill_at_point":
                place = places[turn % len(places)]
                turn += 1
                passes = choose.choice([1, choose.randint(1, PLACES[place])])
            elif kind == "kill_in_commit":
                place, passes = "before_commit", choose.randint(1, 6)
            yield Fault(
                number=number,
                kind=kind,
                place=place,
                passes=passes,
                delay_us=choose.randint(50, 4000) if kind == "kill_in_commit" else 0,
                moment=choose.random(),
                in_flight=choose.random() < 0.9,
                choice=choose.random(),
                lanes=choose.choice([n for n in (1, 2, 3, 4) if n != lanes]),
            )

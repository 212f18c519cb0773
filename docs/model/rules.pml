/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be removed, what must hold, and how large the world is. All of it is set when the checker
 * starts (scripts/check-model.py), so one compilation serves every run. README.md says which
 * function of the code keeps which rule. */

/* --- the rules: without[RULE] is 1 in a run that shows what the rule is for --- */
#define SLOT_FIRST               1
#define ALIVE_BEFORE_FENCE       2
#define LEADER_FIRST             3
#define SECOND_LOOK              4
#define IDS_OF_THE_STREAM        5
#define BOTH_IDS_FENCED          6
#define LANES_FOUND_FENCED       7
#define READ_AFTER_FENCE         8
#define READ_TO_HIGH_WATERMARK   9
#define GENERATION_FIRST        10
#define LEAD_ONCE               11
#define OWN_RECORDS_ARE_OURS    12
#define COUNTS_FOR_GENERATION   13
#define HISTORY                 14
#define HISTORY_ALL             15
#define HISTORY_LARGER          16
#define HISTORY_BY_LARGEST      17
#define OLD_LANE_COUNT          18
#define UNKNOWN_IS_NOT_NEW      19
#define UNKNOWN_IS_NOT_OLD      20
#define LEAVE_OUT_BELOW_S       21
#define S_IS_EXCLUSIVE          22
#define S_IS_A_PREFIX           23
#define S_CARRIED_ON            24
#define CHECKPOINT_INSIDE       25
#define ONE_BATCH_AT_A_TIME     26
#define COMMIT_KNOWN            27
#define OUTCOME_NOT_REPEATED    28
#define OUTCOME_NOT_ASSUMED     29
#define LEADER_NOT_RETAKEN      30
#define LEADER_NOT_ASSUMED      31
#define EXPIRED_IS_LOST         32
#define MEMORY_IS_DROPPED       33
#define MARK_LEFT_OUT           34
#define MARK_BEFORE_CONFIRM     35
#define MAY_CONFIRM_FIRST       36
#define START_AT_SLOT           37
#define LARGEST_S_KNOWN         38
#define POSITION_AT_ACQUISITION 39
#define PROVE_BEFORE_ALARM      40
#define WAL_END_AFTER_SLOT      41
#define ALIVE_BEFORE_ALARM      42
#define GAP_KEEPS_WATERMARKS    43
#define GAP_ALARM               44
#define S_NEVER_BACK            45
#define RULES                   46
hidden byte without[RULES];
#define WITHOUT(rule) (without[rule])

/* --- the promises: each is asserted where it could break. The name stands first in the assertion
 * that pan prints; 1 means that this run does not look at it. --- */
hidden byte I1_early, I1_unmarked, I1_marked_early, I2_back, I3_lost, I3_repeated, I5_order,
    I6_position, I11_fenced, I11_harm, I11_exit_4, ALARM_false, ALARM_missed, REACHED_end;
#define PROMISE(name, condition) assert(name || (condition))

/* --- the size of the world --- */
hidden byte sessions_max;      /* sessions, one after the other or beside each other */
hidden byte transactions_max;  /* of the four below, so many exist */
hidden byte pair;              /* the transaction of two events: 1 or 3 */
hidden byte end_lsn[4];        /* by event */
hidden byte events_below[6];   /* by LSN, and one more */
hidden byte lanes_of[6];       /* lanes of each session; 0: chosen freely */
hidden byte template_of[6];    /* key template of each session */
hidden byte old_keys;          /* 1: an event's key under an old template can be made */
hidden byte process_of[6];     /* sessions of one process share what it remembers; 0: its own */
hidden byte zombies;           /* 1: a session that lost its slot goes on, unaware; 0: it is dead */
hidden byte movers;            /* somebody else moves the slot, so often */
hidden byte pg_crashes;        /* the slot falls back to an older position, so often */
hidden byte timeouts;          /* the coordinator ends a Kafka transaction, so often */
hidden byte expiries;          /* Kafka forgets an id that is idle, so often */
hidden byte hangs;             /* a transaction of nobody hides a partition's end, so often */
hidden byte reconnects;        /* only without MEMORY_IS_DROPPED */
hidden byte accepts;           /* --accept-gap */
hidden byte wal_at_start;      /* the WAL ends here at first, and grows */
hidden byte no_window;         /* 1: the look at the slot and the fence of the leader are one step */

c_decl {
\#include <stdlib.h>
\#include <string.h>
}

c_code {
static int number(const char *name, int otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : atoi(text);
}

/* "1,2,0": into an array, from index 1. */
static void numbers(const char *name, unsigned char *into)
{
    const char *text = getenv(name);
    for (int i = 1; text != NULL && *text != 0; i++) {
        into[i] = atoi(text);
        text += strcspn(text, ",");
        text += *text == ',';
    }
}

static int is_not(const char *only, const char *name)
{
    return only != NULL && strcmp(only, name) != 0;
}

static void configure(void)
{
    const char *text = getenv("without");
    while (text != NULL && *text != 0) {
        without[atoi(text)] = 1;
        text += strcspn(text, ",");
        text += *text == ',';
    }
    /* All are looked at, or only the named one; two of them only when named: see README.md. */
    const char *only = getenv("only");
    I1_early = is_not(only, "I1_early");
    I1_unmarked = is_not(only, "I1_unmarked");
    I1_marked_early = is_not(only, "I1_marked_early");
    I2_back = is_not(only, "I2_back");
    I3_lost = is_not(only, "I3_lost");
    I3_repeated = is_not(only, "I3_repeated");
    I5_order = is_not(only, "I5_order");
    I6_position = is_not(only, "I6_position");
    I11_fenced = is_not(only, "I11_fenced");
    I11_exit_4 = is_not(only, "I11_exit_4");
    ALARM_false = is_not(only, "ALARM_false");
    ALARM_missed = is_not(only, "ALARM_missed");
    I11_harm = only == NULL || is_not(only, "I11_harm");
    REACHED_end = only == NULL || is_not(only, "REACHED_end");
    sessions_max = number("sessions", 2);
    transactions_max = number("transactions", 4);
    /* T1 = {e0, e1}, T3 = {e2}, or T1 = {e0}, T3 = {e1, e2}. */
    pair = number("pair", 1);
    end_lsn[0] = 1;
    end_lsn[1] = pair;
    end_lsn[2] = 3;
    end_lsn[3] = 4;
    for (int i = 0; i < 4; i++) {
        for (int upto = end_lsn[i]; upto <= 5; upto++) {
            events_below[upto] |= 1 << i;
        }
    }
    numbers("lanes", lanes_of);
    numbers("templates", template_of);
    numbers("processes", process_of);
    old_keys = number("old_keys", 0);
    zombies = number("zombies", 0);
    movers = number("movers", 0);
    pg_crashes = number("pg_crashes", 0);
    timeouts = number("timeouts", 0);
    expiries = number("expiries", 0);
    hangs = number("hangs", 0);
    reconnects = number("reconnects", 0);
    accepts = number("accepts", 0);
    wal_at_start = number("wal_at_start", transactions_max);
    no_window = number("no_window", 0);
}
}

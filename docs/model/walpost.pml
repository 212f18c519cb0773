/* SPDX-License-Identifier: Apache-2.0
 *
 * The exactly once protocol of walpost, for the model checker Spin. Read README.md first, then
 * start.pml and stream.pml beside src/pipeline/session.c and src/lane/lane.c.
 *
 * A session is one process from one connect to the next. All of them run here at once; a session
 * that takes no more steps was killed, and one that goes on after it lost its slot was frozen.
 * Every step is one line of `session`, and any step that can be taken may be the next. */
#include "rules.pml"
#include "world.pml"
#include "checkpoint.pml"

byte started;           /* sessions started so far */
byte ended;             /* the session that ended last */
byte led[6];            /* by process: the generation that it led last */
byte accepted, reconnected;

mtype = { NOT_STARTED, LOOK, FENCE_LEADER, LOOK_AGAIN, FENCE_LANES, LEAD, COMMIT, JUDGE, STREAMING,
          ENDED, AGAIN };
mtype = { EMPTY, SENDING, SENT, COMMITTED };
#include "start.pml"
#include "stream.pml"

proctype session(byte me)
{
    mtype step = NOT_STARTED;
    byte lanes, key_template;   /* its configuration */
    byte slot_lsn;              /* the slot's position when it was acquired */
    byte known_wal_lsn;         /* where the WAL ended then */
    byte seen, lanes_seen;      /* at the first look: newest generation, most lanes */
    byte next_id;               /* to be fenced */
    checkpoint found;           /* what was read */
    byte generation;            /* its own */
    byte left_out, unknown;     /* events that Kafka has; that an old template cannot tell */
    byte kept;                  /* in memory over a reconnect */

    byte read;                  /* the WAL, so far */
    mtype state[4];             /* of a batch, by producer */
    byte batch[4], batch_settled_lsn[4];
    byte turn[2];
    byte lane_settled_lsn[2];   /* the largest S that the lane's records say */
    byte delivered;             /* events of committed batches that the loop has not collected */
    byte published, settled;    /* the ledger's two counts, by event */
    byte committed_lsn;         /* feedback: the largest S known to be committed */
    byte flush_lsn;             /* feedback: said to PostgreSQL last */

    d_step { state[0] = EMPTY; state[1] = EMPTY; state[2] = EMPTY; state[3] = EMPTY };
end:
    do
    :: identify()
    :: source_open(1)
    :: source_open(2)
    :: look()
    :: fence_leader()
    :: look_again()
    :: fence_lane()
    :: look_committed()
    :: send_generation()
    :: commit_generation()
    :: assume_generation()
    :: judge_later()
    :: reconnect()
    :: intake()
    :: send_event(0)
    :: send_checkpoint(0)
    :: commit(0)
    :: deliver(0)
    :: abort(0)
    :: repeat_unknown(0)
    :: send_event(1)
    :: send_checkpoint(1)
    :: commit(1)
    :: deliver(1)
    :: abort(1)
    :: repeat_unknown(1)
    :: send_event(2)
    :: send_checkpoint(2)
    :: commit(2)
    :: deliver(2)
    :: abort(2)
    :: repeat_unknown(2)
    :: send_event(3)
    :: send_checkpoint(3)
    :: commit(3)
    :: deliver(3)
    :: abort(3)
    :: repeat_unknown(3)
    :: collect()
    :: mark()
    :: commit_settled()
    :: assume_settled()
    :: retake_leader()
    :: tell_postgres()
    /* Killed, or it failed and begins again: a later session. */
    :: d_step { !zombies && started < sessions_max && step != NOT_STARTED && step != ENDED ->
            end_session() }
    od
}

init
{
    atomic {
        c_code { configure(); };
        committed.generation = 1;
        committed.lanes = 1;
        newest_generation = 1;
        wal_lsn = wal_at_start;
        run world();
        i = 1;
        do
        :: i <= sessions_max -> run session(i); i++
        :: else -> break
        od
    }
}

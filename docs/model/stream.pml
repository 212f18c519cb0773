/* SPDX-License-Identifier: Apache-2.0
 *
 * Streaming: pipeline/intake.c, lane/lane.c, lane/batch.c, then the way back: ledger/ledger.c,
 * pipeline/confirm.c, pipeline/feedback.c. */

/* Without GENERATION_FIRST lanes begin while the generation is being committed. */
#define RUNS (step == STREAMING || (WITHOUT(GENERATION_FIRST) && (step == LEAD || step == COMMIT)))

/* A transaction is read: what Kafka has is left out, and marked all the same. */
inline intake()
{
    d_step {
        RUNS && read < (slot_owner == me || WITHOUT(GENERATION_FIRST) -> wal_lsn : socket_end[me]) ->
        read++;
        if
        :: OF(read) & unknown ->
            printf("session %d: an old key template cannot tell, exit 3\n", me);
            end_session()
        :: else ->
            published = published | (OF(read) & left_out);
            PROMISE(I3_lost, !(OF(read) & left_out & ~(visible | given_up)));
            if :: WITHOUT(MARK_LEFT_OUT) -> settled = settled | (OF(read) & left_out) :: else fi
        fi
    }
}

/* --- a lane: its two producers take turns --- */
#define IN_LANES    (batch[0] | batch[1] | batch[2] | batch[3] | delivered)
#define LANE_OF(p)  ((p) / 2)
#define OTHER(p)    ((p) - (p) % 2 + 1 - (p) % 2)
#define WAITS(e, p) ((BELOW(read) & BIT(e)) && !((published | IN_LANES) & BIT(e)) && \
                     LANE(e, LAYOUT(lanes, key_template)) == LANE_OF(p))
#define NEXT(p)     (WAITS(0, p) -> 0 : (WAITS(1, p) -> 1 : (WAITS(2, p) -> 2 : (WAITS(3, p) -> 3 : 4))))
#define HAS_TURN(p) (LANE_OF(p) < lanes && turn[LANE_OF(p)] == (p) % 2 && \
                     (state[OTHER(p)] == EMPTY || WITHOUT(ONE_BATCH_AT_A_TIME)))
#define IS_ONE(set) ((set) == 1 || (set) == 2 || (set) == 4 || (set) == 8)

inline forget_batch(p)
{
    batch[p] = 0; batch_settled_lsn[p] = 0; state[p] = EMPTY
}

/* feedback_committed: the largest S known to be committed. */
inline learn(new_lsn)
{
    if
    :: WITHOUT(LARGEST_S_KNOWN) -> committed_lsn = new_lsn
    :: else -> committed_lsn = MAX(committed_lsn, new_lsn)
    fi
}

/* A batch takes its first event, or a second one. batch.c: send_events. Whoever has lost the id ends
 * (kafka_record_verdict); begin, abort and commit say it too. */
inline send_event(p)
{
    d_step {
        RUNS && NEXT(p) < 4 &&
        ((state[p] == EMPTY && HAS_TURN(p)) || (state[p] == SENDING && IS_ONE(batch[p]))) ->
        if
        :: WITHOUT(BOTH_IDS_FENCED) && p % 2 == 1 && leads == me && state[p] == EMPTY ->
            kafka_fence(ID(p)) /* taken when it is needed */
        :: else
        fi;
        if
        :: owner[ID(p)] != me -> end_session()
        :: else ->
            w = NEXT(p);
            printf("session %d sends event %d on id %d\n", me, w, ID(p));
            kafka_send(ID(p), w);
            batch[p] = batch[p] | BIT(w);
            state[p] = SENDING;
            if :: WITHOUT(ONE_BATCH_AT_A_TIME) -> turn[LANE_OF(p)] = 1 - p % 2 :: else fi
        fi
    }
}

/* The published prefix over all lanes as far as the loop knows it, and for the only lane the end of
 * the last whole transaction of its batch; never less than the record before it said, which is
 * replaced by this one. batch.c: batch_settled_lsn */
#define PREFIX(set, upto) ((upto) >= 4 && ((set) & 15) == 15 -> 4 : ((upto) >= 3 && ((set) & 7) == 7 -> 3 : \
                          ((upto) >= 2 && !(BELOW(2) & ~(set)) -> 2 : ((upto) >= 1 && !(BELOW(1) & ~(set)) -> 1 : 0))))
#define WHOLE(t, p) ((batch[p] & OF(t)) && !(OF(t) & ~(published | delivered | batch[p])))
#define OWN_END(p)  (WHOLE(4, p) -> 4 : (WHOLE(3, p) -> 3 : (WHOLE(1, p) -> 1 : 0)))
#define BEFORE_S(p) (WITHOUT(S_NEVER_BACK) -> 0 : lane_settled_lsn[LANE_OF(p)])
#define BATCH_S(p)  (WITHOUT(S_IS_A_PREFIX) -> END_LSN(HIGHEST(batch[p])) : \
                     MAX(BEFORE_S(p), MAX(PREFIX(published, read), (lanes == 1 -> OWN_END(p) : 0))))

/* The checkpoint record is the last of its Kafka transaction. */
inline send_checkpoint(p)
{
    d_step {
        RUNS && state[p] == SENDING ->
        batch_settled_lsn[p] = BATCH_S(p);
        state[p] = SENT
    }
}

inline write_checkpoint(p)
{
    last[LANE_OF(p)].generation = generation;
    last[LANE_OF(p)].watermark = HIGHEST(batch[p]) + 1;
    last[LANE_OF(p)].settled_lsn = batch_settled_lsn[p]
}

inline commit(p)
{
    d_step {
        RUNS && state[p] == SENT ->
        if
        :: owner[ID(p)] != me -> end_session()
        :: else ->
            printf("session %d commits %d on id %d, S %d\n", me, open[ID(p)], ID(p), batch_settled_lsn[p]);
            PROMISE(I11_fenced, leads == me);
            kafka_commit(ID(p));
            if :: !WITHOUT(CHECKPOINT_INSIDE) -> write_checkpoint(p) :: else fi;
            positions_hold();
            state[p] = COMMITTED
        fi
    }
}

/* Kafka's answer has come, and the lane goes on to its next batch: lane.c: deliver. The session that
 * never hears it takes no more steps: an outcome that is not known ends it. */
inline deliver(p)
{
    d_step {
        RUNS && (state[p] == COMMITTED || (WITHOUT(OUTCOME_NOT_ASSUMED) && state[p] == SENT)) ->
        if :: WITHOUT(CHECKPOINT_INSIDE) -> write_checkpoint(p) :: else fi;
        PROMISE(I3_lost, !(batch[p] & ~(visible | given_up)));
        delivered = delivered | batch[p];
        lane_settled_lsn[LANE_OF(p)] = MAX(lane_settled_lsn[LANE_OF(p)], batch_settled_lsn[p]);
        forget_batch(p);
        turn[LANE_OF(p)] = 1 - p % 2
    }
}

/* The loop hears of what the lanes have delivered meanwhile, one batch of each or several, while
 * they are at the next one: flow.c: flow_collect, settle. */
inline collect()
{
    d_step {
        RUNS && delivered != 0 ->
        printf("session %d collects %d\n", me, delivered);
        published = published | delivered;
        delivered = 0;
        learn(lane_settled_lsn[0]);
        if :: lanes == 2 -> learn(lane_settled_lsn[1]) :: else fi
    }
}

/* Aborted and replayed, on the same producer. */
inline abort(p)
{
    d_step {
        RUNS && (state[p] == SENDING || state[p] == SENT) ->
        if
        :: owner[ID(p)] == FORGOTTEN && WITHOUT(EXPIRED_IS_LOST) -> /* the client would take it again */
            printf("session %d gets id %d back, unfenced\n", me, ID(p));
            owner[ID(p)] = me;
            forget_batch(p)
        :: owner[ID(p)] != me && !(owner[ID(p)] == FORGOTTEN && WITHOUT(EXPIRED_IS_LOST)) -> end_session()
        :: else -> kafka_abort(ID(p)); forget_batch(p)
        fi
    }
}

inline repeat_unknown(p)
{
    d_step {
        WITHOUT(OUTCOME_NOT_REPEATED) && RUNS && state[p] == COMMITTED ->
        printf("session %d does not know the outcome, and sends the batch again\n", me);
        forget_batch(p)
    }
}

/* --- the way back --- */

/* Published, then marked in the table: then it is settled. */
inline mark()
{
    d_step {
        RUNS && (published & ~settled) ->
        PROMISE(I1_marked_early, !(published & ~settled & ~(visible | given_up)));
        marked = marked | (published & ~settled);
        settled = published
    }
}

#define PUBLISHED_LSN PREFIX(published, read)
#define SAFE_LSN      PREFIX((WITHOUT(COMMIT_KNOWN) -> settled | IN_LANES : \
                              (WITHOUT(MARK_BEFORE_CONFIRM) -> published : settled)), read)

/* Where S falls short, the leader commits a record first. control.c: commit_settled */
inline commit_settled()
{
    d_step {
        step == STREAMING && SAFE_LSN > committed_lsn ->
        if
        :: owner[LEADER] != me -> end_session()
        :: else ->
            committed.settled_lsn = MAX(PUBLISHED_LSN, SAFE_LSN);
            printf("session %d commits S %d as the leader\n", me, committed.settled_lsn);
            w = committed.settled_lsn;
            learn(w);
            positions_hold()
        fi
    }
}

inline assume_settled()
{
    d_step {
        WITHOUT(LEADER_NOT_ASSUMED) && step == STREAMING && SAFE_LSN > committed_lsn ->
        w = SAFE_LSN;
        learn(w)
    }
}

inline retake_leader()
{
    d_step {
        WITHOUT(LEADER_NOT_RETAKEN) && (step == STREAMING || step == COMMIT) && owner[LEADER] != me ->
        printf("session %d takes the leader id once more\n", me);
        owner[LEADER] = me
    }
}

#define MAY_CONFIRM (WITHOUT(MAY_CONFIRM_FIRST) -> SAFE_LSN : MIN(SAFE_LSN, committed_lsn))
#define NEW_FLUSH   (WITHOUT(LARGEST_S_KNOWN) -> MAY_CONFIRM : MAX(flush_lsn, MAY_CONFIRM))

/* feedback_update, flow_tell_postgres. */
inline tell_postgres()
{
    d_step {
        step == STREAMING && slot_owner == me && NEW_FLUSH != confirmed_lsn ->
        printf("session %d confirms %d\n", me, NEW_FLUSH);
        PROMISE(I2_back, NEW_FLUSH >= confirmed_lsn);
        PROMISE(I1_early, !(BELOW(NEW_FLUSH) & ~(visible | given_up)));
        PROMISE(I1_unmarked, !(BELOW(NEW_FLUSH) & ~marked) || moved > 0);
        flush_lsn = NEW_FLUSH;
        confirmed_lsn = flush_lsn;
        PROMISE(REACHED_end, !(me == sessions_max && confirmed_lsn == transactions_max))
    }
}

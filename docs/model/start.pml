/* SPDX-License-Identifier: Apache-2.0
 *
 * The start: pipeline/session.c and pipeline/source.c, in the order of ARCHITECTURE.md. */

/* --- what more than one step does --- */

inline forget()
{
    lanes = 0; key_template = 0; generation = 0; slot_lsn = 0; known_wal_lsn = 0; seen = 0;
    lanes_seen = 0; next_id = 0; left_out = 0; unknown = 0; read = 0; published = 0; settled = 0;
    committed_lsn = 0; flush_lsn = 0;
    found.generation = 0; found.lanes = 0; found.key_template = 0; found.settled_lsn = 0;
    found.watermarks[0] = 0; found.watermarks[1] = 0;
    for (i : 0 .. 7) { found.history[i] = 0 };
    for (i : 0 .. 3) { batch[i] = 0; batch_settled_lsn[i] = 0; state[i] = EMPTY };
    turn[0] = 0; turn[1] = 0; lane_settled_lsn[0] = 0; lane_settled_lsn[1] = 0; delivered = 0
}

/* A session that fails drops all that it has in memory; PostgreSQL sends it again. */
inline end_session()
{
    printf("session %d ends\n", me);
    if :: slot_owner == me -> slot_owner = NOBODY :: else fi;
    socket_end[me] = 0;
    if :: process_of[me] != 0 -> ended = me :: else fi;
    forget();
    step = ENDED
}

#define POSITION (WITHOUT(POSITION_AT_ACQUISITION) -> confirmed_lsn : slot_lsn)
#define IS_GAP   (POSITION > found.settled_lsn)

inline raise_alarm()
{
    printf("session %d: the slot is ahead, exit 3\n", me);
    PROMISE(ALARM_false, moved > 0);
    end_session()
}

/* flow_new, feedback_init: the first safe LSN is the slot's, never S. */
#define FIRST_LSN (WITHOUT(START_AT_SLOT) -> MAX(slot_lsn, found.settled_lsn) : slot_lsn)
inline start_stream()
{
    left_out = left_out & ~kept;
    published = BELOW(FIRST_LSN);
    settled = BELOW(FIRST_LSN);
    read = FIRST_LSN;
    flush_lsn = FIRST_LSN;
    committed_lsn = found.settled_lsn;
    printf("session %d streams from %d, leaves out %d\n", me, slot_lsn, left_out);
    if
    :: WITHOUT(GENERATION_FIRST) && step != JUDGE -> generation = found.generation + 1
    :: else ->
        found.generation = 0; found.lanes = 0; found.key_template = 0; found.settled_lsn = 0;
        found.watermarks[0] = 0; found.watermarks[1] = 0;
        for (i : 0 .. 7) { found.history[i] = 0 };
        step = STREAMING
    fi
}

/* --accept-gap: S is raised to the slot's position, the watermarks are kept. */
inline accept_gap()
{
    given_up = given_up | (BELOW(slot_lsn) & ~visible);
    accepted = 1;
    found.settled_lsn = slot_lsn;
    if
    :: WITHOUT(GAP_KEEPS_WATERMARKS) ->
        found.watermarks[0] = 0; found.watermarks[1] = 0;
        for (i : 0 .. 7) { found.history[i] = 0 }
    :: else
    fi
}

/* belongs_to_position, and the stream begins. */
inline judge()
{
    if
    :: IS_GAP && !WITHOUT(GAP_ALARM) -> raise_alarm()
    :: else ->
        PROMISE(ALARM_missed, !(BELOW(slot_lsn) & ~(visible | given_up)));
        if :: !WITHOUT(GENERATION_FIRST) -> checkpoint_compare(committed); start_stream()
        :: else -> step = STREAMING
        fi
    fi
}

/* --- the steps --- */

#define IS_NEXT     (started == me - 1 && step == NOT_STARTED && PREDECESSOR_ENDED)
#define PREDECESSOR_ENDED (process_of[me] == 0 || me == 1 || process_of[me] != process_of[me - 1] || \
                           ended == me - 1)
#define MAY_HAVE(n) (lanes_of[me] == 0 || lanes_of[me] == (n))

/* START_REPLICATION, then one question for the slot's position. source.c: acquire_slot */
inline source_open(n)
{
    d_step {
        (IS_NEXT || (step == AGAIN && lanes == n)) && (slot_owner == NOBODY || WITHOUT(SLOT_FIRST)) &&
        (step == AGAIN || MAY_HAVE(n)) ->
        started = MAX(started, me);
        lanes = n;
        key_template = template_of[me];
        if
        :: !WITHOUT(SLOT_FIRST) -> slot_owner = me; slot_lsn = confirmed_lsn
        :: else
        fi;
        if :: !WITHOUT(WAL_END_AFTER_SLOT) || known_wal_lsn == 0 -> known_wal_lsn = wal_lsn :: else fi;
        printf("session %d has the slot at %d, %d lanes\n", me, slot_lsn, lanes);
        step = LOOK
    }
}

/* Without WAL_END_AFTER_SLOT the end of the WAL is asked for when the link is opened. */
inline identify()
{
    d_step {
        WITHOUT(WAL_END_AFTER_SLOT) && IS_NEXT && known_wal_lsn == 0 && slot_owner != NOBODY ->
        known_wal_lsn = wal_lsn;
        printf("session %d sees the WAL's end at %d\n", me, wal_lsn)
    }
}

#define FURTHEST MAX(COMMITTED_S, MAX(FURTHEST_LANE(0), FURTHEST_LANE(1)))
#define FURTHEST_LANE(lane) (last[lane].watermark == 0 || last[lane].generation != committed.generation \
                             -> 0 : COMMIT_LSN(last[lane].watermark - 1))
#define MAY_NOT_CRY (!HAS_SLOT && !WITHOUT(ALIVE_BEFORE_ALARM))
#define HAS_SLOT (slot_owner == me || WITHOUT(SLOT_FIRST))

/* Nothing is touched yet: the checkpoint, uncommitted records too, then the slot once more. A server
 * whose WAL ends before what Kafka has was set back: nothing here sets it back, so the alarm would
 * be false. check_not_succeeded, source_judge_lineage, source_alive */
inline look()
{
    d_step {
        step == LOOK ->
        printf("session %d looks: generation %d\n", me, newest_generation);
        if
        :: MAY_NOT_CRY && !WITHOUT(ALIVE_BEFORE_FENCE) -> end_session()
        :: else ->
            PROMISE(ALARM_false, FURTHEST <= known_wal_lsn || accepted || MAY_NOT_CRY);
            if
            :: process_of[me] != 0 && led[process_of[me]] != 0 &&
               newest_generation > led[process_of[me]] &&
               (newest_process != process_of[me] || WITHOUT(OWN_RECORDS_ARE_OURS)) ->
                printf("session %d: another process leads, exit 4\n", me);
                PROMISE(I11_exit_4, newest_process != process_of[me]);
                end_session()
            :: else ->
                seen = newest_generation;
                lanes_seen = MAX(lanes, committed.lanes);
                step = (WITHOUT(LEADER_FIRST) -> FENCE_LANES : FENCE_LEADER);
                next_id = 1
            fi
        fi
    }
}

/* From here on no older session can commit a generation. */
inline fence_leader()
{
    d_step {
        step == FENCE_LEADER ->
        if
        :: no_window && !HAS_SLOT && !WITHOUT(ALIVE_BEFORE_FENCE) -> end_session()
        :: else ->
            PROMISE(I11_harm, slot_owner == me);
            printf("session %d takes the leader id\n", me);
            kafka_fence(LEADER);
            step = (WITHOUT(LEADER_FIRST) -> LEAD : LOOK_AGAIN)
        fi
    }
}

/* Somebody may have led since the first look: begin again; and with more lanes than were seen. */
inline look_again()
{
    d_step {
        step == LOOK_AGAIN ->
        if
        :: WITHOUT(SECOND_LOOK) -> step = FENCE_LANES
        :: !WITHOUT(SECOND_LOOK) && newest_generation > seen -> end_session()
        :: else ->
            lanes_seen = MAX(lanes_seen, committed.lanes);
            step = FENCE_LANES
        fi;
        if :: WITHOUT(READ_AFTER_FENCE) && step == FENCE_LANES -> checkpoint_read() :: else fi
    }
}

#define TO_FENCE (WITHOUT(LANES_FOUND_FENCED) -> lanes : lanes_seen)

/* Both ids of every lane, of this configuration and of the generation found: open batches are
 * aborted, and none of an older generation can become visible. */
inline fence_lane()
{
    d_step {
        step == FENCE_LANES && next_id <= 2 * TO_FENCE ->
        printf("session %d takes id %d\n", me, ID(next_id - 1));
        kafka_fence(ID(next_id - 1));
        next_id = next_id + (WITHOUT(BOTH_IDS_FENCED) -> 2 : 1)
    }
}

/* Committed records, up to the high watermark asked for after the fence: an end below it is not the
 * end, however long that takes. reader.c: read_on */
inline look_committed()
{
    d_step {
        step == FENCE_LANES && next_id > 2 * TO_FENCE &&
        (hidden_lane == 0 || WITHOUT(READ_TO_HIGH_WATERMARK)) ->
        /* The server's history is judged once more. */
        PROMISE(ALARM_false, FURTHEST <= known_wal_lsn || accepted || MAY_NOT_CRY);
        if :: !WITHOUT(READ_AFTER_FENCE) -> checkpoint_read() :: else fi;
        printf("session %d reads generation %d, S %d, watermarks %d %d\n", me, found.generation,
               found.settled_lsn, found.watermarks[0], found.watermarks[1]);
        next_id = 0;
        step = (WITHOUT(LEADER_FIRST) -> FENCE_LEADER : LEAD);
        if :: WITHOUT(GENERATION_FIRST) -> checkpoint_compare(found); start_stream() :: else fi;
        if
        :: WITHOUT(PROVE_BEFORE_ALARM) && IS_GAP -> raise_alarm()
        :: else
        fi
    }
}

/* The record of the generation is sent: whoever reads uncommitted records sees it from now on. */
inline send_generation()
{
    d_step {
        step == LEAD ->
        if
        :: owner[LEADER] != me && !(WITHOUT(GENERATION_FIRST) && owner[LEADER] == FORGOTTEN) ->
            end_session()
        :: else ->
            generation = MAX(found.generation, newest_generation) + 1;
            newest_generation = generation;
            newest_process = process_of[me];
            printf("session %d sends generation %d\n", me, generation);
            lanes_seen = 0; seen = 0; known_wal_lsn = 0;
            step = COMMIT
        fi
    }
}

/* It is committed, by whoever has the leader id: that also proves who leads before any alarm. An
 * outcome that is not known ends the session, so it is a session that takes no more steps. */
inline commit_generation()
{
    d_step {
        step == COMMIT ->
        if
        :: owner[LEADER] != me && !WITHOUT(LEAD_ONCE) -> end_session()
        :: else ->
            printf("session %d commits generation %d\n", me, generation);
            if
            :: IS_GAP && accepts && !WITHOUT(POSITION_AT_ACQUISITION) -> accept_gap()
            :: else
            fi;
            checkpoint_next_generation();
            leads = me;
            led[process_of[me]] = generation;
            positions_hold();
            step = JUDGE;
            if :: !WITHOUT(POSITION_AT_ACQUISITION) && !WITHOUT(SLOT_FIRST) -> judge() :: else fi
        fi
    }
}

inline assume_generation()
{
    d_step {
        WITHOUT(LEADER_NOT_ASSUMED) && step == COMMIT ->
        printf("session %d assumes that its generation is committed\n", me);
        checkpoint_compare(found);
        start_stream()
    }
}

inline judge_later()
{
    d_step {
        step == JUDGE && (!WITHOUT(SLOT_FIRST) || slot_owner == NOBODY) ->
        if :: WITHOUT(SLOT_FIRST) -> slot_owner = me; slot_lsn = confirmed_lsn :: else fi;
        judge()
    }
}

/* Only without MEMORY_IS_DROPPED: the events in memory were compared once, and are not again. */
inline reconnect()
{
    d_step {
        WITHOUT(MEMORY_IS_DROPPED) && step == STREAMING && slot_owner != me && reconnected < reconnects ->
        reconnected++;
        kept = BELOW(read) & ~published;
        l = lanes;
        printf("session %d connects again, and keeps %d\n", me, kept);
        forget();
        lanes = l;
        step = AGAIN
    }
}

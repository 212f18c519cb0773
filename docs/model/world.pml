/* SPDX-License-Identifier: Apache-2.0
 *
 * PostgreSQL and Kafka, and what may happen to them.
 *
 * The WAL holds four transactions, T1 = {e0, e1}, T2 = {}, T3 = {e2}, T4 = {e3}, or, where the pair
 * is in T3, T1 = {e0}, T2 = {}, T3 = {e1, e2}, T4 = {e3}. An LSN is a number of transactions: Tn
 * begins its commit record at n - 1 (the end of the one before) and ends at n, exclusive. Key 0 has
 * e0 and e3, key 1 has e1 and e2. A set of events is a byte, bit n is event n. A watermark is the
 * number of the last event + 1; 0: nothing. */
#define BIT(e)           (1 << (e))
#define ALL              (BELOW(transactions_max))
#define KEY(e)           (((e) == 0 || (e) == 3) -> 0 : 1)
#define END_LSN(e)       end_lsn[e]
#define COMMIT_LSN(e)    (END_LSN(e) - 1)
#define BELOW(lsn)       events_below[lsn]
#define OF(t)            (BELOW(t) & ~BELOW((t) - 1)) /* the events of Tt */
#define HIGHEST(set)     (((set) & 8) -> 3 : (((set) & 4) -> 2 : (((set) & 2) -> 1 : 0)))
#define MAX(a, b)        ((a) > (b) -> (a) : (b))
#define MIN(a, b)        ((a) < (b) -> (a) : (b))

/* --- PostgreSQL --- */
#define NOBODY 0
byte slot_owner;        /* the session whose walsender holds the slot */
byte confirmed_lsn;     /* the slot's */
byte wal_lsn;           /* where the WAL ends */
byte socket_end[6];     /* a session that lost the slot still reads so far: it is in its socket */
byte marked;            /* events whose row is marked */
byte moved, crashed;    /* how often somebody else moved the slot, PostgreSQL crashed */

/* --- Kafka: transactional ids --- */
#define LEADER           0
#define ID(p)            ((p) + (WITHOUT(IDS_OF_THE_STREAM) && me == 2 -> 5 : 1)) /* of producer p */
#define IDS              9 /* the last four: only without IDS_OF_THE_STREAM */
#define TIMED_OUT        14 /* nobody's epoch is valid, the id is known */
#define FORGOTTEN        15 /* the id is not known any more */
byte owner[IDS];        /* the session that took the id last */
byte open[IDS];         /* the events in the id's open transaction */
byte late[IDS];         /* those of them that stand in the topic behind a later event of their key */
byte timed_out, expired;

/* --- Kafka: what a read_committed consumer sees --- */
byte visible;
byte visible_late;
byte given_up;          /* not published, and a person said that this is all right */

#define ANYWHERE         (visible | open[1] | open[2] | open[3] | open[4] | \
                          open[5] | open[6] | open[7] | open[8])
#define LATER(e)         ((e) == 0 -> 8 : ((e) == 1 -> 4 : 0)) /* the later event of the same key */

hidden byte gone, n; /* scratch: written before it is read in every step */

inline kafka_send(id, e)
{
    if :: ANYWHERE & LATER(e) -> late[id] = late[id] | BIT(e) :: else fi;
    open[id] = open[id] | BIT(e)
}

inline clear_late(e)
{
    for (n : 1 .. 8) { late[n] = late[n] & ~BIT(e) };
    visible_late = visible_late & ~BIT(e)
}

inline kafka_abort(id)
{
    gone = open[id];
    open[id] = 0;
    late[id] = 0;
    gone = gone & ~ANYWHERE;
    if :: gone & LATER(0) -> clear_late(0) :: else fi; /* nothing stands before it any more */
    if :: gone & LATER(1) -> clear_late(1) :: else fi
}

inline kafka_commit(id)
{
    PROMISE(I3_repeated, !(visible & open[id]));
    visible = visible | open[id];
    visible_late = visible_late | late[id];
    PROMISE(I5_order, !((visible_late & 1) && (visible & 8)) && !((visible_late & 2) && (visible & 4)));
    open[id] = 0;
    late[id] = 0
}

/* init_transactions: whoever had the id is fenced, its open transaction is aborted. */
inline kafka_fence(id)
{
    owner[id] = me;
    if :: id != LEADER -> kafka_abort(id) :: else fi
}

/* --- Kafka: the topic walpost.checkpoint.<stream> --- */
#define LAYOUTS          4  /* lanes - 1 + 2 * key template */
#define LAYOUT(lanes, template) ((lanes) - 1 + 2 * (template))
#define AT(layout, lane) (2 * (layout) + (lane))
#define LANE(e, layout)  ((layout) % 2 == 0 -> 0 : ((layout) < 2 -> KEY(e) : 1 - KEY(e)))

typedef checkpoint {            /* struct checkpoint */
    byte generation;
    byte lanes;
    byte key_template;
    byte settled_lsn;           /* S */
    byte watermarks[2];         /* of this generation's lanes */
    byte history[8]             /* of the generations before, by layout and lane */
};
typedef lane_record { byte generation; byte watermark; byte settled_lsn };

checkpoint committed;           /* the leader's partition: the newest generation, with its S */
lane_record last[2];            /* the lanes' partitions: the newest record of each */
byte newest_generation;         /* the newest that was ever sent, committed or not */
byte newest_process;            /* who sent it */
byte leads;                     /* the session that committed the newest generation */
byte hidden_lane, hung;         /* 1 + lane: whose end an open transaction of nobody hides */
lane_record before_hidden;      /* what stands before it */

/* --- what may happen --- */
inline lose_slot()
{
    if :: slot_owner != NOBODY -> socket_end[slot_owner] = wal_lsn :: else fi;
    slot_owner = NOBODY
}

/* transaction.timeout.ms: the coordinator aborts, and nobody is told. */
inline kafka_times_out(id)
{
    d_step {
        timed_out < timeouts && owner[id] != NOBODY && owner[id] < TIMED_OUT ->
        timed_out++;
        printf("Kafka ends the transaction of id %d by its timeout\n", id);
        owner[id] = TIMED_OUT;
        if :: id != LEADER -> kafka_abort(id) :: else fi
    }
}

/* transactional.id.expiration.ms: only an id without an open transaction. */
inline kafka_forgets(id)
{
    d_step {
        expired < expiries && owner[id] != NOBODY && owner[id] != FORGOTTEN && open[id] == 0 ->
        expired++;
        printf("Kafka forgets id %d of session %d\n", id, owner[id]);
        owner[id] = FORGOTTEN
    }
}

inline partition_hides(lane)
{
    d_step {
        hung < hangs && hidden_lane == 0 ->
        hung++;
        hidden_lane = 1 + lane;
        printf("an open transaction hides the end of lane %d's partition\n", lane);
        before_hidden.generation = last[lane].generation;
        before_hidden.watermark = last[lane].watermark;
        before_hidden.settled_lsn = last[lane].settled_lsn
    }
}

proctype world()
{
end:
    do
    /* The socket is gone, or wal_sender_timeout has passed for a frozen one. */
    :: d_step { zombies && slot_owner != NOBODY ->
            printf("the link of session %d is cut\n", slot_owner);
            lose_slot() }
    :: d_step { wal_lsn < transactions_max -> wal_lsn++; printf("the WAL ends at %d\n", wal_lsn) }
    :: d_step { moved < movers && slot_owner == NOBODY && confirmed_lsn < wal_lsn ->
            moved++; confirmed_lsn++; printf("somebody moves the slot to %d\n", confirmed_lsn) }
    :: d_step { moved < movers && slot_owner == NOBODY && confirmed_lsn + 1 < wal_lsn ->
            moved++; confirmed_lsn = wal_lsn; printf("somebody moves the slot to %d\n", wal_lsn) }
    /* The slot's position is written to disk now and then only. */
    :: d_step { crashed < pg_crashes && confirmed_lsn > 0 ->
            crashed++; confirmed_lsn--; lose_slot();
            printf("PostgreSQL crashes, the slot is back at %d\n", confirmed_lsn) }
    :: d_step { crashed < pg_crashes && confirmed_lsn > 1 ->
            crashed++; confirmed_lsn = 0; lose_slot();
            printf("PostgreSQL crashes, the slot is back at 0\n") }
    :: kafka_times_out(LEADER)
    :: kafka_times_out(1)
    :: kafka_times_out(2)
    :: kafka_times_out(3)
    :: kafka_times_out(4)
    :: kafka_forgets(LEADER)
    :: kafka_forgets(1)
    :: kafka_forgets(2)
    :: kafka_forgets(3)
    :: kafka_forgets(4)
    :: partition_hides(0)
    :: partition_hides(1)
    :: d_step { hidden_lane != 0 -> hidden_lane = 0;
            before_hidden.generation = 0; before_hidden.watermark = 0; before_hidden.settled_lsn = 0 }
    od
}

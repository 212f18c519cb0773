/* SPDX-License-Identifier: Apache-2.0
 *
 * What the records of the checkpoint topic mean: checkpoint/checkpoint.c. */
hidden byte i, l, w, most, least, source;

/* Without OLD_LANE_COUNT old watermarks are looked up by the lanes of today. */
#define LANE_THEN(e, at, today) (WITHOUT(OLD_LANE_COUNT) -> LANE(e, today) : LANE(e, at))

/* Is every event that the layout could leave out below S anyway? layout_is_passed */
#define IS_PASSED(watermark, lsn) ((watermark) == 0 || COMMIT_LSN((watermark) - 1) < (lsn))

#define BELOW_S(lsn) (WITHOUT(LEAVE_OUT_BELOW_S) -> 0 : \
                      (WITHOUT(S_IS_EXCLUSIVE) && (lsn) != 0 -> BELOW((lsn) + 1) : BELOW(lsn)))

/* The largest S of all records. */
#define COMMITTED_S MAX(committed.settled_lsn, MAX(last[0].settled_lsn, last[1].settled_lsn))

/* A lane record counts only for the generation that it names. checkpoint_complete */
#define COUNTS(generation_named) \
    ((generation_named) == committed.generation || WITHOUT(COUNTS_FOR_GENERATION))

inline take_watermark(lane, record)
{
    if :: COUNTS(record.generation) -> found.watermarks[lane] = record.watermark
    :: else -> found.watermarks[lane] = 0
    fi
}

inline read_lane(lane)
{
    if
    :: hidden_lane == 1 + lane -> /* only without READ_TO_HIGH_WATERMARK */
        take_watermark(lane, before_hidden);
        found.settled_lsn = MAX(found.settled_lsn, before_hidden.settled_lsn)
    :: else ->
        take_watermark(lane, last[lane]);
        found.settled_lsn = MAX(found.settled_lsn, last[lane].settled_lsn)
    fi
}

/* checkpoint_read, of committed records. */
inline checkpoint_read()
{
    found.generation = committed.generation;
    found.lanes = committed.lanes;
    found.key_template = committed.key_template;
    found.settled_lsn = committed.settled_lsn;
    for (i : 0 .. 7) { found.history[i] = committed.history[i] };
    read_lane(0);
    if :: found.lanes == 2 -> read_lane(1) :: else -> found.watermarks[1] = 0 fi;
    /* S counts from the partition of a lane that is no more, too. */
    if :: found.lanes == 1 && hidden_lane != 2 -> found.settled_lsn = MAX(found.settled_lsn, last[1].settled_lsn)
    :: else fi
}

/* history_add for every layout; which rules are gone decides what is lost. */
inline history_add(layout)
{
    w = found.history[AT(layout, 0)];
    l = found.history[AT(layout, 1)];
    if :: WITHOUT(HISTORY) || WITHOUT(HISTORY_ALL) -> w = 0; l = 0 :: else fi;
    if
    :: layout == LAYOUT(found.lanes, found.key_template) && !WITHOUT(HISTORY) ->
        if
        :: WITHOUT(HISTORY_LARGER) -> w = found.watermarks[0]; l = found.watermarks[1]
        :: else -> w = MAX(w, found.watermarks[0]); l = MAX(l, found.watermarks[1])
        fi
    :: else
    fi;
    most = MAX(w, l);
    least = (layout % 2 == 0 -> w : MIN(w, l));
    if
    :: WITHOUT(HISTORY_BY_LARGEST) && IS_PASSED(least, found.settled_lsn) -> w = 0; l = 0
    :: !WITHOUT(HISTORY_BY_LARGEST) && IS_PASSED(most, found.settled_lsn) -> w = 0; l = 0
    :: else
    fi;
    committed.history[AT(layout, 0)] = w;
    committed.history[AT(layout, 1)] = l
}

/* checkpoint_next_generation, and its record committed. */
inline checkpoint_next_generation()
{
    for (source : 0 .. 3) { history_add(source) };
    committed.lanes = lanes;
    committed.key_template = key_template;
    committed.generation = generation;
    committed.settled_lsn = (WITHOUT(S_CARRIED_ON) -> 0 : found.settled_lsn)
}

/* compare_lane; or compare_past, where the key under the old template can be made. */
#define CAN_TELL(layout) (old_keys || (layout) == 0 || (layout) == 2 || (layout) / 2 == key_template)

/* checkpoint_compare for every event: left_out, and unknown where an old template cannot tell. */
inline checkpoint_compare(from)
{
    left_out = BELOW_S(from.settled_lsn);
    unknown = 0;
    for (i : 0 .. 3) {
        for (l : 0 .. 3) {
            w = from.history[AT(l, LANE_THEN(i, l, LAYOUT(lanes, key_template)))];
            most = MAX(from.history[AT(l, 0)], from.history[AT(l, 1)]);
            least = MIN(from.history[AT(l, 0)], from.history[AT(l, 1)]);
            if
            :: l == LAYOUT(from.lanes, from.key_template) -> /* only a generation that is not committed */
                w = MAX(w, from.watermarks[LANE_THEN(i, l, LAYOUT(lanes, key_template))])
            :: else
            fi;
            if
            :: CAN_TELL(l) && i < w -> left_out = left_out | BIT(i)
            :: !CAN_TELL(l) && i < least -> left_out = left_out | BIT(i)
            :: !CAN_TELL(l) && i >= least && i < most -> unknown = unknown | BIT(i)
            :: else
            fi
        }
    };
    unknown = unknown & ~left_out;
    if
    :: WITHOUT(UNKNOWN_IS_NOT_NEW) -> unknown = 0
    :: WITHOUT(UNKNOWN_IS_NOT_OLD) -> left_out = left_out | unknown; unknown = 0
    :: else
    fi
}

/* I6: what a fresh start would leave out is what is visible, whatever has happened until now. */
inline positions_hold()
{
    if
    :: I6_position -> skip
    :: else ->
        most = BELOW(COMMITTED_S);
        for (i : 0 .. 3) {
            for (l : 0 .. 3) {
                if
                :: i < committed.history[AT(l, LANE(i, l))] -> most = most | BIT(i)
                :: l == LAYOUT(committed.lanes, committed.key_template) &&
                   last[LANE(i, l)].generation == committed.generation &&
                   i < last[LANE(i, l)].watermark -> most = most | BIT(i)
                :: else
                fi
            }
        };
        PROMISE(I6_position, (most | given_up) == (visible | given_up))
    fi
}

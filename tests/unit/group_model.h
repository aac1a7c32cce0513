/* What a group must do, told naively: one line for each position, and every
 * question answered by looking at all of them.
 *
 * It does not say which member gets an event, but whether it may; all that
 * follows from answers, time and members that go, it knows exactly. A
 * difference ends the test, with the seed of its history.
 */

#ifndef ACTA_TEST_GROUP_MODEL_H
#define ACTA_TEST_GROUP_MODEL_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "group_log.h"
#include "msg_consumer.h"

#define MODEL_MEMBERS_MAX 6
#define MODEL_NOBODY      MODEL_MEMBERS_MAX

enum model_state {
    MODEL_UNREAD,
    MODEL_WAITS,
    MODEL_IN_HAND,
    MODEL_DELAYED,
    MODEL_PARKED, /* At rest; perhaps behind another. */
    MODEL_DONE,
};

struct model_event {
    enum model_state state;
    bool has_row; /* It counts as parked, at rest or not. */
    bool is_behind;
    bool is_passed; /* By a reset. */
    unsigned member;
    uint64_t fence;
    uint64_t turn; /* The how-many-eth event that was handed out. */
    uint64_t handed_us;
    uint64_t due_us;
    uint64_t deliveries;
    uint64_t tries;
    uint64_t ticket; /* With which what was done to its row is durable. */
};

struct model_member {
    bool is_there;
    bool is_asleep;
    bool is_held;
    uint64_t slots;
};

struct group_model {
    uint64_t seed;
    unsigned step;
    struct event_log *log;
    struct msg_group_settings settings;
    bool is_paused;
    uint64_t now_us;
    uint64_t read_to;
    uint64_t turns;
    uint64_t round_start; /* The greatest fence before this round, */
    uint64_t fence;       /* and that of the round, or round_start. */
    struct model_event events[LOG_EVENTS_MAX + 1];
    struct model_member members[MODEL_MEMBERS_MAX];
};

/* The seed repeats it: ACTA_SEED. Check is asked only when it fails: it takes
 * longer to note that a claim holds than to look at it.
 */
#define MODEL_REQUIRE(model, claim, what)                                      \
    do {                                                                       \
        if (!(claim)) {                                                        \
            ck_abort_msg("history %llu, step %u: %s",                          \
                         (unsigned long long)(model)->seed, (model)->step,     \
                         what);                                                \
        }                                                                      \
    } while (0)

/* Events come in, or are found to be hidden. */
void model_read(struct group_model *model, uint64_t position);
void model_hide(struct group_model *model, uint64_t position);

/* It is handed out: may it be? @keeps_row: one that was behind another has a
 * row that is durable, or on its way.
 */
void model_hand(struct group_model *model, unsigned member, uint64_t position,
                uint64_t fence, uint64_t deliveries, bool keeps_row);

/* An answer. Returns how many events it must settle; 0: it is refused. The
 * ticket is noted for the last one.
 */
uint64_t model_answer(struct group_model *model, unsigned member,
                      const struct msg_answer *answer);

void model_tick(struct group_model *model);
void model_leave(struct group_model *model, unsigned member, bool died);
bool model_replay(struct group_model *model, uint64_t position);
bool model_drop(struct group_model *model, uint64_t position);

/* Nothing that could be handed out was left lying. */
void model_check_rest(const struct group_model *model);

uint64_t model_count(const struct group_model *model, enum model_state state);
uint64_t model_rows(const struct group_model *model);

#endif

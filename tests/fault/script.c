#include "script_inside.h"

#include <stdio.h>
#include <string.h>

#include "rnd.h"

#define IDS_A_STEP 100

/* Three steps of a round add three events each, before one is erased. */
#define ADDED         3
#define ERASED_NUMBER ((SCRIPT_ERASED_VERSION - 1) % ADDED)

/* One round of steps; rounds differ in what they are about. A schedule is due
 * DUE_STEPS later.
 */
static const enum step_kind round_of_steps[] = {
    APPEND,         APPEND_TOGETHER, CLAIM,        MOVE,
    APPEND_LARGE,   ACQUIRE,         ADD_WORK,     ADD_TO_CHANGED,
    SNAPSHOT,       APPEND_TO_TWO,   SCHEDULE,     APPEND_TOGETHER,
    ADD_TO_CHANGED, BE_DUE,          APPEND_LARGE, SCHEDULE_FAR,
    MOVE,           TRUNCATE,        APPEND_LARGE, APPEND_LARGE,
    CREATE_GROUP,   ADD_TO_CHANGED,  ERASE,        APPEND_TO_TWO,
    HANDLE,         CANCEL,          DROP_PARKED,  ADD_WORK,
    RELEASE,        DELETE,          HANDLE,       APPEND_LARGE,
};

#define ROUND (sizeof(round_of_steps) / sizeof(round_of_steps[0]))

_Static_assert(SCRIPT_STEPS % ROUND == 0, "rounds are whole");

enum step_kind
script_kind(unsigned step)
{
    return round_of_steps[(step - 1) % ROUND];
}

unsigned
script_round(unsigned step)
{
    return (step - 1) / (unsigned)ROUND;
}

static struct rnd
rnd_of(unsigned step, unsigned number)
{
    struct rnd rnd;

    rnd_seed(&rnd, (uint64_t)step * IDS_A_STEP + number);
    return rnd;
}

void
script_write_line(struct line *line, unsigned step, unsigned number,
                  const char *category, unsigned stream, size_t size)
{
    struct rnd rnd = rnd_of(step, number);

    snprintf(line->stream, sizeof(line->stream), "%s-%u", category, stream);
    line->id = (uint64_t)step * IDS_A_STEP + number;
    line->size = size;
    rnd_bytes(&rnd, line->data, size);
}

size_t
script_small_size(unsigned step, unsigned number)
{
    struct rnd rnd = rnd_of(step + SCRIPT_STEPS, number);

    return rnd_below(&rnd, SCRIPT_SMALL_MAX);
}

bool
script_line(struct line *line, unsigned step, unsigned number)
{
    unsigned count = 0;
    const char *category = "order";
    unsigned stream = (step + number) % 5;
    size_t size = script_small_size(step, number);

    switch (script_kind(step)) {
    case APPEND:
    case MOVE:
        count = 1 + step % 3;
        stream = step % 5;
        break;
    case APPEND_LARGE:
        count = 1;
        size = SCRIPT_LARGE;
        break;
    case APPEND_TOGETHER:
        count = SCRIPT_JOBS;
        break;
    case APPEND_TO_TWO:
        count = 2;
        break;
    case BE_DUE:
        count = 1;
        category = "due";
        stream = script_round(step);
        break;
    case ADD_TO_CHANGED:
        count = ADDED;
        category = "changed";
        stream = script_round(step);
        break;
    case ADD_WORK:
        count = SCRIPT_JOBS;
        category = SCRIPT_WORK;
        stream = number / 2;
        break;
    case CLAIM:
    case CREATE_GROUP:
    case HANDLE:
    case DROP_PARKED:
    case ACQUIRE:
    case RELEASE:
    case SNAPSHOT:
    case SCHEDULE:
    case SCHEDULE_FAR:
    case CANCEL:
    case TRUNCATE:
    case ERASE:
    case DELETE:
        break;
    }
    if (number >= count) {
        return false;
    }
    script_write_line(line, step, number, category, stream, size);
    return true;
}

void
script_events(unsigned step,
              void (*take)(void *user, const struct script_event *event),
              void *user)
{
    struct line line;

    for (unsigned i = 0; script_line(&line, step, i); i++) {
        struct script_event event = {
            .stream = line.stream,
            .id = line.id,
            .size = line.size,
            .sum = script_sum(slice_make(line.data, line.size)),
        };

        take(user, &event);
    }
}

bool
script_command(unsigned step, struct uuid *id)
{
    *id = draft_id((uint64_t)step * IDS_A_STEP + SCRIPT_JOBS);
    return script_kind(step) == APPEND_TO_TWO;
}

bool
script_keeps(const char *stream)
{
    return strncmp(stream, "changed-", strlen("changed-")) != 0;
}

uint64_t
script_sum(struct slice bytes)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < bytes.size; i++) {
        sum = (sum ^ bytes.data[i]) * UINT64_C(0x100000001b3);
    }
    return sum;
}

void
script_erased(unsigned steps, void (*take)(void *user, struct slice data),
              void *user)
{
    static struct line line;
    unsigned added = 0; /* The step that has added that version. */

    for (unsigned step = 1; step <= steps; step++) {
        if (script_kind(step) == ADD_TO_CHANGED) {
            added = step;
        } else if (script_kind(step) == ERASE &&
                   script_line(&line, added, ERASED_NUMBER)) {
            take(user, slice_make(line.data, line.size));
        }
    }
}

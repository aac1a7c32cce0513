/* The inside of the script, for script.c, which says what it is about, and
 * script_do.c, which does it.
 */

#ifndef ACTA_TEST_SCRIPT_INSIDE_H
#define ACTA_TEST_SCRIPT_INSIDE_H

#include "script.h"

#ifndef SCRIPT_LARGE /* Less, for a database that is kept among the tests. */
#define SCRIPT_LARGE 90000
#endif
#define SCRIPT_SMALL_MAX 2000

enum step_kind {
    APPEND,
    APPEND_LARGE,
    APPEND_TOGETHER, /* Several clients at once. */
    APPEND_TO_TWO,
    CLAIM,
    MOVE, /* A checkpoint, with an event. */
    CREATE_GROUP,
    ADD_WORK, /* For groups. */
    HANDLE,   /* All that there is to do for a group. */
    DROP_PARKED,
    ACQUIRE,
    RELEASE,
    SNAPSHOT,
    SCHEDULE,
    SCHEDULE_FAR,
    CANCEL,
    BE_DUE,
    ADD_TO_CHANGED, /* To a stream that is truncated and erased from. */
    TRUNCATE,
    ERASE,
    DELETE,
};

enum step_kind script_kind(unsigned step);

/* Rounds of steps differ in what they are about. */
unsigned script_round(unsigned step);

/* An event of a step. */
struct line {
    char stream[32];
    uint64_t id;
    size_t size;
    uint8_t data[SCRIPT_LARGE];
};

/* The event that is the number'th of its step, of a stream of @category. */
void script_write_line(struct line *line, unsigned step, unsigned number,
                       const char *category, unsigned stream, size_t size);

/* A size below SCRIPT_SMALL_MAX. */
size_t script_small_size(unsigned step, unsigned number);

/* Have a member of @group handle all that there is to do, and park the last of
 * it. As script_do().
 */
enum acta_code script_handle(struct base *base, unsigned step,
                             const char *group, unsigned patience_ms);

/* Drop all that @group has parked. As script_do(). */
enum acta_code script_drop_parked(struct base *base, const char *group,
                                  unsigned patience_ms);

/* The number'th event of a step, the first is 0; false if it has no more. */
bool script_line(struct line *line, unsigned step, unsigned number);

#endif

/* Schedules: appends that take place later. */

#include <stdlib.h>

#include "limit.h"
#include "memory_handle.h"
#include "msg_lease.h"
#include "verdict.h"

static struct memory_schedule *
at(const struct table *schedules, size_t index)
{
    return (struct memory_schedule *)schedules->entries[index];
}

/* The one that is due first; NULL: none waits. */
static struct memory_schedule *
first_due(const struct acta_memory *memory)
{
    struct memory_schedule *first = NULL;

    for (size_t i = 0; i < memory->schedules.count; i++) {
        struct memory_schedule *schedule = at(&memory->schedules, i);

        if (schedule->has_failed) {
            continue;
        }
        if (first == NULL || schedule->due_us < first->due_us ||
            (schedule->due_us == first->due_us &&
             schedule->number < first->number)) {
            first = schedule;
        }
    }
    return first;
}

uint64_t
memory_schedules_due(const struct acta_memory *memory)
{
    const struct memory_schedule *first = first_due(memory);

    return first == NULL ? UINT64_MAX : first->due_us;
}

void
memory_remove_schedule(struct acta_memory *memory,
                       struct memory_schedule *schedule)
{
    memory->schedules_waiting -= !schedule->has_failed;
    table_remove(&memory->schedules, &schedule->named);
    memory_free_copy(&schedule->writes);
    free(schedule);
}

void
memory_schedules_fini(struct acta_memory *memory)
{
    while (memory->schedules.count > 0) {
        memory_remove_schedule(
            memory, at(&memory->schedules, memory->schedules.count - 1));
    }
    table_fini(&memory->schedules);
}

/* What is judged then is what every append is judged by. One that is refused
 * stays, to be seen.
 */
static void
run(struct acta_memory *memory, struct memory_schedule *schedule)
{
    struct msg_append append;
    struct verdict verdict = {.err.code = ACTA_OK};
    enum acta_code code =
        msg_writes_decode(&append, schedule->writes, &verdict.err);

    if (code == ACTA_OK) {
        memory_append(memory, &append, &verdict);
        msg_append_fini(&append);
    } else {
        verdict.err.code = code;
    }
    verdict_fini(&verdict);
    if (verdict.err.code == ACTA_OK) {
        memory_remove_schedule(memory, schedule);
    } else {
        schedule->has_failed = true;
        memory->schedules_waiting--;
        schedule->why = verdict.err;
    }
}

void
memory_run_schedules(struct acta_memory *memory)
{
    struct memory_schedule *schedule;

    while ((schedule = first_due(memory)) != NULL &&
           schedule->due_us <= memory->now_us) {
        run(memory, schedule);
    }
}

/* ---- lists ---- */

static void
add(struct memory_connection *connection, struct msg_open *open,
    const struct memory_schedule *schedule)
{
    struct msg_scheduled told = {
        .name = schedule->named.name,
        .due_us = schedule->due_us,
        .created_us = schedule->created_us,
        .state =
            schedule->has_failed ? MSG_SCHEDULE_FAILED : MSG_SCHEDULE_WAITS,
        .text = slice_of(schedule->why.text),
        .stream = schedule->stream,
        .type = schedule->type,
        .events_count = schedule->events_count,
    };

    msg_schedules_add(&connection->out, open, &told);
}

enum acta_code
handle_list_schedules(struct memory_connection *connection, uint64_t id,
                      struct slice body, struct acta_err *err)
{
    const struct table *schedules = &connection->memory->schedules;
    size_t max = ACTA_PAGE_ROWS_MAX;
    bool at_end = true;
    struct msg_list list;
    struct msg_open open;
    enum acta_code code = msg_list_decode(&list, OP_LIST_SCHEDULES, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    if (list.count_max > 0 && list.count_max < max) {
        max = (size_t)list.count_max;
    }
    open = msg_schedules_begin(&connection->out, id);
    for (size_t i = table_first(schedules, list.prefix, list.after);
         at_end && table_has(schedules, i, list.prefix); i++) {
        at_end = max > 0;
        if (max > 0) {
            add(connection, &open, at(schedules, i));
            max--;
        }
    }
    msg_schedules_end(&connection->out, open, at_end);
    return ACTA_OK;
}

/* Appends: in the order in which a verdict is come to, the command, the ids of
 * events, and then all that was expected.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "memory_handle.h"
#include "verdict.h"

void
verdict_fini(struct verdict *verdict)
{
    free(verdict->runs);
}

/* That an epoch is over says more than what else is wrong, and that a stream is
 * closed for ever more than that.
 */
static bool
says_more(enum acta_code code, enum acta_code before)
{
    return before == ACTA_OK ||
           (before != ACTA_TOMBSTONED && before != code &&
            (code == ACTA_FENCED || code == ACTA_TOMBSTONED));
}

void
verdict_fail(struct verdict *verdict, enum acta_code code,
             const struct msg_failure *failure, const char *fmt, ...)
{
    va_list args;

    if (says_more(code, verdict->err.code)) {
        verdict->err.code = code;
        va_start(args, fmt);
        vsnprintf(verdict->err.text, sizeof(verdict->err.text), fmt, args);
        va_end(args);
    }
    if (verdict->failures_count < MSG_FAILURES_MAX) {
        verdict->failures[verdict->failures_count++] = *failure;
    }
}

/* Put an event at the end of the last run, or into one of its own. */
static void
add_to_runs(struct verdict *verdict, size_t write, uint64_t version,
            uint64_t position)
{
    struct msg_run *last = NULL;

    if (verdict->runs_count > 0) {
        last = &verdict->runs[verdict->runs_count - 1];
    }
    if (last != NULL && last->write == write &&
        last->first_version + last->count == version &&
        last->first_position + last->count == position) {
        last->count++;
        return;
    }
    if (verdict->runs_count == verdict->runs_capacity) {
        verdict->runs_capacity = 2 * verdict->runs_capacity + 4;
        verdict->runs = memory_grow(verdict->runs, verdict->runs_capacity *
                                                       sizeof(struct msg_run));
    }
    verdict->runs[verdict->runs_count++] = (struct msg_run){
        .write = write,
        .first_version = version,
        .first_position = position,
        .count = 1,
    };
}

/* ---- commands ---- */

static bool
is_known_command(struct acta_memory *memory, const uint8_t *id,
                 struct verdict *verdict)
{
    const struct memory_command *command = ids_find(&memory->command_ids, id);

    if (command == NULL) {
        return false;
    }
    verdict->repeated = true;
    for (size_t i = 0; i < command->runs_count; i++) {
        const struct msg_run *run = &command->runs[i];

        for (uint64_t e = 0; e < run->count; e++) {
            add_to_runs(verdict, run->write, run->first_version + e,
                        run->first_position + e);
        }
    }
    return true;
}

static void
keep_command(struct acta_memory *memory, const uint8_t *id,
             const struct verdict *verdict)
{
    struct memory_command *command = memory_alloc(sizeof(*command));
    size_t size = verdict->runs_count * sizeof(struct msg_run);

    command->runs = memory_alloc(size);
    if (size > 0) {
        memcpy(command->runs, verdict->runs, size);
    }
    command->runs_count = verdict->runs_count;
    ids_put(&memory->command_ids, &command->by_id, id);
}

/* ---- repeats ---- */

/* One id twice in one stream. */
static bool
repeats_itself(const struct msg_append *append)
{
    struct sent {
        struct id_node by_id;
        struct slice stream;
    } *all = memory_alloc(append->events_count * sizeof(struct sent));
    struct ids ids = {0};
    bool repeats = false;

    for (size_t i = 0; i < append->events_count; i++) {
        const struct event *event = &append->events[i];

        for (const struct sent *same = ids_find(&ids, event->id); same != NULL;
             same = ids_next(&same->by_id)) {
            repeats = repeats || slice_equal(same->stream, event->stream);
        }
        all[i].stream = event->stream;
        ids_put(&ids, &all[i].by_id, event->id);
    }
    ids_fini(&ids);
    free(all);
    return repeats;
}

static bool
same_id(const uint8_t *a, const uint8_t *b)
{
    return a == NULL || b == NULL ? a == b : memcmp(a, b, UUID_SIZE) == 0;
}

static bool
same_tags(const struct event *a, const struct event *b)
{
    struct slice a_tags = a->tags, b_tags = b->tags;
    bool same = a->tags_count == b->tags_count;

    for (size_t i = 0; same && i < a->tags_count; i++) {
        same = slice_equal(event_tag(&a_tags), event_tag(&b_tags));
    }
    return same;
}

/* Of what is hidden or erased only the id counts. */
static bool
same_content(const struct acta_memory *memory, const struct memory_event *kept,
             const struct event *sent)
{
    const struct event *stored = &kept->event;

    return stored->format == EVENT_ERASED || memory_hides(memory, kept) ||
           (slice_equal(stored->type, sent->type) &&
            same_id(stored->correlation_id, sent->correlation_id) &&
            same_id(stored->causation_id, sent->causation_id) &&
            same_tags(stored, sent) &&
            slice_equal(stored->metadata, sent->metadata) &&
            slice_equal(stored->data, sent->data) &&
            stored->format == sent->format);
}

/* What the stored events of an append are, all in all. */
struct stored {
    size_t count;
    bool in_order;
    bool reused;
};

static struct stored
look_up(const struct acta_memory *memory, const struct msg_append *append)
{
    struct stored found = {.in_order = true};
    uint64_t last = 0;

    for (size_t i = 0; i < append->events_count; i++) {
        const struct event *sent = &append->events[i];
        const struct memory_event *kept =
            memory_find_id(memory, sent->stream, sent->id);

        if (kept != NULL) {
            found.count++;
            found.in_order = found.in_order && kept->event.position > last;
            found.reused = found.reused || !same_content(memory, kept, sent);
            last = kept->event.position;
        }
    }
    return found;
}

/* Name the stored events that are to blame: those with other content; else, if
 * all are stored, those that are stored before the one in front of them; else
 * all that are stored.
 */
static void
refuse_events(const struct acta_memory *memory, const struct msg_append *append,
              const struct stored *found, struct verdict *verdict)
{
    enum acta_code code = found->reused ? ACTA_ID_REUSED : ACTA_PARTIAL_REPEAT;
    bool all = found->count == append->events_count;
    uint64_t last = 0;

    for (size_t w = 0; w < append->writes_count; w++) {
        for (size_t e = 0; e < append->writes[w].events_count; e++) {
            const struct event *sent = &append->writes[w].events[e];
            const struct memory_event *kept =
                memory_find_id(memory, sent->stream, sent->id);
            bool blamed;

            if (kept == NULL) {
                continue;
            }
            blamed = found->reused ? !same_content(memory, kept, sent)
                                   : !all || kept->event.position <= last;
            if (blamed) {
                verdict_fail(verdict, code,
                             &(struct msg_failure){
                                 .kind = MSG_FAILED_EVENT,
                                 .index = w,
                                 .event = e,
                                 .actual = kept->event.version,
                             },
                             "write %zu, event %zu: is stored already%s", w, e,
                             found->reused ? ", with other content" : "");
            }
            last = kept->event.position;
        }
    }
}

static void
tell_repeat(const struct acta_memory *memory, const struct msg_append *append,
            struct verdict *verdict)
{
    verdict->repeated = true;
    for (size_t w = 0; w < append->writes_count; w++) {
        for (size_t e = 0; e < append->writes[w].events_count; e++) {
            const struct event *sent = &append->writes[w].events[e];
            const struct memory_event *kept =
                memory_find_id(memory, sent->stream, sent->id);

            add_to_runs(verdict, w, kept->event.version, kept->event.position);
        }
    }
}

/* True if the ids have decided it. */
static bool
is_decided_by_ids(struct acta_memory *memory, const struct msg_append *append,
                  struct verdict *verdict)
{
    struct stored found;

    if (append->events_count == 0) {
        return false;
    }
    if (repeats_itself(append)) {
        acta_fail(&verdict->err, ACTA_INVALID,
                  "an event id is twice in one stream");
        return true;
    }
    found = look_up(memory, append);
    if (found.count == append->events_count && found.in_order &&
        !found.reused) {
        tell_repeat(memory, append, verdict);
    } else if (found.count > 0) {
        refuse_events(memory, append, &found, verdict);
    }
    return found.count > 0;
}

/* ---- all of it ---- */

static void
take(struct acta_memory *memory, const struct msg_append *append,
     struct verdict *verdict)
{
    for (size_t w = 0; w < append->writes_count; w++) {
        const struct msg_write *write = &append->writes[w];

        for (size_t e = 0; e < write->events_count; e++) {
            memory_add_event(memory, &write->events[e]);
            add_to_runs(verdict, w,
                        memory_find_stream(memory, write->stream)->version,
                        memory_head(memory));
        }
    }
    verdict->cancelled = memory_apply_effects(memory, append);
    if (append->more.command_id != NULL) {
        keep_command(memory, append->more.command_id, verdict);
    }
}

void
memory_append(struct acta_memory *memory, const struct msg_append *append,
              struct verdict *verdict)
{
    const uint8_t *command = append->more.command_id;

    *verdict = (struct verdict){.err.code = ACTA_OK};
    if (command != NULL && is_known_command(memory, command, verdict)) {
        return;
    }
    if (is_decided_by_ids(memory, append, verdict)) {
        return;
    }
    memory_judge(memory, append, verdict);
    if (verdict->err.code == ACTA_OK) {
        take(memory, append, verdict);
    }
}

/* ---- requests ---- */

static void
tell_appended(struct memory_connection *connection, uint64_t id,
              const struct verdict *verdict)
{
    size_t start = msg_appended_begin(&connection->out, id, verdict->repeated,
                                      verdict->runs_count);

    for (size_t i = 0; i < verdict->runs_count; i++) {
        msg_appended_run(&connection->out, &verdict->runs[i]);
    }
    msg_appended_end(&connection->out, start, verdict->cancelled);
}

static void
tell_refused(struct memory_connection *connection, uint64_t id,
             const struct msg_append *append, const struct verdict *verdict)
{
    struct msg_error error = {
        .code = verdict->err.code,
        .text = slice_of(verdict->err.text),
        .failures_count = verdict->failures_count,
    };

    memcpy(error.failures, verdict->failures,
           verdict->failures_count * sizeof(struct msg_failure));
    if (verdict->err.code == ACTA_CONFLICT &&
        append->more.unseen.events_max > 0) {
        memory_tell_unseen(connection, id, append, &error);
    } else {
        msg_error_encode(&connection->out, id, &error);
    }
}

enum acta_code
handle_append(struct memory_connection *connection, uint64_t id,
              struct slice body, struct acta_err *err)
{
    struct msg_append append;
    struct verdict verdict;
    enum acta_code code = msg_append_decode(&append, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    memory_append(connection->memory, &append, &verdict);
    if (verdict.err.code == ACTA_OK) {
        tell_appended(connection, id, &verdict);
    } else {
        tell_refused(connection, id, &append, &verdict);
    }
    verdict_fini(&verdict);
    msg_append_fini(&append);
    return ACTA_OK;
}

enum acta_code
handle_find_command(struct memory_connection *connection, uint64_t id,
                    struct slice body, struct acta_err *err)
{
    struct verdict verdict = {.err.code = ACTA_OK};
    const uint8_t *command;
    enum acta_code code = msg_find_command_decode(&command, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    if (!is_known_command(connection->memory, command, &verdict)) {
        return acta_fail(err, ACTA_NOT_FOUND, "no append had this command id");
    }
    tell_appended(connection, id, &verdict);
    verdict_fini(&verdict);
    return ACTA_OK;
}

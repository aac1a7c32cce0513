/* In the order in which a verdict is come to: the command, the ids, and then
 * all that was expected.
 */

#include <stdlib.h>
#include <string.h>

#include "model_stream.h"

/* ---- the verdict ---- */

static void
add_failure(struct model_verdict *verdict, enum acta_code code,
            const struct msg_failure *failure)
{
    verdict->code = code;
    if (verdict->failures_count < MSG_FAILURES_MAX) {
        verdict->failures[verdict->failures_count++] = *failure;
    }
}

/* Put the event at the end of the last run, or into one of its own. */
static void
add_to_runs(struct model_verdict *verdict, size_t write, uint64_t version,
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
    verdict->runs = realloc(verdict->runs,
                            (verdict->runs_count + 1) * sizeof(*verdict->runs));
    verdict->runs[verdict->runs_count++] = (struct msg_run){
        .write = write,
        .first_version = version,
        .first_position = position,
        .count = 1,
    };
}

void
model_verdict_fini(struct model_verdict *verdict)
{
    free(verdict->runs);
}

/* ---- the command ---- */

static const struct model_command *
find_command(const struct model *model, const uint8_t *id)
{
    for (size_t i = 0; id != NULL && i < model->commands_count; i++) {
        if (memcmp(model->commands[i].id.bytes, id, UUID_SIZE) == 0) {
            return &model->commands[i];
        }
    }
    return NULL;
}

static void
answer_command(struct model_verdict *verdict,
               const struct model_command *command)
{
    size_t size = command->runs_count * sizeof(*command->runs);

    verdict->repeated = true;
    verdict->runs = malloc(size);
    memcpy(verdict->runs, command->runs, size);
    verdict->runs_count = command->runs_count;
}

/* ---- ids ---- */

static bool
repeats_itself(const struct msg_append *append)
{
    for (size_t i = 0; i < append->events_count; i++) {
        const struct event *a = &append->events[i];

        for (size_t j = 0; j < i; j++) {
            const struct event *b = &append->events[j];

            if (memcmp(a->id, b->id, UUID_SIZE) == 0 &&
                slice_equal(a->stream, b->stream)) {
                return true;
            }
        }
    }
    return false;
}

/* Of what is hidden or erased only the id counts. Contents here are always
 * packed by the same encoder: bytes will do.
 */
static bool
same_content(const struct model *model, const struct event *stored,
             const struct event *sent, uint64_t now_us)
{
    return stored->format == EVENT_ERASED ||
           model_hides(model, stored->position, now_us) ||
           slice_equal(stored->content, sent->content);
}

/* What the stored events of an append are, all in all. */
struct stored {
    size_t count;
    bool in_order;
    bool reused;
};

static struct stored
look_up(const struct model *model, const struct msg_append *append,
        uint64_t now_us)
{
    struct stored found = {.in_order = true};
    uint64_t last = 0;

    for (size_t i = 0; i < append->events_count; i++) {
        const struct event *sent = &append->events[i];
        const struct event *stored =
            model_find_id(model, sent->stream, sent->id);

        if (stored != NULL) {
            found.count++;
            found.in_order = found.in_order && stored->position > last;
            found.reused =
                found.reused || !same_content(model, stored, sent, now_us);
            last = stored->position;
        }
    }
    return found;
}

/* Name the stored events that are to blame: those with other content; else, if
 * all are stored, those that are stored before the one in front of them; else
 * all that are stored.
 */
static void
refuse_events(const struct model *model, const struct msg_append *append,
              uint64_t now_us, const struct stored *found,
              struct model_verdict *verdict)
{
    enum acta_code code = found->reused ? ACTA_ID_REUSED : ACTA_PARTIAL_REPEAT;
    bool all = found->count == append->events_count;
    uint64_t last = 0;

    for (size_t w = 0; w < append->writes_count; w++) {
        for (size_t e = 0; e < append->writes[w].events_count; e++) {
            const struct event *sent = &append->writes[w].events[e];
            const struct event *stored =
                model_find_id(model, sent->stream, sent->id);
            bool blamed;

            if (stored == NULL) {
                continue;
            }
            if (found->reused) {
                blamed = !same_content(model, stored, sent, now_us);
            } else {
                blamed = !all || stored->position <= last;
            }
            if (blamed) {
                add_failure(verdict, code,
                            &(struct msg_failure){.kind = MSG_FAILED_EVENT,
                                                  .index = w,
                                                  .event = e,
                                                  .actual = stored->version});
            }
            last = stored->position;
        }
    }
}

static void
answer_repeat(const struct model *model, const struct msg_append *append,
              struct model_verdict *verdict)
{
    verdict->repeated = true;
    for (size_t w = 0; w < append->writes_count; w++) {
        for (size_t e = 0; e < append->writes[w].events_count; e++) {
            const struct event *sent = &append->writes[w].events[e];
            const struct event *stored =
                model_find_id(model, sent->stream, sent->id);

            add_to_runs(verdict, w, stored->version, stored->position);
        }
    }
}

/* ---- what is expected ---- */

bool
model_expects(int64_t expected, const struct model_stream *stream)
{
    bool is_empty = stream->version == 0 || stream->is_deleted;

    switch (expected) {
    case MSG_EXPECT_ANY:
        return true;
    case MSG_EXPECT_EXISTS:
        return !is_empty;
    default:
        return (uint64_t)expected == stream->version ||
               (expected == 0 && is_empty);
    }
}

static void
judge_streams(const struct model *model, const struct msg_append *append,
              struct model_verdict *verdict)
{
    for (size_t w = 0; w < append->writes_count; w++) {
        const struct msg_write *write = &append->writes[w];
        const struct model_stream *stream = model_stream(model, write->stream);

        if (stream->is_tombstoned || !model_expects(write->expected, stream)) {
            add_failure(verdict, ACTA_CONFLICT,
                        &(struct msg_failure){.kind = MSG_FAILED_WRITE,
                                              .index = w,
                                              .expected = write->expected,
                                              .actual = stream->version});
        }
    }
    for (size_t c = 0; c < append->more.checks_count; c++) {
        const struct msg_check *check = &append->more.checks[c];
        const struct model_stream *stream = model_stream(model, check->stream);

        if (!model_expects(check->expected, stream)) {
            add_failure(verdict, ACTA_CONFLICT,
                        &(struct msg_failure){.kind = MSG_FAILED_CHECK,
                                              .index = c,
                                              .expected = check->expected,
                                              .actual = stream->version});
        }
    }
}

static void
judge_conditions(const struct model *model, const struct msg_append *append,
                 uint64_t now_us, struct model_verdict *verdict)
{
    for (size_t c = 0; c < append->more.conditions_count; c++) {
        const struct msg_condition *condition = &append->more.conditions[c];
        uint64_t after =
            condition->after < INT64_MAX ? condition->after : INT64_MAX;
        uint64_t match = model_next(model, &condition->query, condition->after,
                                    false, now_us);

        if (match != 0) {
            add_failure(verdict, ACTA_CONFLICT,
                        &(struct msg_failure){.kind = MSG_FAILED_CONDITION,
                                              .index = c,
                                              .expected = (int64_t)after,
                                              .actual = match});
        }
    }
}

static bool
writes_to_tombstone(const struct model *model, const struct msg_append *append)
{
    for (size_t w = 0; w < append->writes_count; w++) {
        if (model_stream(model, append->writes[w].stream)->is_tombstoned) {
            return true;
        }
    }
    return false;
}

/* Where the events will be. */
static void
accept(const struct model *model, const struct msg_append *append,
       struct model_verdict *verdict)
{
    uint64_t position = model->count;

    for (size_t w = 0; w < append->writes_count; w++) {
        const struct msg_write *write = &append->writes[w];
        uint64_t version = model_version(model, write->stream);

        for (size_t v = 0; v < w; v++) {
            if (slice_equal(append->writes[v].stream, write->stream)) {
                version += append->writes[v].events_count;
            }
        }
        for (size_t e = 0; e < write->events_count; e++) {
            add_to_runs(verdict, w, ++version, ++position);
        }
    }
}

void
model_decide(const struct model *model, const struct msg_append *append,
             uint64_t now_us, struct model_verdict *verdict)
{
    const struct model_command *command =
        find_command(model, append->more.command_id);
    struct stored found;

    *verdict = (struct model_verdict){.code = ACTA_OK};
    if (command != NULL) {
        answer_command(verdict, command);
        return;
    }
    if (repeats_itself(append)) {
        verdict->code = ACTA_INVALID;
        return;
    }
    found = look_up(model, append, now_us);
    if (found.count == append->events_count && found.in_order &&
        !found.reused) {
        answer_repeat(model, append, verdict);
        return;
    }
    if (found.count > 0) {
        refuse_events(model, append, now_us, &found, verdict);
        return;
    }
    judge_streams(model, append, verdict);
    judge_conditions(model, append, now_us, verdict);
    if (writes_to_tombstone(model, append)) {
        verdict->code = ACTA_TOMBSTONED;
    }
    if (verdict->code == ACTA_OK) {
        accept(model, append, verdict);
    }
}

/* ---- what a refused client has not seen ---- */

/* Behind the version that is expected of a stream: nothing is told of one that
 * may be at any.
 */
static bool
is_behind(const struct event *event, struct slice stream, int64_t expected)
{
    return expected >= 0 && event->version > (uint64_t)expected &&
           slice_equal(event->stream, stream);
}

static bool
is_unseen(const struct msg_append *append, const struct event *event)
{
    const struct msg_append_more *more = &append->more;
    bool unseen = false;

    for (size_t w = 0; w < append->writes_count; w++) {
        const struct msg_write *write = &append->writes[w];

        unseen = unseen || is_behind(event, write->stream, write->expected);
    }
    for (size_t c = 0; c < more->checks_count; c++) {
        const struct msg_check *check = &more->checks[c];

        unseen = unseen || is_behind(event, check->stream, check->expected);
    }
    for (size_t c = 0; c < more->conditions_count; c++) {
        const struct msg_condition *condition = &more->conditions[c];

        unseen = unseen || (event->position > condition->after &&
                            model_matches(&condition->query, event));
    }
    return unseen;
}

uint64_t
model_next_unseen(const struct model *model, const struct msg_append *append,
                  uint64_t from, uint64_t now_us)
{
    for (uint64_t p = from + 1; p <= model->count; p++) {
        if (!model_hides(model, p, now_us) &&
            is_unseen(append, model_at(model, p))) {
            return p;
        }
    }
    return 0;
}

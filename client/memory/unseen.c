/* What a refused append has not seen. */

#include "limit.h"
#include "verdict.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))

/* Nothing is told of a stream that may be at any version. */
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

    for (size_t w = 0; w < append->writes_count; w++) {
        if (is_behind(event, append->writes[w].stream,
                      append->writes[w].expected)) {
            return true;
        }
    }
    for (size_t c = 0; c < more->checks_count; c++) {
        if (is_behind(event, more->checks[c].stream,
                      more->checks[c].expected)) {
            return true;
        }
    }
    for (size_t c = 0; c < more->conditions_count; c++) {
        if (event->position > more->conditions[c].after &&
            query_matches(&more->conditions[c].query, event)) {
            return true;
        }
    }
    return false;
}

void
memory_tell_unseen(struct memory_connection *connection, uint64_t id,
                   const struct msg_append *append, struct msg_error *error)
{
    const struct acta_memory *memory = connection->memory;
    const struct msg_bounds *asked = &append->more.unseen;
    uint64_t events_max = MIN(asked->events_max, ACTA_UNSEEN_EVENTS_MAX);
    uint64_t left = asked->bytes_max == 0
                        ? ACTA_UNSEEN_SIZE_MAX
                        : MIN(asked->bytes_max, ACTA_UNSEEN_SIZE_MAX);
    struct msg_open open = msg_error_begin(&connection->out, id, error);

    error->has_unseen = true;
    error->unseen_complete = true;
    error->unseen_head = memory_head(memory);
    for (uint64_t p = 1; p <= memory_head(memory); p++) {
        const struct memory_event *kept = memory_at(memory, p);

        if (memory_hides(memory, kept) || !is_unseen(append, &kept->event)) {
            continue;
        }
        if (error->unseen_count == events_max ||
            (error->unseen_count > 0 && kept->record.size > left)) {
            error->unseen_complete = false;
            break;
        }
        buf_append_slice(&connection->out, kept->record);
        left -= MIN(kept->record.size, left);
        error->unseen_count++;
    }
    msg_error_end(&connection->out, open, error);
}

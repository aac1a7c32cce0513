/* A log for groups to hand out: every position has an event, of a key, that
 * matches or not, and may be hidden or damaged later. In memory, without a
 * server.
 */

#ifndef ACTA_TEST_GROUP_LOG_H
#define ACTA_TEST_GROUP_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "slice.h"

#define LOG_EVENTS_MAX 4096

struct log_event {
    unsigned key; /* Its stream is "key-N", and its only tag "tag:N". */
    bool is_matching;
    bool is_hidden;
    bool is_damaged;
    uint8_t *record; /* owned */
    size_t size;
};

/* All zeros: empty. Events are at their positions. */
struct event_log {
    struct log_event events[LOG_EVENTS_MAX + 1];
    uint64_t head;
};

void log_append(struct event_log *log, unsigned key, bool is_matching);
void log_free(struct event_log *log);

static inline struct slice
log_record(const struct event_log *log, uint64_t position)
{
    return slice_make(log->events[position].record, log->events[position].size);
}

/* As group_ports.fetch(). */
enum acta_code log_fetch(const struct event_log *log, uint64_t position,
                         struct slice *record);

#endif

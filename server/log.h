/* The log: one line of key=value pairs an event, on stderr.
 *
 *     log_info(log_event("listening"), log_text("address", text));
 *
 *     time=2026-01-02T03:04:05.678Z level=info event=listening
 *         address=127.0.0.1:2282                             (in one line)
 *
 * Values that hold blanks, quotes, '=' or control characters are quoted. If
 * stderr goes to the journal of systemd (JOURNAL_STREAM is set), a line begins
 * with the level as the journal wants it, "<6>", and has no time, which the
 * journal adds.
 *
 * A line is written at once, so lines of many threads do not mix, and what
 * does not fit in LOG_LINE_MAX is cut off. Any thread.
 */

#ifndef ACTA_LOG_H
#define ACTA_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "slice.h"

#define LOG_LINE_MAX 2048

/* X(name, text, priority for the journal) */
#define LOG_LEVELS(X)                                                          \
    X(ERROR, "error", 3)                                                       \
    X(WARNING, "warning", 4)                                                   \
    X(INFO, "info", 6)                                                         \
    X(DEBUG, "debug", 7)

enum log_level {
#define X(name, text, priority) LOG_LEVEL_##name,
    LOG_LEVELS(X)
#undef X
};

struct log_field {
    const char *key; /* NULL ends a list of fields. */
    bool is_text;
    struct slice text;
    uint64_t number;
};

static inline struct log_field
log_slice(const char *key, struct slice text)
{
    return (struct log_field){.key = key, .is_text = true, .text = text};
}

static inline struct log_field
log_text(const char *key, const char *text)
{
    return log_slice(key, slice_of(text));
}

static inline struct log_field
log_number(const char *key, uint64_t number)
{
    return (struct log_field){.key = key, .number = number};
}

/* The first field of every line: what has happened, in a few words. */
static inline struct log_field
log_event(const char *text)
{
    return log_text("event", text);
}

/* Lines above this level are not written. It is INFO at the start. */
void log_set_level(enum log_level level);

/* "error" to "debug". False, and nothing set, if @text is none of them. */
bool log_parse_level(enum log_level *level, const char *text);

void log_write(enum log_level level, const struct log_field *fields);

#define LOG_FIELDS(...)                                                        \
    (const struct log_field[])                                                 \
    {                                                                          \
        __VA_ARGS__,                                                           \
        {                                                                      \
            .key = NULL                                                        \
        }                                                                      \
    }
#define log_error(...)   log_write(LOG_LEVEL_ERROR, LOG_FIELDS(__VA_ARGS__))
#define log_warning(...) log_write(LOG_LEVEL_WARNING, LOG_FIELDS(__VA_ARGS__))
#define log_info(...)    log_write(LOG_LEVEL_INFO, LOG_FIELDS(__VA_ARGS__))
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, LOG_FIELDS(__VA_ARGS__))

/* Make the line of @fields, with its end, and return its size. For the journal
 * if @time is NULL.
 */
size_t log_format(char line[static LOG_LINE_MAX], enum log_level level,
                  const struct wall_time *time, const struct log_field *fields);

#endif

#include "log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static _Atomic int level_max = LOG_LEVEL_INFO;

static const struct {
    const char *text;
    int priority;
} levels[] = {
#define X(name, text, priority) {text, priority},
    LOG_LEVELS(X)
#undef X
};

#define LEVELS_COUNT (sizeof(levels) / sizeof(levels[0]))

/* A line being made. What goes over its end is dropped. */
struct line {
    char *text;
    size_t size;
};

static void
put(struct line *line, char c)
{
    /* One byte stays for the end of the line. */
    if (line->size < LOG_LINE_MAX - 1) {
        line->text[line->size++] = c;
    }
}

static void
put_text(struct line *line, const char *text)
{
    while (*text != '\0') {
        put(line, *text++);
    }
}

static bool
is_control(uint8_t c)
{
    return c < 0x20 || c == 0x7f;
}

static bool
needs_quotes(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];

        if (c == ' ' || c == '"' || c == '=' || c == '\\' || is_control(c)) {
            return true;
        }
    }
    return text.size == 0;
}

static void
put_value(struct line *line, struct slice text)
{
    static const char digits[] = "0123456789abcdef";
    bool quoted = needs_quotes(text);

    if (quoted) {
        put(line, '"');
    }
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];

        if (is_control(c)) {
            put_text(line, "\\x");
            put(line, digits[c >> 4]);
            put(line, digits[c & 15]);
            continue;
        }
        if (c == '"' || c == '\\') {
            put(line, '\\');
        }
        put(line, (char)c);
    }
    if (quoted) {
        put(line, '"');
    }
}

static void
put_time(struct line *line, const struct wall_time *time)
{
    time_t seconds = (time_t)(time->us / 1000000);
    char text[64];
    struct tm tm;
    size_t size;

    gmtime_r(&seconds, &tm);
    size = strftime(text, sizeof(text), "time=%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + size, sizeof(text) - size, ".%03uZ ",
             (unsigned)(time->us / 1000 % 1000));
    put_text(line, text);
}

size_t
log_format(char text[static LOG_LINE_MAX], enum log_level level,
           const struct wall_time *time, const struct log_field *fields)
{
    struct line line = {.text = text};
    char number[32];

    assert((size_t)level < LEVELS_COUNT);
    if (time == NULL) {
        snprintf(number, sizeof(number), "<%d>", levels[level].priority);
        put_text(&line, number);
    } else {
        put_time(&line, time);
    }
    put_text(&line, "level=");
    put_text(&line, levels[level].text);
    for (; fields->key != NULL; fields++) {
        put(&line, ' ');
        put_text(&line, fields->key);
        put(&line, '=');
        if (fields->is_text) {
            put_value(&line, fields->text);
        } else {
            snprintf(number, sizeof(number), "%" PRIu64, fields->number);
            put_text(&line, number);
        }
    }
    text[line.size++] = '\n';
    return line.size;
}

void
log_set_level(enum log_level level)
{
    atomic_store_explicit(&level_max, (int)level, memory_order_relaxed);
}

bool
log_parse_level(enum log_level *level, const char *text)
{
    for (size_t i = 0; i < LEVELS_COUNT; i++) {
        if (strcmp(text, levels[i].text) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void
log_write(enum log_level level, const struct log_field *fields)
{
    struct wall_time now;
    char line[LOG_LINE_MAX];
    ssize_t written;
    size_t size;

    if ((int)level > atomic_load_explicit(&level_max, memory_order_relaxed)) {
        return;
    }
    now = clock_wall();
    size = log_format(line, level,
                      getenv("JOURNAL_STREAM") == NULL ? &now : NULL, fields);
    /* There is nowhere to tell that the log cannot be written. */
    written = write(STDERR_FILENO, line, size);
    (void)written;
}

#include "history.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BUFFER_SIZE 65536

struct history {
    FILE *file;
    bool in_write;
    bool in_list; /* A comma is due in the innermost list. */
};

struct history *
history_open(const char *dir, const char *name)
{
    struct history *history = calloc(1, sizeof(*history));
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    ck_assert_ptr_nonnull(history);
    history->file = fopen(path, "we");
    ck_assert_msg(history->file != NULL, "cannot write %s", path);
    setvbuf(history->file, NULL,
            isatty(fileno(history->file)) ? _IOLBF : _IOFBF, BUFFER_SIZE);
    return history;
}

void
history_close(struct history *history)
{
    ck_assert(ferror(history->file) == 0);
    ck_assert_int_eq(fclose(history->file), 0);
    free(history);
}

static void
put_comma(struct history *history)
{
    if (history->in_list) {
        putc(',', history->file);
    }
    history->in_list = true;
}

static void
put_hex(FILE *file, const char *name, const void *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = bytes;

    fprintf(file, ",\"%s\":\"", name);
    for (size_t i = 0; i < size; i++) {
        putc(digits[at[i] >> 4], file);
        putc(digits[at[i] & 15], file);
    }
    putc('"', file);
}

/* The part that is the same for an event that is sent and one that is read. */
static void
put_content(FILE *file, const struct acta_id *id, const char *type,
            const char *const *tags, size_t tags_count)
{
    char text[ACTA_ID_TEXT_SIZE];

    acta_id_format(id, text);
    fprintf(file, "\"id\":\"%s\",\"type\":\"%s\",\"tags\":[", text, type);
    for (size_t i = 0; i < tags_count; i++) {
        fprintf(file, "%s\"%s\"", i > 0 ? "," : "", tags[i]);
    }
    putc(']', file);
}

static void
put_stored(FILE *file, const struct acta_event *event)
{
    fprintf(file,
            "{\"position\":%" PRIu64 ",\"version\":%" PRIu64
            ",\"time\":%" PRIu64 ",\"stream\":\"%s\",",
            event->position, event->version, event->time_us, event->stream);
    put_content(file, event->id, event->type, event->tags, event->tags_count);
    put_hex(file, "metadata", event->metadata, event->metadata_size);
    put_hex(file, "data", event->data, event->data_size);
    putc('}', file);
}

/* ---- appends ---- */

void
history_append_begin(struct history *history, uint64_t number)
{
    fprintf(history->file, "{\"append\":%" PRIu64 ",\"writes\":[", number);
    history->in_write = false;
}

void
history_append_write(struct history *history, const char *stream,
                     int64_t expected)
{
    fprintf(history->file,
            "%s{\"stream\":\"%s\",\"expected\":%" PRId64 ",\"events\":[",
            history->in_write ? "]}," : "", stream, expected);
    history->in_write = true;
    history->in_list = false;
}

void
history_append_event(struct history *history, const struct acta_draft *draft)
{
    put_comma(history);
    putc('{', history->file);
    put_content(history->file, draft->id, draft->type, draft->tags,
                draft->tags_count);
    put_hex(history->file, "metadata", draft->metadata, draft->metadata_size);
    put_hex(history->file, "data", draft->data, draft->data_size);
    putc('}', history->file);
}

void
history_append_end(struct history *history)
{
    fputs(history->in_write ? "]}]}\n" : "]}\n", history->file);
}

void
history_answer(struct history *history, uint64_t number, enum acta_code code,
               const struct acta_appended *appended)
{
    FILE *file = history->file;

    fprintf(file, "{\"answer\":%" PRIu64 ",\"code\":\"%s\",\"repeated\":%s",
            number, acta_code_name(code),
            appended->repeated ? "true" : "false");
    fputs(",\"runs\":[", file);
    history->in_list = false;
    for (size_t i = 0; code == ACTA_OK && i < appended->runs_count; i++) {
        const struct acta_run *run = appended->runs[i];

        put_comma(history);
        fprintf(file,
                "{\"write\":%zu,\"version\":%" PRIu64 ",\"position\":%" PRIu64
                ",\"count\":%" PRIu64 "}",
                run->write, run->first_version, run->first_position,
                run->count);
    }
    fputs("],\"failures\":[", file);
    history->in_list = false;
    for (size_t i = 0; code != ACTA_OK && i < appended->failures_count; i++) {
        const struct acta_failure *failure = appended->failures[i];

        put_comma(history);
        fprintf(file,
                "{\"write\":%zu,\"expected\":%" PRId64 ",\"actual\":%" PRIu64
                "}",
                failure->index, failure->expected, failure->actual);
    }
    fputs("]}\n", file);
}

void
history_look(struct history *history, const char *stream, uint64_t version,
             const struct acta_event *event)
{
    fprintf(history->file,
            "{\"look\":\"%s\",\"version\":%" PRIu64 ",\"found\":", stream,
            version);
    if (event == NULL) {
        fputs("null", history->file);
    } else {
        put_stored(history->file, event);
    }
    fputs("}\n", history->file);
}

/* ---- subscriptions and reads ---- */

void
history_follow(struct history *history, uint64_t after, const char *type)
{
    fprintf(history->file, "{\"follow\":%" PRIu64 ",\"type\":", after);
    if (type == NULL) {
        fputs("null}\n", history->file);
    } else {
        fprintf(history->file, "\"%s\"}\n", type);
    }
}

void
history_position(struct history *history, uint64_t position)
{
    fprintf(history->file, "{\"position\":%" PRIu64 "}\n", position);
}

void
history_reach(struct history *history, uint64_t position)
{
    fprintf(history->file, "{\"reach\":%" PRIu64 "}\n", position);
}

void
history_ended(struct history *history, const struct acta_err *err)
{
    fprintf(history->file, "{\"ended\":\"%s\"}\n", acta_code_name(err->code));
}

void
history_event(struct history *history, const struct acta_event *event)
{
    fputs("{\"event\":", history->file);
    put_stored(history->file, event);
    fputs("}\n", history->file);
}

void
history_head(struct history *history, uint64_t head)
{
    fprintf(history->file, "{\"head\":%" PRIu64 "}\n", head);
}

void
history_list_begin(struct history *history, const char *kind, const char *name,
                   bool backward)
{
    fprintf(history->file,
            "{\"list\":\"%s\",\"name\":\"%s\",\"backward\":%s,\"positions\":[",
            kind, name, backward ? "true" : "false");
    history->in_list = false;
}

void
history_list_event(struct history *history, const struct acta_event *event)
{
    put_comma(history);
    fprintf(history->file, "%" PRIu64, event->position);
}

void
history_list_end(struct history *history)
{
    fputs("]}\n", history->file);
}

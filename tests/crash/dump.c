#include "dump.h"

#include <acta/acta_sync.h>
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "event.h"
#include "history.h"
#include "notes.h"
#include "patient.h"
#include "run.h"
#include "uuid.h"
#include "wire.h"

#define NAMES_MAX   4096
#define NAME_SIZE   256
#define PAGE_SIZE   200000 /* Bytes: so that there are many pages. */
#define BACKOFF_MS  20
#define CHECK_FOUND 1 /* What the checker ends with if it objects. */

/* Names that were met, each once. */
struct names {
    size_t count;
    char texts[NAMES_MAX][NAME_SIZE];
};

static void
add_name(struct names *names, const char *text)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->texts[i], text) == 0) {
            return;
        }
    }
    ck_assert_uint_lt(names->count, NAMES_MAX);
    snprintf(names->texts[names->count++], NAME_SIZE, "%s", text);
}

static void
open_cursor(struct acta_cursor **cursor, struct acta_sync *sync,
            struct acta_read *read)
{
    struct acta_err err;

    read->bytes_max = PAGE_SIZE;
    ck_assert_msg(acta_cursor_open(cursor, sync, read, &err) == ACTA_OK, "%s",
                  err.text);
}

static const struct acta_event *
next_event(struct acta_cursor *cursor)
{
    const struct acta_event *event;
    struct acta_err err;

    ck_assert_msg(acta_cursor_next(cursor, &event, &err) == ACTA_OK, "%s",
                  err.text);
    return event;
}

static void
dump_list(struct history *history, struct acta_sync *sync, const char *kind,
          const char *name, bool backward)
{
    struct acta_query *query = acta_query_new();
    struct acta_read read = acta_read_of_query(query);
    const struct acta_event *event;
    struct acta_cursor *cursor;

    if (strcmp(kind, "stream") == 0) {
        read = acta_read_of_stream(name);
    } else if (strcmp(kind, "type") == 0) {
        acta_query_type(query, name);
    } else {
        acta_query_tag(query, name);
    }
    read.backward = backward;
    open_cursor(&cursor, sync, &read);
    history_list_begin(history, kind, name, backward);
    while ((event = next_event(cursor)) != NULL) {
        history_list_event(history, event);
    }
    history_list_end(history);
    acta_cursor_close(cursor);
    acta_query_free(query);
}

static void
dump_lists(struct history *history, struct acta_sync *sync, const char *kind,
           const struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        dump_list(history, sync, kind, names->texts[i], false);
        dump_list(history, sync, kind, names->texts[i], true);
    }
}

uint64_t
dump(const char *url, const char *dir, unsigned number, bool lists)
{
    static struct names streams, types, tags;
    struct acta_options options = patient_options(url);
    struct acta_read read = acta_read_of_query(NULL);
    const struct acta_event *event;
    struct acta_cursor *cursor;
    struct history *history;
    struct acta_sync *sync;
    struct acta_err err;
    char file[40];
    uint64_t head;

    streams.count = types.count = tags.count = 0;
    options.backoff_max_ms = BACKOFF_MS;
    ck_assert_msg(acta_sync_open(&sync, &options, &err) == ACTA_OK, "%s",
                  err.text);
    snprintf(file, sizeof(file), "dump-%u.log", number);
    history = history_open(dir, file);
    open_cursor(&cursor, sync, &read);
    while ((event = next_event(cursor)) != NULL) {
        history_event(history, event);
        add_name(&streams, event->stream);
        add_name(&types, event->type);
        for (size_t i = 0; i < event->tags_count; i++) {
            add_name(&tags, event->tags[i]);
        }
    }
    head = acta_cursor_head(cursor);
    acta_cursor_close(cursor);
    if (lists) {
        dump_lists(history, sync, "stream", &streams);
        dump_lists(history, sync, "type", &types);
        dump_lists(history, sync, "tag", &tags);
    }
    history_head(history, head);
    history_close(history);
    acta_sync_close(sync);
    return head;
}

/* ---- over a connection ---- */

static void
note_hex(struct notes *notes, const char *name, struct slice bytes)
{
    note_part(notes, ",\"%s\":\"", name);
    for (size_t i = 0; i < bytes.size; i++) {
        note_part(notes, "%02x", bytes.data[i]);
    }
    note_part(notes, "\"");
}

static void
note_event(void *user, const struct event *event)
{
    struct slice tags = event->tags;
    char id[UUID_TEXT_SIZE];

    uuid_format(event->id, id);
    note_part(user,
              "{\"event\":{\"position\":%" PRIu64 ",\"version\":%" PRIu64
              ",\"time\":%" PRIu64 ",\"id\":\"%s\"",
              event->position, event->version, event->time_us, id);
    note_part(user, ",\"stream\":\"%s\"", wire_text(event->stream));
    note_part(user, ",\"type\":\"%s\",\"tags\":[", wire_text(event->type));
    for (size_t i = 0; i < event->tags_count; i++) {
        note_part(user, "%s\"%s\"", i > 0 ? "," : "",
                  wire_text(event_tag(&tags)));
    }
    note_part(user, "]");
    note_hex(user, "metadata", event->metadata);
    note_hex(user, "data", event->data);
    note_part(user, "}}");
    note_end(user);
}

void
dump_by_wire(struct wire *wire, const char *dir, unsigned number)
{
    struct notes *notes;
    char file[40];

    snprintf(file, sizeof(file), "dump-%u.log", number);
    notes = notes_open(dir, file);
    wire_read_all(wire, note_event, notes);
    note(notes, "{\"head\":%" PRIu64 "}", wire_head(wire));
    notes_close(notes);
}

/* Run the checker with an option, or "", and print what it says. Sets @*code to
 * what it ends with, and returns how many lines say that @promise is broken.
 */
static size_t
run_checker(const char *dir, const char *option, const char *promise, int *code)
{
    char command[1024], *line = NULL;
    size_t size = 0, found = 0, length = strlen(promise);
    FILE *checker;
    int status;

    snprintf(command, sizeof(command), "python3 -B %s %s %s",
             run_source("tests/check/check.py"), option, dir);
    checker = popen(command, "r");
    ck_assert_ptr_nonnull(checker);
    while (getline(&line, &size, checker) >= 0) {
        fputs(line, stdout);
        found += strncmp(line, promise, length) == 0 && line[length] == ':';
    }
    fflush(stdout);
    free(line);
    status = pclose(checker);
    ck_assert(WIFEXITED(status));
    *code = WEXITSTATUS(status);
    return found;
}

int
check_history(const char *dir)
{
    int code;

    (void)run_checker(dir, "", "", &code);
    return code;
}

int
check_history_with(const char *dir, const char *wanted)
{
    char option[200];
    int code;

    snprintf(option, sizeof(option), "--want=%s", wanted);
    (void)run_checker(dir, option, "", &code);
    return code;
}

bool
check_finds(const char *dir, const char *promise)
{
    int code;

    return run_checker(dir, "", promise, &code) > 0 && code == CHECK_FOUND;
}

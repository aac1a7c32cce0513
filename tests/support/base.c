#include "base.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answers.h"
#include "journal.h"
#include "msg.h"
#include "reader.h"

#define PAGE_SIZE_MAX ((size_t)64 << 20)
#define PAGE_EVENTS   1000
#define STREAMS_MAX   4096

static void
end_process(void *user, const struct acta_err *err)
{
    (void)user;
    fprintf(stderr, "fatal: %s\n", err->text);
    _exit(BASE_FATAL_STATUS);
}

void
base_init(struct base *base)
{
    char path[sizeof(base->path)];

    tempdir_make(&base->dir);
    snprintf(path, sizeof(path), "%s/main", base->dir.path);
    base_init_at(base, path);
}

void
base_init_at(struct base *base, const char *path)
{
    ck_assert_uint_lt(strlen(path), sizeof(base->path));
    strcpy(base->path, path);
    database_options_init(&base->options);
    base->options.dir = base->path;
    base->options.name = "main";
    base->options.journal_segment_size = JOURNAL_SEGMENT_SIZE_MIN;
    base->options.store_map_size = CORE_MAP_SIZE;
    base->options.disk_reserve = 0;
    base->options.fatal = end_process;
    base->database = NULL;
}

void
base_fini(struct base *base)
{
    base_close(base);
    tempdir_remove(&base->dir);
}

void
base_open(struct base *base)
{
    struct acta_err err;

    ck_assert_msg(database_open(&base->database, &base->options, &err) ==
                      ACTA_OK,
                  "%s", err.text);
}

void
base_close(struct base *base)
{
    database_close(base->database);
    base->database = NULL;
}

enum acta_code
base_try(struct base *base, struct acta_err *err)
{
    struct database *database;
    enum acta_code code = database_open(&database, &base->options, err);

    ck_assert_int_eq(database != NULL, code == ACTA_OK);
    database_close(database);
    return code;
}

int
base_killed(struct base *base, void (*work)(struct base *base))
{
    int status;
    pid_t child;

    ck_assert_ptr_null(base->database);
    fflush(stdout);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        base_open(base);
        work(base);
        _exit(EXIT_SUCCESS);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* ---- appending ---- */

enum acta_code
base_decide(struct base *base, struct job *job)
{
    struct answers answers;
    enum acta_code code;

    answers_init(&answers);
    job->completions = &answers.completions;
    code = database_submit(base->database, job);
    if (code == ACTA_OK) {
        ck_assert_ptr_eq(answers_take(&answers), job);
        code = job->outcome.code;
    }
    answers_fini(&answers);
    return code;
}

enum acta_code
base_append(struct base *base, const char *stream, int64_t expected,
            const struct draft *drafts, size_t count)
{
    struct draft_write write = {stream, expected, drafts, count};
    struct job *job = draft_append(&write, 1);
    enum acta_code code = base_decide(base, job);

    job_free(job);
    return code;
}

void
base_append_many(struct base *base, const char *stream, uint64_t first_id,
                 size_t count, size_t size)
{
    uint8_t *data = calloc(1, size + 1);

    for (size_t i = 0; i < count; i++) {
        struct draft draft = {.id = first_id + i,
                              .data = slice_make(data, size)};

        ck_assert_int_eq(base_append(base, stream, MSG_EXPECT_ANY, &draft, 1),
                         ACTA_OK);
    }
    free(data);
}

/* ---- reading ---- */

uint64_t
base_version(struct base *base, const char *stream)
{
    struct read_bounds bounds = {.events_max = 1, .bytes_max = UINT64_MAX};
    struct read_result result;
    struct reader *reader;
    struct acta_err err;
    struct buf out;

    buf_init(&out, PAGE_SIZE_MAX);
    ck_assert_int_eq(reader_open(&reader, base->database, &err), ACTA_OK);
    ck_assert_msg(reader_read_stream(reader, slice_of(stream), 0, true, &bounds,
                                     &out, &result, &err) == ACTA_OK,
                  "%s", err.text);
    reader_close(reader);
    buf_fini(&out);
    return result.version;
}

/* The last version that was seen of each stream. */
struct seen {
    struct {
        char name[64];
        uint64_t version;
    } streams[STREAMS_MAX];
    size_t count;
    uint64_t position;
    uint64_t time_us;
};

static void
check_event(struct seen *seen, const struct event *event)
{
    size_t i = 0;

    ck_assert_uint_eq(event->position, ++seen->position);
    ck_assert_uint_ge(event->time_us, seen->time_us);
    seen->time_us = event->time_us;
    while (i < seen->count &&
           !slice_equal(slice_of(seen->streams[i].name), event->stream)) {
        i++;
    }
    if (i == seen->count) {
        ck_assert_uint_lt(seen->count, STREAMS_MAX);
        snprintf(seen->streams[i].name, sizeof(seen->streams[i].name), "%.*s",
                 (int)event->stream.size, (const char *)event->stream.data);
        seen->streams[i].version = 0;
        seen->count++;
    }
    ck_assert_uint_eq(event->version, ++seen->streams[i].version);
}

/* What is shown is what was read behind @from, and what came since. */
struct shown {
    struct slice read; /* What is left of it. */
};

static enum acta_code
compare_shown(void *user, const struct slice *records, size_t count,
              struct acta_err *err)
{
    struct shown *shown = user;

    (void)err;
    for (size_t i = 0; i < count && shown->read.size > 0; i++) {
        struct slice record = records[i];

        ck_assert_uint_le(record.size, shown->read.size);
        ck_assert_mem_eq(record.data, shown->read.data, record.size);
        shown->read = slice_make(shown->read.data + record.size,
                                 shown->read.size - record.size);
    }
    return ACTA_OK;
}

static void
check_shown(struct reader *reader, uint64_t from,
            const struct read_bounds *bounds, const struct buf *read)
{
    struct slice *records = calloc(PAGE_EVENTS, sizeof(*records));
    struct shown shown = {.read = buf_slice(read)};
    struct query all = QUERY_ALL;
    struct read_result result;
    struct acta_err err;
    struct buf erased;

    buf_init(&erased, PAGE_SIZE_MAX);
    ck_assert_int_eq(reader_show_all(reader, &all, from, bounds,
                                     &(struct reader_show){
                                         .show = compare_shown,
                                         .user = &shown,
                                         .records = records,
                                         .erased = &erased,
                                     },
                                     &result, &err),
                     ACTA_OK);
    ck_assert_uint_eq(shown.read.size, 0);
    buf_fini(&erased);
    free(records);
}

uint64_t
base_check(struct base *base,
           void (*visit)(void *user, const struct event *event), void *user)
{
    struct read_bounds bounds = {.events_max = PAGE_EVENTS,
                                 .bytes_max = 1 << 20};
    struct seen *seen = calloc(1, sizeof(*seen));
    struct query all = QUERY_ALL;
    struct read_result result = {0};
    struct reader *reader;
    struct acta_err err;
    uint64_t count;
    struct buf out;

    buf_init(&out, PAGE_SIZE_MAX);
    ck_assert_int_eq(reader_open(&reader, base->database, &err), ACTA_OK);
    do {
        uint64_t from = result.next;
        struct slice events;

        buf_clear(&out);
        ck_assert_msg(reader_read_all(reader, &all, result.next, false, &bounds,
                                      &out, &result, &err) == ACTA_OK,
                      "%s", err.text);
        check_shown(reader, from, &bounds, &out);
        events = buf_slice(&out);
        while (events.size > 0) {
            struct event event;

            ck_assert_int_eq(msg_next_event(&events, &event, NULL), ACTA_OK);
            check_event(seen, &event);
            if (visit != NULL) {
                visit(user, &event);
            }
        }
    } while (!result.at_end);
    reader_close(reader);
    buf_fini(&out);
    count = seen->position;
    free(seen);
    return count;
}

size_t
base_journal_files(struct base *base, const char *prefix)
{
    char path[400];
    struct dirent *entry;
    size_t count = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/journal", base->path);
    dir = opendir(path);
    ck_assert_ptr_nonnull(dir);
    while ((entry = readdir(dir)) != NULL) {
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    }
    closedir(dir);
    return count;
}

/* Real events, appended by several clients at once, come back byte for byte
 * and in order, however they are read; and again after the server was killed.
 */

#include <acta/acta_sync.h>
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "import_lines.h"
#include "patient.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"

#define CLIENTS    4
#define BATCH_MAX  40
#define FOLLOW_MS  30000
#define NONE       SIZE_MAX
#define TIMEOUT_S  600
#define ID_LINE_AT 8 /* Of an event's id: the number of its line. */

enum read_by {
    BY_NOTHING, /* All events. */
    BY_STREAM,
    BY_CATEGORY,
    BY_TYPE,
    BY_TAG,
};

static struct import_file file;

/* The lines in the order of positions, as the first full read gave them. */
static size_t *order;

struct client {
    pthread_t thread;
    const char *url;
    size_t number;
    struct acta_sync *sync;
    struct acta_append *append;
    uint64_t *versions; /* owned: of each stream */
    size_t batch[BATCH_MAX];
    size_t batch_count;
};

static struct acta_sync *
open_sync(const char *url)
{
    struct acta_options options = patient_options(url);
    struct acta_sync *sync;
    struct acta_err err;

    ck_assert_msg(acta_sync_open(&sync, &options, &err) == ACTA_OK, "%s",
                  err.text);
    return sync;
}

/* ---- appending ---- */

static void
add_line(struct acta_append *append, size_t number)
{
    const struct import_line *line = &file.lines[number];
    const char *tags[IMPORT_TAGS_MAX];
    struct acta_id id = {.bytes = {0xac}};
    struct acta_draft draft = acta_draft_of(file.types.texts[line->type],
                                            line->data.data, line->data.size);
    uint64_t as_number = number;

    memcpy(id.bytes + ID_LINE_AT, &as_number, sizeof(as_number));
    draft.id = &id;
    draft.format = ACTA_FORMAT_JSON;
    draft.metadata = line->metadata.data;
    draft.metadata_size = line->metadata.size;
    for (size_t i = 0; i < line->tags_count; i++) {
        tags[i] = file.tags.texts[line->tags[i]];
    }
    draft.tags = tags;
    draft.tags_count = line->tags_count;
    acta_append_event(append, &draft);
}

/* Send the lines of the batch in one append, with a write a stream. */
static void
send_batch(struct client *client)
{
    struct acta_err err;

    acta_append_clear(client->append);
    for (size_t i = 0; i < client->batch_count; i++) {
        size_t stream;

        if (client->batch[i] == NONE) {
            continue; /* It is in a write already. */
        }
        stream = file.lines[client->batch[i]].stream;
        acta_append_stream(client->append, file.streams.texts[stream],
                           (int64_t)client->versions[stream]);
        for (size_t j = i; j < client->batch_count; j++) {
            if (client->batch[j] != NONE &&
                file.lines[client->batch[j]].stream == stream) {
                add_line(client->append, client->batch[j]);
                client->batch[j] = NONE;
                client->versions[stream]++;
            }
        }
    }
    ck_assert_msg(acta_sync_append(client->sync, client->append, NULL, &err) ==
                      ACTA_OK,
                  "%s", err.text);
    client->batch_count = 0;
}

/* Each stream is one client's, so that its order is that of the file. */
static void *
append_share(void *arg)
{
    struct client *client = arg;
    struct rnd rnd;

    rnd_seed(&rnd, client->number);
    client->sync = open_sync(client->url);
    client->append = acta_append_new();
    client->versions = calloc(file.streams.count, sizeof(uint64_t));
    ck_assert_ptr_nonnull(client->versions);
    for (size_t i = 0; i < file.count; i++) {
        if (file.lines[i].stream % CLIENTS != client->number) {
            continue;
        }
        client->batch[client->batch_count++] = i;
        if (client->batch_count == BATCH_MAX || rnd_once_in(&rnd, 10)) {
            send_batch(client);
        }
    }
    if (client->batch_count > 0) {
        send_batch(client);
    }
    free(client->versions);
    acta_append_free(client->append);
    acta_sync_close(client->sync);
    return NULL;
}

static void
append_all(const char *url)
{
    struct client clients[CLIENTS];

    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.url = url, .number = i};
        ck_assert_int_eq(
            pthread_create(&clients[i].thread, NULL, append_share, &clients[i]),
            0);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        ck_assert_int_eq(pthread_join(clients[i].thread, NULL), 0);
    }
}

/* ---- comparing ---- */

/* The line that the event was made of; every byte of it is compared. */
static size_t
line_of(const struct acta_event *event)
{
    const struct import_line *line;
    uint64_t number;

    memcpy(&number, event->id->bytes + ID_LINE_AT, sizeof(number));
    require(number < file.count);
    line = &file.lines[number];
    require(strcmp(event->stream, file.streams.texts[line->stream]) == 0);
    require(strcmp(event->type, file.types.texts[line->type]) == 0);
    require(event->tags_count == line->tags_count);
    for (size_t i = 0; i < line->tags_count; i++) {
        require(strcmp(event->tags[i], file.tags.texts[line->tags[i]]) == 0);
    }
    require(slice_equal(slice_make(event->data, event->data_size), line->data));
    require(slice_equal(slice_make(event->metadata, event->metadata_size),
                        line->metadata));
    require(event->format == ACTA_FORMAT_JSON);
    require(event->correlation_id == NULL);
    require(event->causation_id == NULL);
    return number;
}

static bool
is_wanted(const struct import_line *line, enum read_by by, size_t name)
{
    switch (by) {
    case BY_NOTHING:
        return true;
    case BY_STREAM:
        return line->stream == name;
    case BY_CATEGORY:
        return line->category == name;
    case BY_TYPE:
        return line->type == name;
    case BY_TAG:
        break;
    }
    for (size_t i = 0; i < line->tags_count; i++) {
        if (line->tags[i] == name) {
            return true;
        }
    }
    return false;
}

/* Go from @at (an index of order, or one beyond it) to the next that is wanted;
 * false: there is none.
 */
static bool
next_wanted(size_t *at, enum read_by by, size_t name, bool backward)
{
    for (;;) {
        if (backward ? *at == 0 : *at == file.count) {
            return false;
        }
        *at -= backward ? 1 : 0;
        if (is_wanted(&file.lines[order[*at]], by, name)) {
            return true;
        }
        *at += backward ? 0 : 1;
    }
}

static const struct import_names *
names_of(enum read_by by)
{
    static const struct import_names nothing = {.count = 1};

    switch (by) {
    case BY_NOTHING:
        break;
    case BY_STREAM:
        return &file.streams;
    case BY_CATEGORY:
        return &file.categories;
    case BY_TYPE:
        return &file.types;
    case BY_TAG:
        return &file.tags;
    }
    return &nothing;
}

static struct acta_query *
make_query(enum read_by by, size_t name)
{
    struct acta_query *query = acta_query_new();
    const struct import_names *names = names_of(by);

    if (by == BY_STREAM) {
        acta_query_stream(query, names->texts[name]);
    } else if (by == BY_CATEGORY) {
        acta_query_category(query, names->texts[name]);
    } else if (by == BY_TYPE) {
        acta_query_type(query, names->texts[name]);
    } else if (by == BY_TAG) {
        acta_query_tag(query, names->texts[name]);
    }
    return query;
}

static void
compare_read(struct acta_sync *sync, enum read_by by, size_t name,
             bool backward)
{
    struct acta_query *query = make_query(by, name);
    struct acta_read read = by == BY_STREAM
                                ? acta_read_of_stream(file.streams.texts[name])
                                : acta_read_of_query(query);
    size_t at = backward ? file.count : 0;
    const struct acta_event *event;
    struct acta_cursor *cursor;
    struct acta_err err;

    read.backward = backward;
    require(acta_cursor_open(&cursor, sync, &read, &err) == ACTA_OK);
    for (;;) {
        ck_assert_msg(acta_cursor_next(cursor, &event, &err) == ACTA_OK, "%s",
                      err.text);
        if (event == NULL) {
            break;
        }
        require(next_wanted(&at, by, name, backward));
        require(line_of(event) == order[at]);
        require(event->position == at + 1);
        at += backward ? 0 : 1;
    }
    require(!next_wanted(&at, by, name, backward));
    acta_cursor_close(cursor);
    acta_query_free(query);
}

static void
compare_subscription(struct acta_sync *sync, enum read_by by, size_t name)
{
    struct acta_query *query = make_query(by, name);
    struct acta_follower *follower;
    const struct acta_news *news;
    size_t at = 0;
    struct acta_err err;

    require(acta_follower_open(&follower, sync, query, 0, &err) == ACTA_OK);
    do {
        ck_assert_msg(acta_follower_next(follower, FOLLOW_MS, &news, &err) ==
                          ACTA_OK,
                      "%s", err.text);
        for (size_t i = 0; i < news->events_count; i++) {
            require(next_wanted(&at, by, name, false));
            require(line_of(news->events[i]) == order[at]);
            at++;
        }
    } while (news->position < file.count);
    require(!next_wanted(&at, by, name, false));
    acta_follower_close(follower);
    acta_query_free(query);
}

static void
compare_all(const char *url)
{
    struct acta_sync *sync = open_sync(url);

    for (enum read_by by = BY_NOTHING; by <= BY_TAG; by++) {
        for (size_t name = 0; name < names_of(by)->count; name++) {
            compare_read(sync, by, name, false);
            compare_read(sync, by, name, true);
            if (by != BY_STREAM || name % 50 == 0) {
                compare_subscription(sync, by, name);
            }
        }
    }
    acta_sync_close(sync);
}

/* Learn the order of positions: each line is there once, and each stream's are
 * in the order of the file.
 */
static void
learn_order(const char *url)
{
    struct acta_read read = acta_read_of_query(NULL);
    struct acta_sync *sync = open_sync(url);
    size_t *next = calloc(file.streams.count, sizeof(*next));
    const struct acta_event *event;
    struct acta_cursor *cursor;
    size_t count = 0;

    order = calloc(file.count, sizeof(*order));
    require(next != NULL);
    require(order != NULL);
    require(acta_cursor_open(&cursor, sync, &read, NULL) == ACTA_OK);
    for (;;) {
        size_t line, stream;

        require(acta_cursor_next(cursor, &event, NULL) == ACTA_OK);
        if (event == NULL) {
            break;
        }
        line = line_of(event);
        stream = file.lines[line].stream;
        while (file.lines[next[stream]].stream != stream) {
            next[stream]++;
        }
        require(line == next[stream]);
        next[stream]++;
        require(count < file.count);
        order[count++] = line;
    }
    require(count == file.count);
    free(next);
    acta_sync_close(sync);
}

static void
import_and_compare(const char *name)
{
    struct daemon daemon;
    struct tempdir dir;
    struct rnd rnd;

    rnd_init(&rnd);
    import_file_open(&file, run_data(name));
    tempdir_make(&dir);
    daemon_init(&daemon, dir.path, &rnd);
    daemon_start(&daemon);
    append_all(daemon.url);
    learn_order(daemon.url);
    compare_all(daemon.url);
    daemon_kill(&daemon);
    daemon_start(&daemon);
    compare_all(daemon.url);
    daemon_stop(&daemon);
    tempdir_remove(&dir);
    printf("%zu events in %zu streams\n", file.count, file.streams.count);
    free(order);
    import_file_close(&file);
}

START_TEST(a_hospitals_events_come_back_as_they_were)
{
    import_and_compare("hospital.ndjson");
}
END_TEST

START_TEST(webhooks_of_github_come_back_as_they_were)
{
    import_and_compare("github-webhooks.ndjson");
}
END_TEST

int
main(void)
{
    Suite *suite;
    TCase *tcase;

    if (run_data("hospital.ndjson") == NULL ||
        run_data("github-webhooks.ndjson") == NULL) {
        return RUN_SKIPPED;
    }
    suite = suite_create("import");
    tcase = tcase_create("import");
    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, a_hospitals_events_come_back_as_they_were);
    tcase_add_test(tcase, webhooks_of_github_come_back_as_they_were);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

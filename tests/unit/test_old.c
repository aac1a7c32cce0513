/* Databases that former versions wrote: tests/old/version-N.tar.gz holds one
 * that was killed, with events in its store and more of them in its journal.
 *
 * All: streams order-1, order-2 and customer-7 with five events each in turn, a
 * clean stop, then order-1, order-2 and basket-9 with three each, a kill. The
 * event at position N has the id draft_id(N), the data {"n":N}, the metadata
 * {"by":"v1"} and the tag n:N, N modulo 3.
 *
 * Version 2, rows: the events at 15 and 24 were of the commands draft_id(1015)
 * and draft_id(1024); order-2 has a max count of 1000; and, in the journal
 * only, gone-1 was tombstoned before it had an event.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base.h"
#include "reader.h"
#include "run.h"
#include "store.h"

#define STORED   15
#define RECORDED 24 /* Nine of them are in the journal only. */

static struct base base;

static void
unpack(const char *name)
{
    char archive[400];
    int status;
    pid_t child;

    snprintf(archive, sizeof(archive), "%s", run_source(name));
    fflush(stdout);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        execlp("tar", "tar", "-xzf", archive, "-C", base.dir.path,
               (char *)NULL);
        _exit(EXIT_FAILURE);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), EXIT_SUCCESS);
}

static void
setup_1(void)
{
    base_init(&base);
    unpack("tests/old/version-1.tar.gz");
}

static void
setup_2(void)
{
    base_init(&base);
    unpack("tests/old/version-2.tar.gz");
}

static void
teardown(void)
{
    base_fini(&base);
}

static void
restart(void)
{
    base_close(&base);
    base_open(&base);
}

/* The draft of what was recorded at @position, but for its tag. */
static struct draft
recorded(uint64_t position, char data[static 32])
{
    snprintf(data, 32, "{\"n\":%" PRIu64 "}", position);
    return (struct draft){
        .id = position,
        .type = position <= STORED ? "Noted" : "Added",
        .metadata = slice_of("{\"by\":\"v1\"}"),
        .data = slice_of(data),
        .format = EVENT_JSON,
    };
}

static void
check_recorded(void *user, const struct event *event)
{
    size_t *seen = user;
    struct slice tags = event->tags;
    struct draft draft;
    struct uuid id;
    char data[32], tag[32];

    if (event->position > RECORDED) {
        return;
    }
    draft = recorded(event->position, data);
    id = draft_id(event->position);
    snprintf(tag, sizeof(tag), "n:%" PRIu64, event->position % 3);
    ck_assert(slice_equal(event->type, slice_of(draft.type)));
    ck_assert(slice_equal(event->data, draft.data));
    ck_assert(slice_equal(event->metadata, draft.metadata));
    ck_assert_int_eq(event->format, draft.format);
    ck_assert_mem_eq(event->id, id.bytes, UUID_SIZE);
    ck_assert_uint_eq(event->tags_count, 1);
    ck_assert(slice_equal(event_tag(&tags), slice_of(tag)));
    ++*seen;
}

static void
check_all(uint64_t head)
{
    size_t seen = 0;

    ck_assert_uint_eq(base_check(&base, check_recorded, &seen), head);
    ck_assert_uint_eq(seen, RECORDED);
}

START_TEST(everything_is_read_from_store_and_journal)
{
    base_open(&base);
    ck_assert_uint_eq(database_head(base.database), RECORDED);
    check_all(RECORDED);
    ck_assert_uint_eq(base_version(&base, "order-1"), 8);
    ck_assert_uint_eq(base_version(&base, "customer-7"), 5);
    ck_assert_uint_eq(base_version(&base, "basket-9"), 3);
    restart();
    check_all(RECORDED);
}
END_TEST

START_TEST(an_append_of_then_sent_again_counts_once)
{
    static const char *const streams[] = {"order-1", "basket-9"};
    static const uint64_t positions[] = {1, RECORDED};
    char data[32], tag[32];

    base_open(&base);
    for (size_t i = 0; i < 2; i++) {
        struct draft draft = recorded(positions[i], data);

        snprintf(tag, sizeof(tag), "n:%" PRIu64, positions[i] % 3);
        draft.tags[0] = tag;
        ck_assert_int_eq(base_append(&base, streams[i], 0, &draft, 1), ACTA_OK);
        draft.tags[0] = "n:7";
        ck_assert_int_eq(base_append(&base, streams[i], 0, &draft, 1),
                         ACTA_ID_REUSED);
    }
    ck_assert_uint_eq(database_head(base.database), RECORDED);
}
END_TEST

static void
change(const struct msg_change *change)
{
    struct job *job = draft_change(change);

    ck_assert_msg(base_decide(&base, job) == ACTA_OK, "%s", job->outcome.text);
    ck_assert(job->outcome.changed.changed);
    job_free(job);
}

/* What that version did not know: settings, tombstones, erasing. */
static void
change_streams(struct base *of)
{
    change(&(struct msg_change){.stream = slice_of("order-1"),
                                .expected = 8,
                                .kind = MSG_SET,
                                .settings = {.max_count = 2},
                                .given = MSG_HAS_MAX_COUNT});
    change(&(struct msg_change){
        .stream = slice_of("basket-9"), .expected = 3, .kind = MSG_TOMBSTONE});
    base_append_many(of, "order-1", 100, 1, 10);
}

static struct msg_description
describe(const char *stream)
{
    struct msg_description description;
    struct reader *reader;
    struct acta_err err;

    ck_assert_int_eq(reader_open(&reader, base.database, &err), ACTA_OK);
    ck_assert_int_eq(
        reader_describe_stream(reader, slice_of(stream), &description, &err),
        ACTA_OK);
    reader_close(reader);
    return description;
}

static void
check_changed(void)
{
    struct draft draft = {.id = 200};

    ck_assert_uint_eq(database_head(base.database), RECORDED + 1);
    ck_assert_uint_eq(describe("order-1").stream.version, 9);
    ck_assert_uint_eq(describe("order-1").first_version, 8);
    ck_assert_uint_eq(describe("order-2").first_version, 1);
    ck_assert_int_eq(describe("basket-9").stream.state, MSG_STREAM_TOMBSTONED);
    ck_assert_int_eq(base_append(&base, "basket-9", MSG_EXPECT_ANY, &draft, 1),
                     ACTA_TOMBSTONED);
}

START_TEST(its_streams_are_changed_and_stay_so_over_a_restart)
{
    base_open(&base);
    change_streams(&base);
    check_changed();
    restart();
    check_changed();
    restart();
    check_changed();
}
END_TEST

/* The first start with this version is cut off: the journal has entries of
 * both.
 */
START_TEST(its_streams_are_changed_and_stay_so_over_a_kill)
{
    ck_assert_int_eq(base_killed(&base, change_streams), 0);
    base_open(&base);
    check_changed();
    restart();
    check_changed();
}
END_TEST

/* As actad verify does: twice the same. */
START_TEST(who_only_looks_at_its_store_leaves_it_as_it_is)
{
    struct store *store;
    struct acta_err err;
    char dir[400];

    snprintf(dir, sizeof(dir), "%s/store", base.path);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(store_open_still(&store, dir, CORE_MAP_SIZE, &err),
                         ACTA_UNSUPPORTED);
        ck_assert_ptr_null(store);
        ck_assert_ptr_nonnull(strstr(err.text, "the server moves it on"));
    }
    base_open(&base);
    base_close(&base);
    ck_assert_int_eq(store_open_still(&store, dir, CORE_MAP_SIZE, &err),
                     ACTA_OK);
    store_close(store);
}
END_TEST

/* ---- what version 2 knew, and version 1 did not ---- */

/* Send a command that was carried out then, with another event. */
static void
send_command(uint64_t command, uint64_t position)
{
    struct draft draft = {.id = 300};
    struct draft_write write = {"order-1", MSG_EXPECT_ANY, &draft, 1};
    struct uuid id = draft_id(command);
    struct msg_append_more more = {.command_id = id.bytes};
    struct job *job = draft_append_with(&write, 1, &more);

    ck_assert_int_eq(base_decide(&base, job), ACTA_OK);
    ck_assert(job->outcome.repeated);
    ck_assert_uint_eq(job->outcome.runs_count, 1);
    ck_assert_uint_eq(job->outcome.runs[0].first_position, position);
    job_free(job);
}

static void
check_rows(void)
{
    send_command(1015, 15);
    send_command(1024, RECORDED);
    ck_assert_uint_eq(describe("order-2").stream.settings.max_count, 1000);
    ck_assert_int_eq(describe("gone-1").stream.state, MSG_STREAM_TOMBSTONED);
}

START_TEST(rows_are_read_from_store_and_journal)
{
    base_open(&base);
    check_rows();
    restart();
    check_rows();
}
END_TEST

/* What this version knows, and that one did not. */
static void
claim(struct base *of)
{
    struct msg_change_consumer wanted = {.name = slice_of("c"),
                                         .kind = MSG_CONSUMER_CLAIM};
    struct job *job = draft_consumer(&wanted);

    ck_assert_int_eq(base_decide(of, job), ACTA_OK);
    ck_assert(job->outcome.consumer_changed.changed);
    job_free(job);
}

START_TEST(a_consumer_is_made_and_stays_over_a_kill)
{
    ck_assert_int_eq(base_killed(&base, claim), 0);
    base_open(&base);
    claim(&base);
    check_all(RECORDED);
}
END_TEST

static void
add_case(Suite *suite, const char *name, void (*setup)(void), bool has_rows)
{
    TCase *tcase = tcase_create(name);

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, everything_is_read_from_store_and_journal);
    tcase_add_test(tcase, an_append_of_then_sent_again_counts_once);
    tcase_add_test(tcase, its_streams_are_changed_and_stay_so_over_a_restart);
    tcase_add_test(tcase, its_streams_are_changed_and_stay_so_over_a_kill);
    tcase_add_test(tcase, a_consumer_is_made_and_stays_over_a_kill);
    tcase_add_test(tcase, who_only_looks_at_its_store_leaves_it_as_it_is);
    if (has_rows) {
        tcase_add_test(tcase, rows_are_read_from_store_and_journal);
    }
}

int
main(void)
{
    Suite *suite = suite_create("old");

    add_case(suite, "version 1", setup_1, false);
    add_case(suite, "version 2", setup_2, true);
    return run_suite(suite);
}

/* Clients that want the same at once: each version of a stream has one winner,
 * and each loser is told the truth.
 */

#include <acta/acta_sync.h>
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "patient.h"
#include "require.h"
#include "rig.h"
#include "rnd.h"
#include "run.h"

#define RACERS_COUNT 16
#define ATTEMPTS_MAX 100000
#define VERSIONS_MAX (RACERS_COUNT * 200)

static struct rig rig;

struct racer {
    pthread_t thread;
    struct acta_sync *sync;
    const char *streams[2]; /* The second may be NULL. */
    unsigned wins_due;
    unsigned losses;
    unsigned number;
};

/* Who won each version, by number + 1; each is written by its winner. */
static unsigned winners[VERSIONS_MAX + 1];

/* What all racers send in the same words. */
static struct acta_append *shared_append;
static uint64_t told_position[RACERS_COUNT];
static bool told_repeated[RACERS_COUNT];

static void
open_sync(struct acta_sync **sync)
{
    struct acta_options options;
    struct acta_err err;
    char url[64];

    snprintf(url, sizeof(url), "acta://127.0.0.1:%u", rig.port);
    options = patient_options(url);
    ck_assert_msg(acta_sync_open(sync, &options, &err) == ACTA_OK, "%s",
                  err.text);
}

static void
fill(struct acta_append *append, const struct racer *racer, uint64_t version)
{
    struct acta_draft draft =
        acta_draft_of("Won", &racer->number, sizeof(racer->number));

    acta_append_clear(append);
    for (size_t i = 0; i < 2 && racer->streams[i] != NULL; i++) {
        acta_append_stream(append, racer->streams[i], (int64_t)version);
        acta_append_event(append, &draft);
    }
}

/* Append at the version that it believes in, until it has won often enough. */
static void *
race(void *arg)
{
    struct racer *racer = arg;
    struct acta_append *append = acta_append_new();
    const struct acta_appended *appended;
    uint64_t version = 0;
    struct acta_err err;

    for (unsigned i = 0; racer->wins_due > 0; i++) {
        enum acta_code code;

        require(i < ATTEMPTS_MAX);
        fill(append, racer, version);
        code = acta_sync_append(racer->sync, append, &appended, &err);
        if (code == ACTA_OK) {
            require(appended->version == version + 1);
            require(!appended->repeated);
            version = appended->version;
            require(version <= VERSIONS_MAX);
            require(winners[version] == 0);
            winners[version] = racer->number + 1;
            racer->wins_due--;
            continue;
        }
        ck_assert_msg(code == ACTA_CONFLICT, "%s", err.text);
        require(appended->failures_count > 0);
        require(appended->failures[0]->actual > version);
        version = appended->failures[0]->actual;
        racer->losses++;
    }
    acta_append_free(append);
    return NULL;
}

/* The stream has as many events as there were wins, each its winner's. */
static void
check_stream(struct acta_sync *sync, const char *stream, unsigned wins)
{
    struct acta_read read = acta_read_of_stream(stream);
    const struct acta_event *event;
    struct acta_cursor *cursor;
    uint64_t version = 0;

    require(acta_cursor_open(&cursor, sync, &read, NULL) == ACTA_OK);
    for (;;) {
        unsigned number;

        require(acta_cursor_next(cursor, &event, NULL) == ACTA_OK);
        if (event == NULL) {
            break;
        }
        require(event->version == ++version);
        require(event->data_size == sizeof(number));
        memcpy(&number, event->data, sizeof(number));
        require(winners[version] == number + 1);
    }
    require(version == wins);
    acta_cursor_close(cursor);
}

static void
run_race(const char *first, const char *second)
{
    struct racer racers[RACERS_COUNT];
    unsigned wins = rnd_effort(25, 200), losses = 0;
    struct acta_sync *sync;

    memset(winners, 0, sizeof(winners));
    rig_start(&rig, "--checkpoint-events=50", NULL);
    for (unsigned i = 0; i < RACERS_COUNT; i++) {
        racers[i] = (struct racer){
            .streams = {first, second}, .wins_due = wins, .number = i};
        open_sync(&racers[i].sync);
    }
    for (unsigned i = 0; i < RACERS_COUNT; i++) {
        ck_assert_int_eq(
            pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (unsigned i = 0; i < RACERS_COUNT; i++) {
        ck_assert_int_eq(pthread_join(racers[i].thread, NULL), 0);
        losses += racers[i].losses;
        acta_sync_close(racers[i].sync);
    }
    printf("%u wins, %u losses\n", wins * RACERS_COUNT, losses);
    open_sync(&sync);
    check_stream(sync, first, wins * RACERS_COUNT);
    if (second != NULL) {
        check_stream(sync, second, wins * RACERS_COUNT);
    }
    acta_sync_close(sync);
    rig_stop(&rig);
}

START_TEST(each_version_has_one_winner)
{
    run_race("order-1", NULL);
}
END_TEST

START_TEST(who_wins_one_of_two_streams_wins_both)
{
    run_race("order-1", "stock-7");
}
END_TEST

static void *
send_the_same(void *arg)
{
    struct racer *racer = arg;
    const struct acta_appended *appended;
    struct acta_err err;

    ck_assert_msg(acta_sync_append(racer->sync, shared_append, &appended,
                                   &err) == ACTA_OK,
                  "%s", err.text);
    told_position[racer->number] = appended->position;
    told_repeated[racer->number] = appended->repeated;
    return NULL;
}

START_TEST(one_append_sent_by_all_counts_once)
{
    struct racer racers[RACERS_COUNT];
    unsigned firsts = 0;
    uint64_t head;

    rig_start(&rig, NULL);
    shared_append = acta_append_new();
    racers[0] = (struct racer){.streams = {"order-1", "stock-7"}};
    fill(shared_append, &racers[0], 0);
    for (unsigned i = 0; i < RACERS_COUNT; i++) {
        racers[i] = (struct racer){.number = i};
        open_sync(&racers[i].sync);
        ck_assert_int_eq(
            pthread_create(&racers[i].thread, NULL, send_the_same, &racers[i]),
            0);
    }
    for (unsigned i = 0; i < RACERS_COUNT; i++) {
        ck_assert_int_eq(pthread_join(racers[i].thread, NULL), 0);
        ck_assert_uint_eq(told_position[i], 2);
        firsts += told_repeated[i] ? 0 : 1;
    }
    ck_assert_uint_eq(firsts, 1);
    ck_assert_int_eq(acta_sync_ping(racers[0].sync, &head, NULL), ACTA_OK);
    ck_assert_uint_eq(head, 2);
    for (unsigned i = 0; i < RACERS_COUNT; i++) {
        acta_sync_close(racers[i].sync);
    }
    acta_append_free(shared_append);
    rig_stop(&rig);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("race");
    TCase *tcase = tcase_create("race");

    tcase_add_test(tcase, each_version_has_one_winner);
    tcase_add_test(tcase, who_wins_one_of_two_streams_wins_both);
    tcase_add_test(tcase, one_append_sent_by_all_counts_once);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

/* A projector that has nothing to do: poll(2) and the clock are the test's, and
 * the store is in memory, so that it is known what comes when.
 */

#include <acta/acta_memory.h>
#include <acta/acta_projection.h>
#include <check.h>
#include <dlfcn.h>
#include <poll.h>
#include <stdbool.h>
#include <time.h>

#include "run.h"

/* In the place of what the library calls. */
#define SHOWN __attribute__((visibility("default")))

#define NOTE_MS 600000 /* Not due before the test says so. */

static struct acta_memory *memory;
static struct acta_sync *sync_;   /* The test's own. */
static struct acta_sync *runs_on; /* The projector's. */
static struct acta_projection *projection;
static struct acta_projector *projector;
static struct acta_err err;
static unsigned handled;

static bool is_staged; /* What follows is played: the first event is handled. */
static unsigned waits; /* So often the projector waited for more since then. */
static bool has_come;  /* The second event is stored. */
static bool was_asleep; /* While the second event was there. */
static uint64_t passed_ms;

static void
store_one(void)
{
    struct acta_append *append = acta_append_new();
    struct acta_draft draft = acta_draft_of("Placed", NULL, 0);

    acta_append_stream(append, "order-1", ACTA_EXPECT_ANY);
    acta_append_event(append, &draft);
    ck_assert_int_eq(acta_sync_append(sync_, append, NULL, &err), ACTA_OK);
    acta_append_free(append);
}

SHOWN int
clock_gettime(clockid_t clock, struct timespec *now)
{
    __typeof__(&clock_gettime) next =
        (__typeof__(&clock_gettime))(uintptr_t)dlsym(RTLD_NEXT,
                                                     "clock_gettime");
    int rc = next(clock, now);

    now->tv_sec += (time_t)(passed_ms / 1000);
    return rc;
}

/* The projector waits with two descriptors, and calls with one: so it is when
 * it waits first that the note becomes due, and while it makes the note that
 * the second event comes.
 */
static bool
play(nfds_t count, int timeout_ms)
{
    if (count == 2 && timeout_ms != 0 && ++waits == 1) {
        passed_ms = NOTE_MS;
        return true;
    }
    if (count == 2 && timeout_ms != 0) {
        was_asleep = has_come;
        acta_projector_interrupt(projector);
    }
    if (count == 1 && waits == 1 && !has_come) {
        has_come = true;
        is_staged = false;
        store_one();
        is_staged = true;
    }
    return false;
}

SHOWN int
poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    __typeof__(&poll) next =
        (__typeof__(&poll))(uintptr_t)dlsym(RTLD_NEXT, "poll");

    if (is_staged && play(count, timeout_ms)) {
        return 0;
    }
    return next(fds, count, timeout_ms);
}

static enum acta_verdict
count(void *user, struct acta_context *context, const struct acta_event *event)
{
    (void)user;
    (void)context;
    (void)event;
    handled++;
    is_staged = handled == 1;
    if (handled == 2) {
        acta_projector_interrupt(projector);
    }
    return ACTA_VERDICT_OK;
}

static void
setup(void)
{
    memory = acta_memory_new();
    ck_assert_int_eq(acta_sync_open_memory(&sync_, memory, NULL, &err),
                     ACTA_OK);
    ck_assert_int_eq(acta_sync_open_memory(&runs_on, memory, NULL, &err),
                     ACTA_OK);
    projection = acta_projection_new("orders");
    acta_projection_on(projection, "Placed", count, NULL);
    projector = NULL;
}

static void
teardown(void)
{
    acta_projector_free(projector);
    acta_projection_free(projection);
    acta_sync_close(runs_on);
    acta_sync_close(sync_);
    acta_memory_free(memory);
}

START_TEST(an_event_that_comes_while_a_note_is_made_is_not_slept_over)
{
    struct acta_projector_options options = acta_projector_options_of();

    options.note_ms = NOTE_MS;
    ck_assert_int_eq(
        acta_projector_new(&projector, projection, runs_on, &options, &err),
        ACTA_OK);
    store_one();
    ck_assert_msg(acta_projector_run(projector, &err) == ACTA_OK, "%s",
                  err.text);
    ck_assert(has_come);
    ck_assert(!was_asleep);
    ck_assert_uint_eq(handled, 2);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("projector wait");
    TCase *tcase = tcase_create("projector wait");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase,
                   an_event_that_comes_while_a_note_is_made_is_not_slept_over);
    return run_suite(suite);
}

/* What the checkpoint thread does when nothing comes. The monotonic clock is
 * the test's: it stands still but when a test moves it on. The thread looks at
 * the disk before all else, and so each look is a round that has begun.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "base.h"
#include "clock.h"
#include "file.h"
#include "run.h"
#include "store.h"

#define SECOND UINT64_C(1000000)

/* Of a round: the look at the disk, and that of the sweeper. */
#define LOOKS_MAX 2

static _Atomic uint64_t now_us;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t looks;
    size_t slims;
} seen = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};

static struct base base;

/* ---- in place of clock.c ---- */

struct mono_time
clock_mono(void)
{
    return (struct mono_time){atomic_load(&now_us)};
}

struct wall_time
clock_wall(void)
{
    return (struct wall_time){CORE_TIME_US};
}

uint64_t
clock_us_since(struct mono_time from)
{
    return clock_mono().us - from.us;
}

/* ---- what the thread calls ---- */

uint64_t __real_file_space(const char *path);
uint64_t __wrap_file_space(const char *path);
enum acta_code __real_store_slim(struct store *store, struct acta_err *err);
enum acta_code __wrap_store_slim(struct store *store, struct acta_err *err);

static void
count(size_t *what)
{
    pthread_mutex_lock(&seen.lock);
    ++*what;
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.lock);
}

uint64_t
__wrap_file_space(const char *path)
{
    count(&seen.looks);
    return __real_file_space(path);
}

enum acta_code
__wrap_store_slim(struct store *store, struct acta_err *err)
{
    count(&seen.slims);
    return __real_store_slim(store, err);
}

/* How often the store was made slim once a round has begun and ended. */
static size_t
slims_after_a_round(void)
{
    size_t slims, enough;

    pthread_mutex_lock(&seen.lock);
    /* The rest of one, a whole one, and that the next has begun. */
    enough = seen.looks + 2 * LOOKS_MAX + 1;
    while (seen.looks < enough) {
        pthread_cond_wait(&seen.changed, &seen.lock);
    }
    slims = seen.slims;
    pthread_mutex_unlock(&seen.lock);
    return slims;
}

/* ---- tests ---- */

static void
setup(void)
{
    atomic_store(&now_us, 1000 * SECOND);
    base_init(&base);
}

static void
teardown(void)
{
    base_fini(&base);
}

static void
await_checkpoint(void)
{
    struct database_stats stats;

    do {
        (void)slims_after_a_round();
        database_stats(base.database, &stats);
    } while (stats.checkpoints == 0);
}

START_TEST(the_store_is_made_slim_when_nothing_has_come_for_a_second)
{
    struct draft draft = {.id = 1};
    size_t slims;

    base.options.checkpoint_events = 1;
    base_open(&base);
    ck_assert_int_eq(base_append(&base, "a-1", 0, &draft, 1), ACTA_OK);
    await_checkpoint();
    slims = slims_after_a_round();
    atomic_fetch_add(&now_us, SECOND - 1);
    ck_assert_uint_eq(slims_after_a_round(), slims);
    atomic_fetch_add(&now_us, 1);
    ck_assert_msg(slims_after_a_round() > slims, "it has kept its memory");
}
END_TEST

START_TEST(a_store_that_lacks_events_is_left_alone)
{
    struct draft draft = {.id = 1};
    size_t slims;

    base_open(&base);
    ck_assert_int_eq(base_append(&base, "a-1", 0, &draft, 1), ACTA_OK);
    slims = slims_after_a_round();
    atomic_fetch_add(&now_us, SECOND);
    ck_assert_uint_eq(slims_after_a_round(), slims);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("idle");
    TCase *tcase = tcase_create("idle");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase,
                   the_store_is_made_slim_when_nothing_has_come_for_a_second);
    tcase_add_test(tcase, a_store_that_lacks_events_is_left_alone);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

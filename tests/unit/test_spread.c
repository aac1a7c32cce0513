/* Spread work and the writing out of files, with a clock that only pauses move
 * on, and a kernel that only counts.
 */

#include "spread.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "run.h"
#include "writeback.h"

#define SECOND 1000000ull
#define MIB    ((off_t)1 << 20)

static uint64_t now_us;
static uint64_t urgent_at_us; /* Then it becomes urgent. */
static _Atomic bool is_urgent;
static struct spread spread;

static struct {
    size_t calls;
    size_t fails; /* The call of this number; 0: none. */
    int error;
    off_t rest;       /* What is behind it was written out, without gaps. */
    uint64_t took_us; /* Each one. */
} disk;

/* These come before the C library's. */

int
clock_gettime(clockid_t clock, struct timespec *now)
{
    (void)clock;
    now->tv_sec = (time_t)(now_us / SECOND);
    now->tv_nsec = (long)(now_us % SECOND) * 1000;
    return 0;
}

int
nanosleep(const struct timespec *time, struct timespec *left)
{
    (void)left;
    ck_assert_int_eq(time->tv_sec, 0);
    now_us += (uint64_t)time->tv_nsec / 1000;
    atomic_store(&is_urgent, now_us >= urgent_at_us);
    return 0;
}

int
sync_file_range(int fd, off_t offset, off_t size, unsigned flags)
{
    (void)fd;
    (void)flags;
    disk.calls++;
    if (disk.calls == disk.fails) {
        errno = disk.error;
        return -1;
    }
    ck_assert_int_eq(offset + size, disk.rest);
    disk.rest = offset;
    now_us += disk.took_us;
    return 0;
}

static void
setup(void)
{
    now_us = 1000 * SECOND;
    urgent_at_us = UINT64_MAX;
    atomic_store(&is_urgent, false);
    memset(&disk, 0, sizeof(disk));
    disk.took_us = 1000;
    spread = (struct spread){
        .begun = {now_us}, .time_us = 8 * SECOND, .is_urgent = &is_urgent};
    ck_assert_ptr_null(spread_begin(&spread));
}

static void
teardown(void)
{
    (void)spread_begin(NULL);
}

static uint64_t
since_us(void)
{
    return now_us - spread.begun.us;
}

static int
open_file(off_t size)
{
    int fd = memfd_create("file", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, size), 0);
    disk.rest = (size + MIB - 1) / MIB * MIB;
    return fd;
}

/* ---- steps ---- */

START_TEST(all_steps_take_half_of_the_time)
{
    for (size_t i = 1; i <= 100; i++) {
        spread_step(i, 100);
        ck_assert_uint_eq(since_us(), 4 * SECOND * i / 100);
    }
}
END_TEST

START_TEST(who_is_late_does_not_pause)
{
    now_us += 3 * SECOND;
    spread_step(1, 2);
    ck_assert_uint_eq(since_us(), 3 * SECOND);
}
END_TEST

START_TEST(what_becomes_urgent_pauses_no_longer)
{
    urgent_at_us = now_us + SECOND;
    spread_step(1, 1);
    ck_assert_uint_ge(since_us(), SECOND);
    ck_assert_uint_lt(since_us(), SECOND + SECOND / 100);
    ck_assert(!spread_has_time());
}
END_TEST

START_TEST(a_thread_that_spreads_nothing_does_not_pause)
{
    ck_assert_ptr_eq(spread_begin(NULL), &spread);
    spread_step(1, 1);
    spread_pause(SECOND);
    ck_assert(!spread_has_time());
    ck_assert_uint_eq(since_us(), 0);
}
END_TEST

static void
look_around(void *user)
{
    ++*(size_t *)user;
}

START_TEST(who_pauses_looks_around_every_few_milliseconds)
{
    size_t looks = 0;

    spread.on_pause = look_around;
    spread.user = &looks;
    spread_pause(SECOND);
    ck_assert_uint_eq(looks, 200);
}
END_TEST

START_TEST(no_pause_lasts_beyond_the_time_there_is)
{
    now_us += 7 * SECOND;
    ck_assert(spread_has_time());
    spread_pause(5 * SECOND);
    ck_assert_uint_eq(since_us(), 8 * SECOND);
    ck_assert(!spread_has_time());
}
END_TEST

/* ---- writing out ---- */

START_TEST(a_file_is_written_out_to_its_end_with_pauses_as_long_as_that_takes)
{
    int fd = open_file(10 * MIB + 1);

    ck_assert_int_eq(writeback(fd), 0);
    ck_assert_int_eq(disk.rest, 0);
    ck_assert_uint_eq(disk.calls, 11);
    ck_assert_uint_eq(since_us(), 2 * 11 * disk.took_us);
    close(fd);
}
END_TEST

START_TEST(what_is_on_disk_already_is_passed_over_without_pauses)
{
    int fd = open_file(10 * MIB);

    disk.took_us = 1;
    ck_assert_int_eq(writeback(fd), 0);
    ck_assert_int_eq(disk.rest, 0);
    ck_assert_uint_eq(since_us(), 10);
    close(fd);
}
END_TEST

/* The kernel tells it once: the sync behind it would say that all is well. */
START_TEST(what_could_not_be_written_out_is_told)
{
    int fd = open_file(10 * MIB);

    disk.fails = 3;
    disk.error = EIO;
    ck_assert_int_eq(writeback(fd), -1);
    ck_assert_int_eq(errno, EIO);
    disk.fails = 6;
    disk.error = ENOSPC;
    disk.rest = 10 * MIB;
    ck_assert_int_eq(writeback(fd), -1);
    ck_assert_int_eq(errno, ENOSPC);
    close(fd);
}
END_TEST

START_TEST(where_it_cannot_be_done_it_is_left_to_the_sync)
{
    static const int errors[] = {EINVAL, ENOSYS, EOPNOTSUPP, EPERM, ESPIPE};
    int fd = open_file(10 * MIB);

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        disk.calls = 0;
        disk.fails = 1;
        disk.error = errors[i];
        ck_assert_int_eq(writeback(fd), 0);
        ck_assert_uint_eq(disk.calls, 1);
    }
    close(fd);
}
END_TEST

START_TEST(when_it_becomes_urgent_the_rest_is_left_to_the_sync)
{
    int fd = open_file(100 * MIB);

    urgent_at_us = now_us + 20 * disk.took_us;
    ck_assert_int_eq(writeback(fd), 0);
    ck_assert_uint_eq(disk.calls, 10);
    disk.calls = 0;
    ck_assert_int_eq(writeback(fd), 0);
    ck_assert_uint_eq(disk.calls, 0);
    close(fd);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("spread");
    TCase *tcase = tcase_create("spread");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, all_steps_take_half_of_the_time);
    tcase_add_test(tcase, who_is_late_does_not_pause);
    tcase_add_test(tcase, what_becomes_urgent_pauses_no_longer);
    tcase_add_test(tcase, a_thread_that_spreads_nothing_does_not_pause);
    tcase_add_test(tcase, who_pauses_looks_around_every_few_milliseconds);
    tcase_add_test(tcase, no_pause_lasts_beyond_the_time_there_is);
    tcase_add_test(
        tcase,
        a_file_is_written_out_to_its_end_with_pauses_as_long_as_that_takes);
    tcase_add_test(tcase,
                   what_is_on_disk_already_is_passed_over_without_pauses);
    tcase_add_test(tcase, what_could_not_be_written_out_is_told);
    tcase_add_test(tcase, where_it_cannot_be_done_it_is_left_to_the_sync);
    tcase_add_test(tcase, when_it_becomes_urgent_the_rest_is_left_to_the_sync);
    return run_suite(suite);
}

/* A disk that is full: a small file system of the test's own, in memory or, if
 * this may be had, ext4 in a file. Appends are refused before anything is
 * written, all else goes on, and appends work again when there is room.
 */

#include <acta/acta_sync.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "dump.h"
#include "history.h"
#include "patient.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "watcher.h"

/* The reserve has room for a few checkpoints of this many events: that is what
 * it is for.
 */
#define TMPFS        "size=40m"
#define EXT4_SIZE    ((off_t)48 << 20) /* A part of it is the journal's. */
#define BALLAST_SIZE ((size_t)10 << 20)
#define RESERVE      "--disk-reserve=8MiB"
#define CHECKPOINT   "--checkpoint-events=40"
#define DATA_SIZE    20000
#define TRIES_MAX    100000
#define TIMEOUT_S    300
#define TEMPORARY    75 /* What actad ends with where trying again may help. */
#define BLOCK        4096

static const enum disk { IN_MEMORY, EXT4, DISKS } disks[] = {IN_MEMORY, EXT4};

static struct rnd rnd;
static struct tempdir dir;
static struct daemon daemon_;
static struct history *history;
static struct acta_append *append;
static uint64_t appends_count;
static uint64_t acknowledged;

/* A view of the file systems that ends with this process. */
static bool
enter_namespace(void)
{
    return unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* May this process do what the test needs? */
static bool
is_permitted(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        _exit(enter_namespace() ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* Mounts need a device, and the tools for it: a shell finds them. False if it
 * has none.
 */
static bool
mount_ext4(const char *image, const char *at)
{
    char command[1200];
    int fd = open(image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || ftruncate(fd, EXT4_SIZE) != 0 || close(fd) != 0) {
        return false;
    }
    snprintf(command, sizeof(command),
             "PATH=$PATH:/usr/sbin:/sbin; "
             "mkfs.ext4 -q -F -m 0 %s && mount -t ext4 -o loop %s %s",
             image, image, at);
    return system(command) == 0;
}

/* False if this kind of disk cannot be had. */
static bool
make_disk(enum disk disk)
{
    char image[300];
    const char *data;

    snprintf(image, sizeof(image), "%s/image", dir.path);
    data = tempdir_file(&dir, "data");
    ck_assert(enter_namespace());
    ck_assert_int_eq(mkdir(data, 0700), 0);
    if (disk == EXT4) {
        return mount_ext4(image, data);
    }
    ck_assert_msg(mount("tmpfs", data, "tmpfs", 0, TMPFS) == 0, "mount: %s",
                  strerror(errno));
    return true;
}

/* What cannot be done says why. No test runs yet: there are no assertions. */
static bool
can_have_ext4(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        char path[] = "/tmp/acta-test-XXXXXX", image[100], data[100];
        bool is_there;

        if (!enter_namespace() || mkdtemp(path) == NULL) {
            _exit(EXIT_FAILURE);
        }
        snprintf(image, sizeof(image), "%s/image", path);
        snprintf(data, sizeof(data), "%s/data", path);
        is_there = mkdir(data, 0700) == 0 && mount_ext4(image, data) &&
                   umount(data) == 0;
        (void)rmdir(data);
        (void)unlink(image);
        (void)rmdir(path);
        _exit(is_there ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* Something else that takes room. */
static void
make_ballast(void)
{
    int fd = open(tempdir_file(&dir, "data/ballast"),
                  O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(posix_fallocate(fd, 0, (off_t)BALLAST_SIZE), 0);
    close(fd);
}

/* Take all the room that is left, to the last byte; then let go of @blocks. */
static void
fill_but_for(unsigned blocks)
{
    static const uint8_t zeros[BLOCK];
    int fd = open(tempdir_file(&dir, "data/brim"),
                  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct stat status;

    ck_assert_int_ge(fd, 0);
    do {
        while (write(fd, zeros, sizeof(zeros)) > 0) {
            continue;
        }
        ck_assert_int_eq(errno, ENOSPC);
        /* A file system that puts off to give out blocks may now have some. */
        ck_assert_int_eq(fsync(fd), 0);
    } while (write(fd, zeros, sizeof(zeros)) > 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_int_eq(ftruncate(fd, status.st_size - (off_t)blocks * BLOCK), 0);
    ck_assert_int_eq(fsync(fd), 0);
    close(fd);
}

/* What `acta status` says of it. */
static bool
is_said_to_be_full(void)
{
    static char line[16384]; /* All of the status is one. */
    char command[700];
    bool is_full = false;
    FILE *status;

    snprintf(command, sizeof(command), "%s --server %s --json status",
             run_build("tools/acta"), daemon_.url);
    status = popen(command, "re");
    ck_assert_ptr_nonnull(status);
    while (fgets(line, sizeof(line), status) != NULL) {
        is_full |= strstr(line, "\"database.full\":1") != NULL;
    }
    ck_assert_int_eq(pclose(status), 0);
    return is_full;
}

static struct acta_sync *
open_sync(void)
{
    struct acta_options options = patient_options(daemon_.url);
    struct acta_sync *sync;
    struct acta_err err;

    ck_assert_msg(acta_sync_open(&sync, &options, &err) == ACTA_OK, "%s",
                  err.text);
    return sync;
}

/* Make an append of one large event, and write it down. */
static void
make_append(void)
{
    static uint8_t data[DATA_SIZE];
    struct acta_draft draft = acta_draft_of("Stored", data, sizeof(data));
    struct acta_id id;

    require(acta_id_new(&id, NULL) == ACTA_OK);
    draft.id = &id;
    memcpy(data, id.bytes, sizeof(id.bytes));
    acta_append_clear(append);
    acta_append_stream(append, "disk-1", ACTA_EXPECT_ANY);
    acta_append_event(append, &draft);
    history_append_begin(history, ++appends_count);
    history_append_write(history, "disk-1", ACTA_EXPECT_ANY);
    history_append_event(history, &draft);
    history_append_end(history);
}

static enum acta_code
send_append(struct acta_sync *sync, struct acta_err *err)
{
    const struct acta_appended *appended;
    enum acta_code code;

    code = acta_sync_append(sync, append, &appended, err);
    history_answer(history, appends_count, code, appended);
    acknowledged += code == ACTA_OK ? 1 : 0;
    return code;
}

/* Append events until one is refused. */
static void
fill_disk(struct acta_sync *sync)
{
    struct acta_err err;

    for (unsigned i = 0; i < TRIES_MAX; i++) {
        enum acta_code code;

        make_append();
        code = send_append(sync, &err);
        if (code == ACTA_FULL) {
            ck_assert_msg(strstr(err.text, "disk") != NULL,
                          "the error says nothing of the disk: %s", err.text);
            return;
        }
        ck_assert_msg(code == ACTA_OK, "%s", err.text);
    }
    ck_abort_msg("the disk was never full");
}

/* Send one append until it is done. */
static void
append_at_last(struct acta_sync *sync)
{
    enum acta_code code = ACTA_FULL;
    struct acta_err err;

    make_append();
    for (unsigned i = 0; i < TRIES_MAX && code == ACTA_FULL; i++) {
        code = send_append(sync, &err);
    }
    ck_assert_msg(code == ACTA_OK, "%s", err.text);
}

/* Everything that was acknowledged can be read, and no more. */
static void
read_all(struct acta_sync *sync)
{
    struct acta_read read = acta_read_of_stream("disk-1");
    const struct acta_event *event;
    struct acta_cursor *cursor;
    uint64_t count = 0;

    ck_assert_int_eq(acta_cursor_open(&cursor, sync, &read, NULL), ACTA_OK);
    for (;;) {
        require(acta_cursor_next(cursor, &event, NULL) == ACTA_OK);
        if (event == NULL) {
            break;
        }
        count++;
    }
    acta_cursor_close(cursor);
    ck_assert_uint_eq(count, acknowledged);
}

/* What goes on while the disk is full: reads, subscriptions, and refusing. (A
 * checkpoint that was on its way may have made a little room.)
 */
static void
check_full(unsigned number)
{
    struct watcher_options options = {
        .url = daemon_.url, .dir = dir.path, .number = number};
    struct acta_sync *sync = open_sync();

    fill_disk(sync);
    read_all(sync);
    watcher_finish(watcher_start(&options), acknowledged);
    fill_disk(sync);
    acta_sync_close(sync);
    ck_assert(is_said_to_be_full());
}

static void
begin(enum disk disk, const char *checkpoint)
{
    rnd_init(&rnd);
    tempdir_make(&dir);
    ck_assert(make_disk(disk));
    daemon_init(&daemon_, dir.path, &rnd);
    daemon_option(&daemon_, RESERVE);
    daemon_option(&daemon_, checkpoint);
    history = history_open(dir.path, "append-1.log");
    append = acta_append_new();
}

/* Start once more, and let the checker judge. */
static void
end(void)
{
    history_close(history);
    acta_append_free(append);
    daemon_kill(&daemon_);
    daemon_start(&daemon_);
    (void)dump(daemon_.url, dir.path, 2, true);
    daemon_stop(&daemon_);
    ck_assert_int_eq(check_history(dir.path), 0);
    ck_assert_int_eq(umount(tempdir_file(&dir, "data")), 0);
    tempdir_remove(&dir);
}

static void
remove_file(const char *name)
{
    ck_assert_int_eq(unlink(tempdir_file(&dir, name)), 0);
}

START_TEST(full_disk_refuses_appends_and_nothing_else_until_there_is_room)
{
    struct watcher_options options = {.url = daemon_.url, .dir = dir.path};
    struct acta_sync *sync;
    struct watcher *watcher;

    begin(disks[_i], CHECKPOINT);
    make_ballast();
    daemon_start(&daemon_);
    options.number = 1;
    watcher = watcher_start(&options);
    check_full(2);
    daemon_kill(&daemon_);
    daemon_start(&daemon_);
    check_full(3);
    daemon_stop(&daemon_);
    daemon_start(&daemon_);
    check_full(4);

    remove_file("data/ballast");
    sync = open_sync();
    append_at_last(sync);
    fill_disk(sync);
    read_all(sync);
    acta_sync_close(sync);
    watcher_finish(watcher, dump(daemon_.url, dir.path, 1, false));
    end();
}
END_TEST

/* Checkpoints are due at the start, and there is not a byte for them. */
START_TEST(start_on_a_full_disk_serves_what_waits_in_the_journal)
{
    struct acta_sync *sync;

    begin(disks[_i], "--checkpoint-events=1000000");
    make_ballast();
    daemon_start(&daemon_);
    check_full(1);
    fill_but_for(0);
    daemon_kill(&daemon_);
    daemon_option(&daemon_, CHECKPOINT);
    daemon_option(&daemon_, "--checkpoint-journal=2MiB"); /* Few spares. */
    daemon_start(&daemon_);
    check_full(2);
    daemon_stop(&daemon_);
    daemon_start(&daemon_);
    check_full(3);
    (void)dump(daemon_.url, dir.path, 1, false);

    daemon_kill(&daemon_);
    remove_file("data/brim");
    remove_file("data/ballast");
    daemon_start(&daemon_);
    sync = open_sync();
    append_at_last(sync);
    acta_sync_close(sync);
    end();
}
END_TEST

/* No room at all, and then a block more and more, until there is enough: each
 * write of those that make it is cut short once.
 */
START_TEST(database_is_made_when_there_is_room_and_else_nothing_is_left_of_it)
{
    unsigned failures = 0;
    struct acta_sync *sync;
    int code = TEMPORARY;

    begin(disks[_i], CHECKPOINT);
    for (unsigned blocks = 0; code == TEMPORARY; blocks++) {
        fill_but_for(blocks);
        code = daemon_try(&daemon_);
        failures += code == TEMPORARY;
    }
    ck_assert_int_eq(code, 0);
    ck_assert_uint_gt(failures, 0);
    ck_assert(daemon_has_said(&daemon_, "space"));
    daemon_stop(&daemon_);

    remove_file("data/brim");
    daemon_start(&daemon_);
    sync = open_sync();
    append_at_last(sync);
    acta_sync_close(sync);
    end();
}
END_TEST

int
main(void)
{
    /* ext4 in a file comes last, and takes longest. */
    int kinds = (int)rnd_effort(1, DISKS), result;
    bool lacks_ext4;
    Suite *suite;
    TCase *tcase;

    if (!is_permitted()) {
        printf("skipped: no permission to mount a file system\n");
        return RUN_SKIPPED;
    }
    lacks_ext4 = kinds == DISKS && !can_have_ext4();
    kinds -= lacks_ext4;
    suite = suite_create("full");
    tcase = tcase_create("full");
    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_loop_test(
        tcase, full_disk_refuses_appends_and_nothing_else_until_there_is_room,
        0, kinds);
    tcase_add_loop_test(
        tcase, start_on_a_full_disk_serves_what_waits_in_the_journal, 0, kinds);
    tcase_add_loop_test(
        tcase,
        database_is_made_when_there_is_room_and_else_nothing_is_left_of_it, 0,
        kinds);
    suite_add_tcase(suite, tcase);
    result = run_suite(suite);
    if (result == EXIT_SUCCESS && lacks_ext4) {
        printf("skipped: there can be no ext4 in a file; the rest passed\n");
        result = RUN_SKIPPED;
    }
    return result;
}

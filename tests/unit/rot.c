#include "rot.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "limit.h"
#include "msg_consumer.h"
#include "msg_lease.h"
#include "rnd.h"

#define ANY  MSG_EXPECT_ANY
#define HOUR UINT64_C(3600000000)

struct base rot_base;
struct base rot_copy;
struct rot_file rot_files[ROT_FILES_MAX];
size_t rot_files_count;

/* ---- a database with something of everything ---- */

static struct draft
draft_of(uint64_t id)
{
    static const char *const tags[] = {"colour:red", "colour:blue", "big"};
    static const uint8_t data[300] = {'d'};

    return (struct draft){
        .id = id,
        .type = id % 2 == 0 ? "Made" : "Sold",
        .correlation = id % 7,
        .tags = {tags[id % 3], id % 5 == 0 ? "rare" : NULL},
        .data = slice_make(data, id % sizeof(data)),
    };
}

void
rot_append_some(struct base *of)
{
    struct draft drafts[10];
    uint64_t id = 0;

    for (unsigned a = 0; a < 40; a++) {
        char stream[32];

        for (size_t i = 0; i < 10; i++) {
            drafts[i] = draft_of(++id);
        }
        snprintf(stream, sizeof(stream), "%c-%u", a % 4 == 0 ? 's' : 't',
                 a % 4 == 0 ? 1 : a);
        ck_assert_int_eq(base_append(of, stream, ANY, drafts, 10), ACTA_OK);
    }
}

/* One that takes pages of its own. */
static void
append_large(struct base *of, uint64_t id)
{
    uint8_t *data = malloc(100000);
    struct draft draft = {.id = id, .data = slice_make(data, 100000)};

    memset(data, 'x', 100000);
    ck_assert_int_eq(base_append(of, "large-1", ANY, &draft, 1), ACTA_OK);
    free(data);
}

void
rot_decide_and_free(struct base *of, struct job *job)
{
    ck_assert_int_eq(base_decide(of, job), ACTA_OK);
    job_free(job);
}

static void
add_rows(struct base *of)
{
    static const uint8_t claim[UUID_SIZE] = {1}, command[UUID_SIZE] = {2};
    struct draft draft = {.id = 5000};
    struct draft_write write = {"later-1", ANY, &draft, 1};
    struct msg_schedule schedule = {
        .name = slice_of("later"), .due_us = HOUR, .is_delay = true};
    struct msg_snapshot snapshot = {
        .stream = slice_of("s-1"), .version = 3, .data = slice_of("state")};
    struct msg_append_more more = {.command_id = command,
                                   .schedules = &schedule,
                                   .schedules_count = 1,
                                   .snapshots = &snapshot,
                                   .snapshots_count = 1};
    struct buf buf;

    rot_decide_and_free(of, draft_consumer(&(struct msg_change_consumer){
                                .name = slice_of("plain"),
                                .kind = MSG_CONSUMER_CLAIM,
                                .query = QUERY_ALL}));
    rot_decide_and_free(of, draft_consumer(&(struct msg_change_consumer){
                                .name = slice_of("group"),
                                .kind = MSG_CONSUMER_CREATE,
                                .query = QUERY_ALL}));
    rot_decide_and_free(
        of, draft_lease(&(struct msg_change_lease){.name = slice_of("lease"),
                                                   .kind = MSG_LEASE_ACQUIRE,
                                                   .holder = slice_of("me"),
                                                   .claim = claim,
                                                   .duration_us = HOUR}));
    rot_decide_and_free(
        of, draft_change(&(struct msg_change){.stream = slice_of("t-1"),
                                              .kind = MSG_SET,
                                              .settings = {.max_count = 1000},
                                              .given = MSG_HAS_MAX_COUNT,
                                              .expected = ANY}));
    buf_init(&buf, SIZE_MAX);
    schedule.writes = draft_writes(&buf, &write, 1);
    rot_decide_and_free(of, draft_append_with(NULL, 0, &more));
    buf_fini(&buf);
}

static void
fill(struct base *of)
{
    rot_append_some(of);
    append_large(of, 1000);
    add_rows(of);
}

static void
fill_a_little(struct base *of)
{
    append_large(of, 2000);
    base_append_many(of, "s-1", 3000, 20, 100);
}

/* With one part in the store, and @killed or not with another in the journal.
 */
void
rot_make(bool killed)
{
    rot_base.options.checkpoint_events = 150;
    base_open(&rot_base);
    fill(&rot_base);
    base_close(&rot_base);
    rot_base.options.checkpoint_events = 100000;
    if (killed) {
        ck_assert_int_eq(base_killed(&rot_base, fill_a_little), 0);
    } else {
        base_open(&rot_base);
        fill_a_little(&rot_base);
        base_close(&rot_base);
    }
}

/* ---- files ---- */

void
rot_read_file(struct rot_file *file, const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    snprintf(file->path, sizeof(file->path), "%s", path);
    file->size = (size_t)status.st_size;
    file->bytes = malloc(file->size + 1);
    ck_assert_int_eq(read(fd, file->bytes, file->size), (ssize_t)file->size);
    close(fd);
    file->used = file->size;
    while (file->used > 0 && file->bytes[file->used - 1] == 0) {
        file->used--;
    }
}

static void
load_file(const char *path)
{
    ck_assert_uint_lt(rot_files_count, ROT_FILES_MAX);
    rot_read_file(&rot_files[rot_files_count++], path);
}

/* The last entry of the journal is not used for tests: damage to it looks as if
 * it had been torn, and nobody been told of it (J1 in journal.h).
 */
static void
leave_out_last_entry(struct rot_file *newest)
{
    static const uint8_t magic[] = {'A', 'C', 'T', 'J'};
    size_t at = newest->used / ROT_PAGE * ROT_PAGE;

    while (memcmp(newest->bytes + at, magic, sizeof(magic)) != 0) {
        ck_assert_uint_gt(at, 0);
        at -= ROT_PAGE;
    }
    newest->used = at;
}

/* The store's file and all segments. */
void
rot_load_files(void)
{
    char path[400];

    rot_files_count = 0;
    snprintf(path, sizeof(path), "%s/store/data.mdb", rot_base.path);
    load_file(path);
    for (unsigned number = 1; number < 100; number++) {
        snprintf(path, sizeof(path), "%s/journal/segment-%016x", rot_base.path,
                 number);
        if (access(path, F_OK) == 0) {
            load_file(path);
        }
    }
    ck_assert_uint_gt(rot_files_count, 1);
    leave_out_last_entry(&rot_files[rot_files_count - 1]);
}

void
rot_free_files(void)
{
    while (rot_files_count > 0) {
        free(rot_files[--rot_files_count].bytes);
    }
}

void
rot_write_file(const struct rot_file *file, size_t at, const uint8_t *bytes,
               size_t size)
{
    int fd = open(file->path, O_RDWR);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, bytes, size, (off_t)at), (ssize_t)size);
    close(fd);
}

/* The file as it was. */
void
rot_restore(const struct rot_file *file)
{
    ck_assert_int_eq(truncate(file->path, (off_t)file->size), 0);
    rot_write_file(file, 0, file->bytes, file->size);
}

static void
make_dir(const char *name)
{
    char path[400];

    snprintf(path, sizeof(path), "%s%s", rot_copy.path, name);
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

/* The files as they are now. */
void
rot_copy_files(void)
{
    struct acta_err err;

    ck_assert_int_eq(file_remove_tree(rot_copy.path, &err), ACTA_OK);
    make_dir("");
    make_dir("/store");
    make_dir("/journal");
    for (size_t i = 0; i < rot_files_count; i++) {
        struct rot_file now, to;

        snprintf(to.path, sizeof(to.path), "%s%s", rot_copy.path,
                 rot_files[i].path + strlen(rot_base.path));
        rot_read_file(&now, rot_files[i].path);
        close(open(to.path, O_CREAT | O_EXCL | O_WRONLY, 0600));
        rot_write_file(&to, 0, now.bytes, now.size);
        free(now.bytes);
    }
}

/* ---- damage ---- */

/* Each how many-th page is tried, so that they are about @usual; in a long run
 * it is every one.
 */
size_t
rot_stride_for(unsigned usual)
{
    size_t pages = 0;

    for (size_t i = 0; i < rot_files_count; i++) {
        pages += rot_files[i].used / ROT_PAGE + 1;
    }
    return 1 + pages / rnd_effort(usual, UINT32_MAX);
}

/* What becomes of a page: zeros, the page behind it, or nothing at all. */
void
rot_spoil(struct rot_file *file, size_t page, int how)
{
    static const uint8_t zeros[ROT_PAGE];
    size_t at = page * ROT_PAGE;

    if (how == 0) {
        rot_write_file(file, at, zeros, ROT_PAGE);
    } else if (how == 1 && at + 2 * ROT_PAGE <= file->size) {
        rot_write_file(file, at, file->bytes + at + ROT_PAGE, ROT_PAGE);
    } else if (how == 2 && at + 2 * ROT_PAGE <= file->size) {
        rot_write_file(file, at, file->bytes + at + ROT_PAGE, ROT_PAGE);
        rot_write_file(file, at + ROT_PAGE, file->bytes + at, ROT_PAGE);
    } else {
        ck_assert_int_eq(truncate(file->path, (off_t)at), 0);
    }
}

void
rot_init(void)
{
    base_init(&rot_base);
    base_init(&rot_copy);
}

void
rot_fini(void)
{
    base_fini(&rot_copy);
    base_fini(&rot_base);
}

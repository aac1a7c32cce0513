/* The files of a database that were changed on the disk, looked at by what
 * actad verify does. The input says which bytes, or pages, of which file are
 * changed, and how.
 *
 * Whatever that is: it comes to an end, changes nothing, and tells of each
 * problem that it counts. Of what it finds whole the store can be opened and
 * the journal replayed.
 */

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "fuzz.h"
#include "fuzz_input.h"
#include "journal.h"
#include "scratch.h"
#include "store.h"
#include "verify.h"

#define PAGE         ((size_t)4096)
#define MAP_SIZE     ((size_t)1 << 26)
#define FILES_MAX    8
#define CHANGES_MAX  16
#define STREAMS      5
#define EVENTS       150
#define LARGE        ((size_t)20000)
#define ENTRIES_LEFT 5 /* In the journal, that the store does not have. */

struct file {
    char path[SCRATCH_PATH_MAX];
    uint8_t *whole; /* As it was made. */
    uint8_t *bytes; /* As it is now. */
    size_t whole_size;
    size_t size;
    bool is_changed;
};

static struct base base;
static struct file files[FILES_MAX];
static size_t files_count;

/* ---- a database ---- */

static void
add_event(unsigned i)
{
    static uint8_t large[LARGE];
    char stream[8];
    struct draft draft = {.id = i + 1,
                          .type = i % 2 == 0 ? "Even" : "Odd",
                          .correlation = i % 7,
                          .tags = {"t:1", i % 3 == 0 ? "t:2" : NULL},
                          .data = slice_of("data")};

    if (i % 50 == 49) {
        draft.data = slice_make(large, sizeof(large));
    }
    snprintf(stream, sizeof(stream), "s%u-1", i % STREAMS);
    FUZZ_PROMISE(base_append(&base, stream, MSG_EXPECT_ANY, &draft, 1) ==
                 ACTA_OK);
}

static void
submit(struct job *job)
{
    FUZZ_PROMISE(base_decide(&base, job) == ACTA_OK);
    job_free(job);
}

static void
add_rows(void)
{
    struct msg_change set = {.stream = slice_of("s1-1"),
                             .kind = MSG_SET,
                             .expected = MSG_EXPECT_ANY,
                             .given = MSG_HAS_MAX_COUNT,
                             .settings.max_count = 100};
    struct msg_change_consumer claim = {.name = slice_of("c"),
                                        .kind = MSG_CONSUMER_CLAIM};

    submit(draft_change(&set));
    submit(draft_consumer(&claim));
}

static void
leave_entries(struct base *killed)
{
    (void)killed;
    for (unsigned i = 0; i < ENTRIES_LEFT; i++) {
        add_event(EVENTS + i);
    }
}

static void
keep_file(const char *path)
{
    struct file *file = &files[files_count++];
    struct stat stat_of;
    int fd;

    FUZZ_PROMISE(files_count <= FILES_MAX);
    snprintf(file->path, sizeof(file->path), "%s", path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    FUZZ_PROMISE(fd >= 0 && fstat(fd, &stat_of) == 0);
    file->whole_size = (size_t)stat_of.st_size;
    file->size = file->whole_size;
    file->whole = malloc(file->size);
    file->bytes = malloc(file->size);
    FUZZ_PROMISE(file->whole != NULL && file->bytes != NULL);
    FUZZ_PROMISE(read(fd, file->whole, file->size) == stat_of.st_size);
    memcpy(file->bytes, file->whole, file->size);
    close(fd);
}

/* The journal's, in the order of their names: spares are left out. */
static void
keep_segments(void)
{
    char path[SCRATCH_PATH_MAX * 2];
    struct dirent **names;
    int count;

    snprintf(path, sizeof(path), "%s/journal", base.path);
    count = scandir(path, &names, NULL, alphasort);
    FUZZ_PROMISE(count > 0);
    for (int i = 0; i < count; i++) {
        if (strncmp(names[i]->d_name, "segment-", strlen("segment-")) == 0) {
            snprintf(path, sizeof(path), "%s/journal/%s", base.path,
                     names[i]->d_name);
            keep_file(path);
        }
        free(names[i]);
    }
    free(names);
}

static void
remove_base(void)
{
    base_fini(&base);
}

static void
prepare(void)
{
    char path[SCRATCH_PATH_MAX];

    if (files_count > 0) {
        return;
    }
    setenv("TMPDIR", scratch_dir(), 1);
    base_init(&base);
    base.options.store_map_size = MAP_SIZE;
    atexit(remove_base);
    base_open(&base);
    for (unsigned i = 0; i < EVENTS; i++) {
        add_event(i);
    }
    add_rows();
    base_close(&base);
    FUZZ_PROMISE(base_killed(&base, leave_entries) == 0);
    snprintf(path, sizeof(path), "%s/store/data.mdb", base.path);
    keep_file(path);
    keep_segments();
}

/* ---- damage ---- */

static void
copy_bytes(struct file *file, size_t to, const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < size && to + i < file->size; i++) {
        file->bytes[to + i] = from[i];
    }
}

/* Offsets lie where the file has something: of a segment near its beginning. */
static void
change_file(struct fuzz_input *input)
{
    static const uint8_t zeros[PAGE];
    struct file *file = &files[fuzz_take_byte(input) % files_count];
    size_t pages = file->whole_size / PAGE;
    uint8_t kind = fuzz_take_byte(input) % 5;
    size_t page = fuzz_take_byte(input) % pages;
    size_t at = page * PAGE + fuzz_take_short(input) % PAGE;
    size_t other;

    file->is_changed = true;
    switch (kind) {
    case 0: {
        struct slice bytes = fuzz_take(input, fuzz_take_byte(input));

        copy_bytes(file, at, bytes.data, bytes.size);
        break;
    }
    case 1:
        other = fuzz_take_byte(input) % pages;
        copy_bytes(file, page * PAGE, file->whole + other * PAGE, PAGE);
        break;
    case 2:
        copy_bytes(file, page * PAGE, zeros, PAGE);
        break;
    case 3:
        file->size = fuzz_take_byte(input) % 2 == 0 ? page * PAGE : at;
        break;
    case 4:
        if (at < file->size) {
            file->bytes[at] ^= (uint8_t)(1u << fuzz_take_byte(input) % 8);
        }
        break;
    }
}

static void
put_back(void)
{
    for (size_t i = 0; i < files_count; i++) {
        struct file *file = &files[i];

        if (file->is_changed) {
            memcpy(file->bytes, file->whole, file->whole_size);
            file->size = file->whole_size;
            scratch_write(file->path, slice_make(file->whole, file->size));
            file->is_changed = false;
        }
    }
}

/* ---- verifying ---- */

static void
count_problem(void *user, const struct acta_err *what)
{
    uint64_t *count = user;

    FUZZ_PROMISE(what->code != ACTA_OK);
    FUZZ_PROMISE(what->text[0] != '\0');
    (*count)++;
}

static enum acta_code
pass(void *user, const struct journal_entry *entry, struct acta_err *err)
{
    (void)user;
    (void)entry;
    (void)err;
    return ACTA_OK;
}

/* What is whole is taken by those who use it. */
static void
check_usable(void)
{
    struct journal_options options = {.segment_size = JOURNAL_SEGMENT_SIZE_MIN,
                                      .spares_max = 100};
    char path[SCRATCH_PATH_MAX];
    struct journal *journal;
    struct store_meta meta;
    struct store *store;
    struct acta_err err;
    uint64_t last;

    snprintf(path, sizeof(path), "%s/store", base.path);
    FUZZ_PROMISE(store_open(&store, path, MAP_SIZE, &err) == ACTA_OK);
    FUZZ_PROMISE(store_meta(store, &meta, &err) == ACTA_OK);
    store_close(store);
    snprintf(path, sizeof(path), "%s/journal", base.path);
    options.dir = path;
    options.id = meta.id;
    FUZZ_PROMISE(journal_open(&journal, &options, &err) == ACTA_OK);
    FUZZ_PROMISE(journal_replay(journal, meta.sequence, pass, NULL, &last,
                                &err) == ACTA_OK);
    journal_close(journal);
}

static void
verify(void)
{
    struct verify_report report;
    struct acta_err err;
    uint64_t told = 0;
    struct verify_options options = {.dir = base.path,
                                     .map_size = MAP_SIZE,
                                     .problem = count_problem,
                                     .user = &told};
    enum acta_code code = verify_database(&options, &report, &err);

    FUZZ_PROMISE(code == ACTA_OK || code == ACTA_UNSUPPORTED ||
                 code == ACTA_NOT_FOUND);
    FUZZ_PROMISE(told <= report.problems);
    FUZZ_PROMISE((told > 0) == (report.problems > 0));
    for (size_t i = 0; i < files_count; i++) {
        FUZZ_PROMISE(scratch_has(files[i].path,
                                 slice_make(files[i].bytes, files[i].size)));
    }
    if (code == ACTA_OK && report.problems == 0) {
        check_usable();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {slice_make(data, size)};

    prepare();
    for (unsigned i = 0; i < CHANGES_MAX && !fuzz_input_is_over(&input); i++) {
        change_file(&input);
    }
    for (size_t i = 0; i < files_count; i++) {
        if (files[i].is_changed) {
            scratch_write(files[i].path,
                          slice_make(files[i].bytes, files[i].size));
        }
    }
    verify();
    put_back();
    return 0;
}

#include "erase_fixture.h"

#include <check.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "event.h"

#define WAIT_MS   5
#define WAITS_MAX 12000

struct base base;
static uint64_t next_id;

void
setup(void)
{
    base_init(&base);
    base.options.sweep_interval_ms = 10;
    next_id = 0;
}

void
teardown(void)
{
    base_fini(&base);
}

unsigned
make_needle(struct needle *needle, size_t size)
{
    ck_assert_uint_le(size, sizeof(needle->bytes));
    needle->number = (unsigned)++next_id;
    memset(needle->bytes, '.', size);
    snprintf((char *)needle->bytes, size, "needle-%06u.", needle->number);
    needle->data = slice_make(needle->bytes, size);
    return needle->number;
}

unsigned
append(const char *stream, size_t size)
{
    static struct needle needle;
    struct draft draft = {.id = make_needle(&needle, size), .type = "happened"};
    char text[40];

    snprintf(text, sizeof(text), "needle-%06u,", needle.number);
    draft.data = needle.data;
    draft.metadata = slice_of(text);
    ck_assert_int_eq(base_append(&base, stream, ANY, &draft, 1), ACTA_OK);
    return needle.number;
}

enum acta_code
change(const char *stream, enum msg_change_kind kind, uint64_t version)
{
    struct msg_change wanted = {.stream = slice_of(stream),
                                .expected = ANY,
                                .kind = kind,
                                .version = version};
    struct job *job = draft_change(&wanted);
    enum acta_code code = base_decide(&base, job);

    job_free(job);
    return code;
}

void
erase(const char *stream, uint64_t version)
{
    ck_assert_int_eq(change(stream, MSG_ERASE, version), ACTA_OK);
}

struct database_stats
stats(void)
{
    struct database_stats now;

    database_stats(base.database, &now);
    return now;
}

void
await(bool (*is_so)(uint64_t argument), uint64_t argument)
{
    unsigned waits = 0;

    while (!is_so(argument)) {
        ck_assert_uint_lt(waits++, WAITS_MAX);
        (void)poll(NULL, 0, WAIT_MS);
    }
}

bool
is_stored(uint64_t position)
{
    return stats().stored >= position;
}

static bool
is_erased(uint64_t ignored)
{
    (void)ignored;
    return stats().erasures_pending == 0;
}

bool
is_swept(uint64_t count)
{
    return stats().swept >= count;
}

void
await_erased(void)
{
    await(is_erased, 0);
}

/* ---- looking for needles ---- */

static unsigned
count_in_file(const char *path, unsigned number)
{
    struct stat status;
    unsigned count = 0;
    uint8_t *bytes, *at;
    char needle[20];
    size_t size;
    FILE *file;

    file = fopen(path, "rb");
    if (file == NULL || fstat(fileno(file), &status) != 0) {
        return 0; /* A spare that has just got another name. */
    }
    size = (size_t)status.st_size;
    bytes = malloc(size + 1);
    size = fread(bytes, 1, size, file);
    fclose(file);
    snprintf(needle, sizeof(needle), "needle-%06u", number);
    at = memmem(bytes, size, needle, strlen(needle));
    while (at != NULL) {
        count++;
        at = memmem(at + 1, size - (size_t)(at + 1 - bytes), needle,
                    strlen(needle));
    }
    free(bytes);
    return count;
}

unsigned
count_in_dir(const char *dir, unsigned number)
{
    struct dirent *entry;
    unsigned count = 0;
    char path[700];
    DIR *list;

    snprintf(path, sizeof(path), "%s/%s", base.path, dir);
    list = opendir(path);
    ck_assert_ptr_nonnull(list);
    while ((entry = readdir(list)) != NULL) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/%s/%s", base.path, dir,
                     entry->d_name);
            count += count_in_file(path, number);
        }
    }
    closedir(list);
    return count;
}

unsigned
count_needles(unsigned number)
{
    return count_in_dir("journal", number) + count_in_dir("store", number);
}

/* ---- what readers see ---- */

struct view {
    size_t erased;
    size_t whole;
};

static void
see(void *user, const struct event *event)
{
    struct view *view = user;

    if (event->format == EVENT_ERASED) {
        ck_assert_uint_eq(event->data.size + event->metadata.size, 0);
        view->erased++;
    } else {
        ck_assert_uint_gt(event->data.size, 0);
        view->whole++;
    }
}

void
assert_seen(size_t erased, size_t whole)
{
    struct view view = {0};

    base_check(&base, see, &view);
    ck_assert_uint_eq(view.erased, erased);
    ck_assert_uint_eq(view.whole, whole);
}

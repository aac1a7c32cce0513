#include "inspect.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "nap.h"
#include "tell.h"

#define TEXT_MAX ((size_t)16 << 20)
#define LATER_ID 99999999

#define NEEDLE_MIN           32 /* Bytes. */
#define ERASE_MS_MAX         60000
#define OPEN_DIRECTORIES_MAX 16

/* Shared with the process that looks. */
static struct verdict *shared;

static void __attribute__((noreturn))
end_badly(const char *doing, const struct acta_err *err)
{
    snprintf(shared->text, sizeof(shared->text), "%s: %s", doing, err->text);
    _exit(EXIT_FAILURE);
}

static void
fail_for_good(void *user, const struct acta_err *err)
{
    (void)user;
    end_badly("could not go on", err);
}

static void
open_and_tell(struct base *base, struct buf *text)
{
    struct acta_err err;

    if (database_open(&base->database, &base->options, &err) != ACTA_OK) {
        end_badly("not opened", &err);
    }
    buf_clear(text);
    if (!tell(base, text, &err)) {
        end_badly("not read", &err);
    }
}

/* Everything is the same after a stop in order, and the next event gets the
 * next position.
 */
static void
go_on(struct base *base, const char *before)
{
    struct draft draft = {.id = LATER_ID};
    struct acta_err err;
    struct buf text;
    char line[100];
    const char *at;

    buf_init(&text, TEXT_MAX);
    base_close(base);
    open_and_tell(base, &text);
    if (strcmp((const char *)buf_slice(&text).data, before) != 0) {
        acta_fail(&err, ACTA_CORRUPT, "another start shows something else");
        end_badly("started again", &err);
    }
    if (base_append(base, "later-1", 0, &draft, 1) != ACTA_OK) {
        acta_fail(&err, ACTA_CORRUPT, "an append was refused");
        end_badly("started again", &err);
    }
    base_close(base);
    open_and_tell(base, &text);
    at = strstr(before, "head ");
    snprintf(line, sizeof(line), "event %ju later-1 1 id %u ",
             strtoumax(at + strlen("head "), NULL, 10) + 1, LATER_ID);
    if (strstr((const char *)buf_slice(&text).data, line) == NULL) {
        acta_fail(&err, ACTA_CORRUPT, "there is no %s", line);
        end_badly("appended", &err);
    }
    buf_fini(&text);
}

/* ---- what was erased ---- */

/* What is looked for, in all files below a directory. */
static struct slice needle;
static bool is_found;

static int
look_in_file(const char *path, const struct stat *status, int type,
             struct FTW *place)
{
    void *bytes;
    int fd;

    (void)place;
    if (type != FTW_F || status->st_size == 0) {
        return 0;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    bytes = mmap(NULL, (size_t)status->st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    ck_assert(bytes != MAP_FAILED);
    is_found |= memmem(bytes, (size_t)status->st_size, needle.data,
                       needle.size) != NULL;
    munmap(bytes, (size_t)status->st_size);
    close(fd);
    return 0;
}

/* Counts those that are there, of data that cannot be there by chance. */
struct search {
    const char *path;
    unsigned erased;
    unsigned found;
};

static void
look_for(void *user, struct slice data)
{
    struct search *search = user;

    if (data.size < NEEDLE_MIN) {
        return;
    }
    needle = data;
    is_found = false;
    (void)nftw(search->path, look_in_file, OPEN_DIRECTORIES_MAX, FTW_PHYS);
    search->erased++;
    search->found += is_found;
}

static void
await_erased(struct base *base)
{
    struct database_stats stats;
    struct acta_err err;
    unsigned tries = 0;

    database_stats(base->database, &stats);
    while (stats.erasures_pending > 0) {
        if (++tries > ERASE_MS_MAX) {
            acta_fail(&err, ACTA_BUSY, "in vain, %u ms", tries);
            end_badly("waited for what is to be erased", &err);
        }
        nap_ms(1);
        database_stats(base->database, &stats);
    }
}

/* Those of the steps that are done in it as a whole. */
static void
look_for_erased(struct base *base)
{
    struct search search = {.path = base->path};
    struct acta_err err;

    await_erased(base);
    base_close(base);
    script_erased(shared->step, look_for, &search);
    if (search.found > 0) {
        acta_fail(&err, ACTA_CORRUPT, "%u of %u are still there", search.found,
                  search.erased);
        end_badly("looked for what was erased", &err);
    }
    shared->erased = search.erased;
}

/* ---- a look ---- */

static void __attribute__((noreturn))
inspect_here(const struct past *past, const struct progress *progress,
             const char *path, enum inspection inspection)
{
    struct base base;
    struct buf text;
    const char *told;

    script_init(&base, path);
    base.options.fatal = fail_for_good;
    script_set_time(progress->done);
    buf_init(&text, TEXT_MAX);
    open_and_tell(&base, &text);
    told = (const char *)buf_slice(&text).data;
    if (!past_allows(past, progress, told, &shared->step)) {
        past_compare(past, progress->done, told, shared->text,
                     sizeof(shared->text));
        _exit(EXIT_FAILURE);
    }
    if (inspection == INSPECT_GOES_ON) {
        go_on(&base, told);
    } else if (inspection == INSPECT_ERASES) {
        look_for_erased(&base);
    }
    shared->is_good = true;
    _exit(EXIT_SUCCESS);
}

void
inspect(const struct past *past, const struct progress *progress,
        const char *path, enum inspection inspection, struct verdict *verdict)
{
    struct search before = {.path = path};
    int status;
    pid_t child;

    if (shared == NULL) {
        shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ck_assert(shared != MAP_FAILED);
    }
    *shared = (struct verdict){.is_good = false};
    if (inspection == INSPECT_ERASES) {
        script_erased(progress->done, look_for, &before);
    }
    fflush(stdout);
    child = fork();
    if (child == 0) {
        inspect_here(past, progress, path, inspection);
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    *verdict = *shared;
    verdict->found = before.found;
    if (status != 0 && verdict->text[0] == '\0') {
        snprintf(verdict->text, sizeof(verdict->text),
                 "the process ended with status 0x%x", (unsigned)status);
    }
    verdict->is_good = verdict->is_good && status == 0;
}

#include "inspect.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "tell.h"

#define TEXT_MAX ((size_t)16 << 20)
#define LATER_ID 99999999

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

static void __attribute__((noreturn))
inspect_here(const struct past *past, const struct progress *progress,
             const char *path, bool goes_on)
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
    if (goes_on) {
        go_on(&base, told);
    }
    shared->is_good = true;
    _exit(EXIT_SUCCESS);
}

void
inspect(const struct past *past, const struct progress *progress,
        const char *path, bool goes_on, struct verdict *verdict)
{
    int status;
    pid_t child;

    if (shared == NULL) {
        shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ck_assert(shared != MAP_FAILED);
    }
    *shared = (struct verdict){.is_good = false};
    fflush(stdout);
    child = fork();
    if (child == 0) {
        inspect_here(past, progress, path, goes_on);
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    *verdict = *shared;
    if (status != 0 && verdict->text[0] == '\0') {
        snprintf(verdict->text, sizeof(verdict->text),
                 "the process ended with status 0x%x", (unsigned)status);
    }
    verdict->is_good = verdict->is_good && status == 0;
}

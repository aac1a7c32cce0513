#include "work.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "journal.h"
#include "nap.h"
#include "past.h"
#include "run.h"
#include "script.h"
#include "tell.h"

#define ENVIRONMENT_MAX 256
#define OWN_MAX         8
#define TEXT_MAX        ((size_t)16 << 20)
#define PAUSE_US        1000

/* ---- starting it ---- */

static void
set(char own[OWN_MAX][600], size_t *count, const char *name, const char *value)
{
    ck_assert_uint_lt(*count, OWN_MAX);
    snprintf(own[(*count)++], sizeof(own[0]), "%s=%s", name, value);
}

static void
set_number(char own[OWN_MAX][600], size_t *count, const char *name,
           unsigned number)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", number);
    set(own, count, name, text);
}

/* The environment of this process and what is said in @work. */
static void
make_environment(const struct work *work, char own[OWN_MAX][600],
                 const char *environment[static ENVIRONMENT_MAX])
{
    size_t count = 0, own_count = 0;

    set(own, &own_count, "WORK_PATH", work->path);
    set(own, &own_count, "WORK_NOTES", work->notes);
    set(own, &own_count, "WORK_TEXTS", work->texts == NULL ? "" : work->texts);
    set_number(own, &own_count, "WORK_FROM", work->from);
    set_number(own, &own_count, "WORK_TO", work->to);
    set_number(own, &own_count, "WORK_CLOSES", work->closes);
    set_number(own, &own_count, "WORK_PATIENCE_MS", work->patience_ms);
    set(own, &own_count, "CK_FORK", "no");
    for (char **at = environ; *at != NULL; at++) {
        ck_assert_uint_lt(count + own_count + 1, ENVIRONMENT_MAX);
        if (strncmp(*at, "CK_", 3) != 0) {
            environment[count++] = *at;
        }
    }
    for (size_t i = 0; i < own_count; i++) {
        environment[count++] = own[i];
    }
    for (const char *const *at = work->extra; at != NULL && *at != NULL; at++) {
        ck_assert_uint_lt(count + 1, ENVIRONMENT_MAX);
        environment[count++] = *at;
    }
    environment[count] = NULL;
}

int
work_run(const struct work *work)
{
    const char *environment[ENVIRONMENT_MAX];
    char own[OWN_MAX][600], name[100], program[600];
    char *arguments[] = {program, NULL};
    int status, said;
    pid_t child;

    make_environment(work, own, environment);
    snprintf(name, sizeof(name), "tests/fault/%s",
             work->program == NULL ? "fault_work" : work->program);
    snprintf(program, sizeof(program), "%s", run_build(name));
    said = open(work->said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(said, 0);
    child = fork();
    if (child == 0) {
        if (dup2(said, STDOUT_FILENO) >= 0 && dup2(said, STDERR_FILENO) >= 0) {
            execve(program, arguments, (char *const *)(uintptr_t)environment);
        }
        _exit(127);
    }
    ck_assert_int_gt(child, 0);
    close(said);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 127);
    return status;
}

/* ---- in the process ---- */

static unsigned
number_of(const char *name)
{
    return (unsigned)strtoul(getenv(name), NULL, 10);
}

/* One write each: what was said is said, whatever comes next. */
static void
say(int notes, const char *line)
{
    size_t size = strlen(line);

    ck_assert(write(notes, line, size) == (ssize_t)size);
}

static void
say_done(int notes, unsigned step, const uint64_t *cuts, size_t cuts_count)
{
    char line[200];
    int size = snprintf(line, sizeof(line), "done %u", step);

    for (size_t i = 0; i < cuts_count; i++) {
        size += snprintf(line + size, sizeof(line) - (size_t)size, " %ju",
                         (uintmax_t)cuts[i]);
    }
    snprintf(line + size, sizeof(line) - (size_t)size, "\n");
    say(notes, line);
}

static void
write_text(struct base *base, unsigned step)
{
    char path[600];
    struct acta_err err;
    struct buf text;
    FILE *file;

    if (*getenv("WORK_TEXTS") == '\0') {
        return;
    }
    buf_init(&text, TEXT_MAX);
    ck_assert_msg(tell(base, &text, &err), "%s", err.text);
    snprintf(path, sizeof(path), "%s/%u", getenv("WORK_TEXTS"), step);
    file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs((const char *)buf_slice(&text).data, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    buf_fini(&text);
}

/* Do one step, again and again while it is refused and there is time. Returns
 * what came of it last; UNKNOWN if it was ever left open.
 */
static enum acta_code
try_step(struct base *base, int notes, unsigned step)
{
    unsigned patience_ms = number_of("WORK_PATIENCE_MS");
    uint64_t cuts[SCRIPT_JOBS];
    enum acta_code code;
    size_t cuts_count;
    bool is_open = false;
    char line[40];

    snprintf(line, sizeof(line), "begin %u\n", step);
    say(notes, line);
    for (unsigned tries = 0;; tries++) {
        code = script_do(base, step, patience_ms, cuts, &cuts_count);
        if (code == ACTA_OK) {
            say_done(notes, step, cuts, cuts_count);
            return ACTA_OK;
        }
        is_open |= code == ACTA_UNKNOWN;
        if (tries >= patience_ms) {
            return is_open ? ACTA_UNKNOWN : code;
        }
        nap_us(PAUSE_US);
    }
}

static int
sync_until_it_succeeds(int fd)
{
    int rc;

    do {
        rc = fdatasync(fd);
    } while (rc != 0);
    return rc;
}

/* What is being erased is to be gone before the last step of a life that ends
 * in order, which then has something to bring to the store.
 */
static void
await_erased(struct base *base)
{
    struct database_stats stats;
    unsigned tries = 0;

    do {
        nap_us(PAUSE_US);
        database_stats(base->database, &stats);
    } while (stats.erasures_pending > 0 &&
             ++tries < number_of("WORK_PATIENCE_MS"));
}

int
work_do(void)
{
    unsigned from = number_of("WORK_FROM"), to = number_of("WORK_TO");
    enum acta_code code = ACTA_OK;
    struct acta_err err;
    struct base base;
    char line[40];
    int notes;

    if (getenv("WORK_SYNCS_AGAIN") != NULL) {
        journal_sync = sync_until_it_succeeds;
    }
    script_init(&base, getenv("WORK_PATH"));
    script_set_time(from - 1);
    notes = open(getenv("WORK_NOTES"),
                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_ge(notes, 0);
    if (database_open(&base.database, &base.options, &err) != ACTA_OK) {
        fprintf(stderr, "not opened: %s\n", err.text);
        return WORK_NOT_OPENED_STATUS;
    }
    write_text(&base, from - 1);
    for (unsigned step = from; code == ACTA_OK && step <= to; step++) {
        if (step == to && number_of("WORK_CLOSES") != 0) {
            await_erased(&base);
        }
        code = try_step(&base, notes, step);
        if (code == ACTA_OK) {
            write_text(&base, step);
        } else if (code != ACTA_UNKNOWN) {
            snprintf(line, sizeof(line), "refused %u\n", step);
            say(notes, line);
        }
    }
    if (number_of("WORK_CLOSES") != 0) {
        base_close(&base);
    }
    fflush(stdout);
    _exit(code == ACTA_OK ? EXIT_SUCCESS : WORK_GAVE_UP_STATUS);
}

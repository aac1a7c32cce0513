#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "file.h"
#include "text.h"
#include "verify_inside.h"

void
verify_look(struct verify *verify, const char *path)
{
    snprintf(verify->report->file, sizeof(verify->report->file), "%s", path);
}

void
verify_problem(struct verify *verify, const char *fmt, ...)
{
    struct acta_err what = {.code = ACTA_CORRUPT};
    va_list args;

    if (verify->report->problems++ >= VERIFY_PROBLEMS_TOLD) {
        return;
    }
    va_start(args, fmt);
    text_format(what.text, sizeof(what.text), fmt, args);
    va_end(args);
    verify->options->problem(verify->options->user, &what);
}

enum acta_code
verify_lock(const char *dir, int *fd, struct acta_err *err)
{
    char path[FILE_PATH_MAX];
    int size = snprintf(path, sizeof(path), "%s.lock", dir);

    *fd = -1;
    if (size < 0 || (size_t)size >= sizeof(path)) {
        return acta_fail(err, ACTA_INVALID, "path is too long: %s", dir);
    }
    *fd = open(path, O_RDWR | O_CLOEXEC);
    if (*fd < 0 || flock(*fd, LOCK_EX | LOCK_NB) == 0) {
        return ACTA_OK;
    }
    return errno == EWOULDBLOCK
               ? acta_fail(err, ACTA_IN_USE, "a server has %s open", dir)
               : file_fail(err, "lock", path);
}

/* *@meta is only set if the store could be opened: *@has_meta. */
static enum acta_code
look_at_store(struct verify *verify, const char *dir, struct store_meta *meta,
              bool *has_meta, struct acta_err *err)
{
    char path[FILE_PATH_MAX];
    struct store *store;
    enum acta_code code;

    *has_meta = false;
    code = file_join(path, dir, "data.mdb", err);
    if (code == ACTA_OK) {
        verify_look(verify, path);
        code = verify_store_file(verify, path, err);
    }
    if (code != ACTA_OK || verify->report->problems > 0) {
        return code;
    }
    code = store_open_still(&store, dir, verify->options->map_size, err);
    if (code == ACTA_CORRUPT) {
        verify_problem(verify, "%s", err->text);
        return ACTA_OK;
    }
    if (code != ACTA_OK) {
        return code;
    }
    code = store_meta(store, meta, err);
    if (code == ACTA_OK) {
        *has_meta = true;
        verify->report->has_tables = true;
        verify->report->head = meta->position;
        code = verify_store(verify, store, err);
    }
    store_close(store);
    return code;
}

static enum acta_code
look_at_all(struct verify *verify, const char *dir, struct acta_err *err)
{
    char path[FILE_PATH_MAX];
    struct store_meta meta;
    enum acta_code code;
    bool has_meta;

    code = file_join(path, dir, "store", err);
    if (code == ACTA_OK && !file_exists(path)) {
        code = acta_fail(err, ACTA_NOT_FOUND, "%s is no database", dir);
    }
    if (code == ACTA_OK) {
        code = look_at_store(verify, path, &meta, &has_meta, err);
    }
    if (code == ACTA_OK) {
        code = file_join(path, dir, "journal", err);
    }
    return code == ACTA_OK
               ? verify_journal(verify, path, has_meta ? &meta : NULL, err)
               : code;
}

enum acta_code
verify_database(const struct verify_options *options,
                struct verify_report *report, struct acta_err *err)
{
    struct verify verify = {.options = options, .report = report};
    enum acta_code code;
    int fd;

    *report = (struct verify_report){0};
    code = verify_lock(options->dir, &fd, err);
    if (code == ACTA_OK) {
        code = look_at_all(&verify, options->dir, err);
    }
    if (fd >= 0) {
        close(fd);
    }
    return code;
}

#include "salvage.h"

#include <dirent.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "journal_files.h"
#include "record.h"
#include "salvage_inside.h"
#include "segment.h"
#include "verify.h"

/* Address space is for free, nearly; too little of it is not. */
#define MAP_SIZE_MIN ((size_t)256 << 20)
#define MAP_FACTOR   4

void
salvage_note(struct salvage *salvage, const char *fmt, ...)
{
    char text[600];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    salvage->report->notes++;
    salvage->options->note(salvage->options->user, text);
}

/* ---- files ---- */

static enum acta_code
add_file(struct salvage *salvage, const char *path, struct acta_err *err)
{
    struct pagefile *files =
        realloc(salvage->files, (salvage->files_count + 1) * sizeof(*files));
    enum acta_code code;

    if (files == NULL) {
        return acta_fail(err, ACTA_MEMORY, "salvage");
    }
    salvage->files = files;
    code = pagefile_open(&files[salvage->files_count], path, false, err);
    if (code == ACTA_IO) {
        salvage_note(salvage, "%s", err->text);
        return ACTA_OK;
    }
    salvage->files_count += code == ACTA_OK;
    return code;
}

/* The next file of the journal. What a disk does not tell any more is lost. */
static struct dirent *
next_file(struct salvage *salvage, DIR *files, const char *dir)
{
    struct dirent *entry;
    struct acta_err err;

    if (file_next(files, dir, &entry, &err) != ACTA_OK) {
        salvage_note(salvage, "%s", err.text);
    }
    return entry;
}

static enum acta_code
add_journal(struct salvage *salvage, const char *dir, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    struct dirent *entry;
    DIR *files = opendir(dir);

    if (files == NULL) {
        salvage_note(salvage, "the journal cannot be read: %s", dir);
        return ACTA_OK;
    }
    while (code == ACTA_OK &&
           (entry = next_file(salvage, files, dir)) != NULL) {
        char path[FILE_PATH_MAX];

        if (strncmp(entry->d_name, JOURNAL_SEGMENT_PREFIX,
                    strlen(JOURNAL_SEGMENT_PREFIX)) != 0 &&
            strncmp(entry->d_name, JOURNAL_SPARE_PREFIX,
                    strlen(JOURNAL_SPARE_PREFIX)) != 0) {
            continue;
        }
        code = file_join(path, dir, entry->d_name, err);
        if (code == ACTA_OK) {
            size_t before = salvage->files_count;

            code = add_file(salvage, path, err);
            if (salvage->files_count > before) {
                salvage->files[before].page_size = SEGMENT_ALIGNMENT;
            }
        }
    }
    closedir(files);
    return code;
}

static enum acta_code
open_files(struct salvage *salvage, struct acta_err *err)
{
    char store[FILE_PATH_MAX], path[FILE_PATH_MAX];
    enum acta_code code;

    if ((code = file_join(store, salvage->options->from, "store", err)) !=
            ACTA_OK ||
        (code = file_join(path, store, "data.mdb", err)) != ACTA_OK) {
        return code;
    }
    if (file_exists(path)) {
        code = add_file(salvage, path, err);
        salvage->has_store = salvage->files_count > 0;
    } else {
        salvage_note(salvage, "the store is missing: %s", path);
        salvage->rows_are_uncertain = true;
    }
    if (code == ACTA_OK) {
        code = file_join(path, salvage->options->from, "journal", err);
    }
    if (code == ACTA_OK) {
        code = add_journal(salvage, path, err);
    }
    salvage->map_size = MAP_SIZE_MIN;
    for (size_t i = 0; i < salvage->files_count; i++) {
        salvage->map_size += (size_t)(MAP_FACTOR * salvage->files[i].size);
    }
    return code;
}

/* ---- what is needed ---- */

/* Of these events it has to be found out where they were. */
static enum acta_code
list_needed(struct salvage *salvage, struct acta_err *err)
{
    size_t count = 0;

    for (uint64_t p = 1; p <= salvage->head; p++) {
        count += salvage->states[p] == SALVAGE_NONE ||
                 salvage->states[p] == SALVAGE_STUB;
    }
    salvage->facts = calloc(count + 1, sizeof(*salvage->facts));
    if (salvage->facts == NULL) {
        return acta_fail(err, ACTA_MEMORY, "salvage");
    }
    for (uint64_t p = 1; p <= salvage->head; p++) {
        if (salvage->states[p] == SALVAGE_NONE ||
            salvage->states[p] == SALVAGE_STUB) {
            salvage->facts[salvage->facts_count++].position = p;
        }
    }
    return ACTA_OK;
}

/* The journal of a store that is lost says which database it is of. */
static enum acta_code
find_id(struct salvage *salvage, struct acta_err *err)
{
    for (size_t i = salvage->has_store;
         !salvage->has_meta && i < salvage->files_count; i++) {
        struct segment_header header;
        uint8_t *room = pagefile_room(&salvage->files[i], SEGMENT_ALIGNMENT);

        if (room != NULL &&
            pagefile_read(&salvage->files[i], 0, 1, room) == 0 &&
            segment_decode_header(&header, room, NULL) == ACTA_OK) {
            salvage->meta.id = header.database_id;
            salvage->rows_are_uncertain = true;
            salvage_note(salvage, "what the store says of itself is lost");
            return ACTA_OK;
        }
    }
    return salvage->has_meta
               ? ACTA_OK
               : acta_fail(err, ACTA_NOT_FOUND, "%s: nothing of it can be read",
                           salvage->options->from);
}

/* ---- the new one ---- */

static void
on_problem(void *user, const struct acta_err *what)
{
    struct acta_err *first = user;

    if (first->code == ACTA_OK) {
        *first = *what;
    }
}

static enum acta_code
check(const char *dir, size_t map_size, struct acta_err *err)
{
    struct acta_err first = {.code = ACTA_OK};
    struct verify_options options = {.dir = dir,
                                     .map_size = map_size,
                                     .problem = on_problem,
                                     .user = &first};
    static struct verify_report report; /* Large. */
    enum acta_code code = verify_database(&options, &report, err);

    return code == ACTA_OK && report.problems > 0
               ? acta_fail(err, ACTA_IO, "the new database is not whole: %s",
                           first.text)
               : code;
}

static enum acta_code
build(struct salvage *salvage, struct acta_err *err)
{
    const char *to = salvage->options->to;
    char fresh[FILE_PATH_MAX], parent[FILE_PATH_MAX];
    enum acta_code code;

    if (strlen(to) + 5 > sizeof(fresh)) {
        return acta_fail(err, ACTA_INVALID, "path is too long: %s", to);
    }
    snprintf(fresh, sizeof(fresh), "%s.new", to);
    snprintf(parent, sizeof(parent), "%s", to);
    if ((code = file_remove_tree(fresh, err)) != ACTA_OK ||
        (code = salvage_build(salvage, fresh, err)) != ACTA_OK ||
        (code = check(fresh, salvage->map_size, err)) != ACTA_OK) {
        return code;
    }
    return file_rename(fresh, to, dirname(parent), err);
}

/* ---- all of it ---- */

static enum acta_code
run(struct salvage *salvage, struct acta_err *err)
{
    enum acta_code code;

    if ((code = open_files(salvage, err)) != ACTA_OK ||
        (code = salvage_find_events(salvage, err)) != ACTA_OK ||
        (code = find_id(salvage, err)) != ACTA_OK ||
        (code = list_needed(salvage, err)) != ACTA_OK ||
        (code = salvage_find_facts(salvage, err)) != ACTA_OK ||
        (code = salvage_place(salvage, err)) != ACTA_OK) {
        return code;
    }
    salvage->report->head = salvage->head;
    return build(salvage, err);
}

static void
let_go(struct name_node *node)
{
    free(node);
}

static void
fini(struct salvage *salvage)
{
    for (size_t i = 0; i < salvage->files_count; i++) {
        pagefile_close(&salvage->files[i]);
    }
    for (size_t i = 0; i < salvage->lists_count; i++) {
        free((void *)(uintptr_t)(salvage->lists[i].name.name.data - 1));
    }
    name_map_fini(&salvage->rows, let_go);
    name_map_fini(&salvage->streams, let_go);
    free(salvage->files);
    free(salvage->blocks);
    free(salvage->states);
    free(salvage->sources);
    free(salvage->lists);
    free(salvage->facts);
    free(salvage->gaps);
}

enum acta_code
salvage(const struct salvage_options *options, struct salvage_report *report,
        struct acta_err *err)
{
    struct salvage salvage = {.options = options, .report = report};
    enum acta_code code;
    int from, to;

    *report = (struct salvage_report){0};
    if (!file_exists(options->from)) {
        return acta_fail(err, ACTA_NOT_FOUND, "%s is no database",
                         options->from);
    }
    if (file_exists(options->to)) {
        return acta_fail(err, ACTA_EXISTS, "there is something at %s",
                         options->to);
    }
    code = verify_lock(options->from, &from, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = verify_lock(options->to, &to, err);
    if (code == ACTA_OK) {
        code = run(&salvage, err);
        if (to >= 0) {
            close(to);
        }
    }
    if (from >= 0) {
        close(from);
    }
    fini(&salvage);
    return code;
}

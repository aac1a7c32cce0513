#include "take.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "bytes.h"
#include "clock.h"
#include "journal_cursor.h"
#include "restore.h"
#include "tell.h"

#define TEXT_MAX   ((size_t)64 << 20)
#define CHUNK_SIZE 10000
#define MAP_SIZE   ((size_t)1 << 30)

struct taking {
    struct backup *backup;
    const struct take *take;
    struct archive *archive;
    struct msg_backup_begun begun;
    struct uuid database;
    struct archive_writer writers[2];
    struct archive_scan scans[2];
    bool begins[2]; /* There is a file. */
};

/* Cut the entry @sequence out of @bytes, in which it must be whole. */
static struct slice
leave_out(struct slice bytes, uint64_t sequence, uint8_t *room)
{
    size_t at = 0, size = 0;

    while (at + JOURNAL_CURSOR_HEADER <= bytes.size) {
        const uint8_t *entry = bytes.data + at;
        size_t whole =
            JOURNAL_CURSOR_HEADER + get_u32(entry + 24) + get_u32(entry + 28);

        if (get_u64(entry) != sequence) {
            memcpy(room + size, entry, whole);
            size += whole;
        }
        at += whole;
    }
    ck_assert_uint_eq(at, bytes.size);
    return slice_make(room, size);
}

static enum acta_code
put(struct taking *taking, enum msg_backup_part part, struct slice bytes,
    struct acta_err *err)
{
    static uint8_t room[ARCHIVE_CHUNK_MAX];
    enum archive_kind kind =
        part == MSG_BACKUP_BASE ? ARCHIVE_BASE : ARCHIVE_ENTRIES;
    enum acta_code code = ACTA_OK;

    if (part == MSG_BACKUP_ENTRIES && taking->take->leave_out > 0) {
        bytes = leave_out(bytes, taking->take->leave_out, room);
    }
    if (bytes.size == 0) {
        return ACTA_OK;
    }
    if (!taking->begins[part]) {
        taking->begins[part] = true;
        code =
            archive_writer_begin(&taking->writers[part], taking->archive, kind,
                                 taking->begun.sequence, taking->database, err);
    }
    if (code == ACTA_OK) {
        code = archive_scan_take(&taking->scans[part], bytes, err);
    }
    return code == ACTA_OK
               ? archive_writer_put(&taking->writers[part], bytes, err)
               : code;
}

static enum acta_code
read_part(struct taking *taking, enum msg_backup_part part, uint64_t last,
          uint64_t *seen, struct acta_err *err)
{
    struct msg_read_backup read = {
        .part = part, .size_max = taking->take->chunk_size, .last = last};
    struct msg_backup_chunk chunk = {.at_end = false};
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && !chunk.at_end) {
        code = backup_read(taking->backup, &read, &chunk, err);
        if (code == ACTA_OK) {
            code = put(taking, part, chunk.bytes, err);
        }
    }
    *seen = chunk.last;
    return code;
}

static enum acta_code
read_all(struct taking *taking, struct acta_err *err)
{
    uint64_t last = taking->begun.last, ignored;
    enum acta_code code = ACTA_OK;

    if (taking->begun.has_base) {
        code = read_part(taking, MSG_BACKUP_BASE, 0, &last, err);
    }
    return code == ACTA_OK
               ? read_part(taking, MSG_BACKUP_ENTRIES, last, &ignored, err)
               : code;
}

static enum acta_code
finish(struct taking *taking, struct acta_err *err)
{
    struct archive_part parts[2];
    enum acta_code code = ACTA_OK;
    size_t count = 0;

    for (int part = 0; code == ACTA_OK && part < 2; part++) {
        if (taking->begins[part]) {
            code = archive_writer_finish(&taking->writers[part],
                                         &taking->scans[part], err);
            parts[count++] = taking->writers[part].part;
        }
    }
    return code == ACTA_OK
               ? archive_commit(taking->archive, parts, count, taking->database,
                                clock_wall().us, err)
               : code;
}

static enum acta_code
take_into(struct taking *taking, struct base *base, struct took *took,
          struct acta_err *err)
{
    const struct archive_part *last = archive_last(taking->archive);
    bool goes_on = last != NULL && !taking->take->anew;
    struct msg_begin_backup begin = {
        .after = goes_on ? last->sequence : 0,
        .database = goes_on ? taking->archive->database.bytes : NULL,
    };
    enum acta_code code = backup_begin(&taking->backup, base->database, &begin,
                                       &taking->begun, err);

    if (code != ACTA_OK) {
        return code;
    }
    if (!taking->begun.has_base) {
        taking->begun.position = last->position;
    }
    archive_scan_init(&taking->scans[0], ARCHIVE_BASE, taking->begun.sequence,
                      0);
    archive_scan_init(&taking->scans[1], ARCHIVE_ENTRIES,
                      taking->begun.sequence, taking->begun.position);
    code = read_all(taking, err);
    if (code == ACTA_OK) {
        code = finish(taking, err);
    }
    *took = (struct took){
        .had_base = taking->begun.has_base,
        .had_reason = taking->begun.reason.size > 0,
        .sequence = taking->scans[1].sequence,
        .position = taking->scans[1].position,
    };
    for (int part = 0; part < 2; part++) {
        if (code != ACTA_OK && taking->begins[part]) {
            archive_writer_abort(&taking->writers[part]);
        }
        archive_scan_fini(&taking->scans[part]);
    }
    if (code == ACTA_OK) {
        took->kept = backup_end(taking->backup, took->sequence);
    } else {
        backup_close(taking->backup);
    }
    return code;
}

enum acta_code
take_backup(struct base *base, const char *dir, const struct take *take,
            struct took *took, struct acta_err *err)
{
    struct taking taking = {.take = take};
    struct archive archive;
    enum acta_code code = archive_open_writer(&archive, dir, err);

    *took = (struct took){.kept = 0};
    taking.archive = &archive;
    taking.database = database_id(base->database);
    if (code == ACTA_OK) {
        code = take_into(&taking, base, took, err);
    }
    archive_close(&archive);
    return code;
}

struct took
take_it(struct base *base, const char *dir)
{
    struct take take = {.chunk_size = CHUNK_SIZE};
    struct acta_err err;
    struct took took;

    ck_assert_msg(take_backup(base, dir, &take, &took, &err) == ACTA_OK, "%s",
                  err.text);
    return took;
}

static void
on_problem(void *user, const struct acta_err *what)
{
    (void)user;
    ck_abort_msg("%s", what->text);
}

enum acta_code
take_restore(const char *dir, const char *to, uint64_t position_max,
             struct acta_err *err)
{
    struct restore_options options = {
        .dir = to,
        .position_max = position_max,
        .time_max_us = UINT64_MAX,
        .map_size = MAP_SIZE,
        .problem = on_problem,
    };
    struct restore_report report;
    struct archive archive;
    enum acta_code code = archive_open(&archive, dir, err);

    if (code == ACTA_OK) {
        code = restore_database(&archive, &options, &report, err);
    }
    archive_close(&archive);
    return code;
}

enum acta_code
take_verify(const char *dir, struct acta_err *err)
{
    struct archive archive;
    enum acta_code code = archive_open(&archive, dir, err);

    if (code == ACTA_OK) {
        code = archive_verify(&archive, NULL, NULL, err);
    }
    archive_close(&archive);
    return code;
}

char *
take_tell(const struct base *like, const char *path)
{
    struct base base = {.options = like->options};
    struct acta_err err;
    struct buf text;
    char *copy;

    snprintf(base.path, sizeof(base.path), "%s", path);
    base.options.dir = base.path;
    base_open(&base);
    buf_init(&text, TEXT_MAX);
    ck_assert_msg(tell(&base, &text, &err), "%s", err.text);
    copy = strdup((const char *)buf_slice(&text).data);
    buf_fini(&text);
    base_close(&base);
    return copy;
}

/* Segments that are released while they are looked at become something else,
 * under another name. So when anything looks wrong it is asked first whether
 * this file is still that segment; if it is not, the store has all of it.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "verify_live_inside.h"

static enum acta_code
path_of(const struct verify_live *live, uint64_t number,
        char path[static FILE_PATH_MAX], struct acta_err *err)
{
    char dir[FILE_PATH_MAX], name[64];
    enum acta_code code;

    snprintf(name, sizeof(name), JOURNAL_SEGMENT_PREFIX "%016" PRIx64, number);
    code = file_join(dir, live->verify.options->dir, "journal", err);
    return code == ACTA_OK ? file_join(path, dir, name, err) : code;
}

enum acta_code
live_journal_begin(struct verify_live *live, struct acta_err *err)
{
    struct live_journal *journal = &live->journal;
    const struct verify_options *options = live->verify.options;
    char dir[FILE_PATH_MAX];
    struct tail_view view;
    enum acta_code code;

    tail_pin(&live->rooms->tail, &view);
    journal->last = view.sequence;
    tail_unpin(&view);
    code = file_join(dir, options->dir, "journal", err);
    if (code == ACTA_OK) {
        verify_look(&live->verify, dir);
        code =
            verify_list_segments(dir, &journal->numbers, &journal->count, err);
    }
    if (code == ACTA_OK && journal->count == 0) { /* The newest is kept. */
        verify_problem(&live->verify, "journal: it has no segment");
    }
    return code;
}

static void
close_segment(struct verify_live *live)
{
    struct live_journal *journal = &live->journal;

    if (journal->is_open) {
        live->read += journal->file.bytes_read;
        pagefile_close(&journal->file);
        journal->is_open = false;
    }
}

void
live_journal_fini(struct verify_live *live)
{
    close_segment(live);
    free(live->journal.numbers);
}

/* ---- a segment ---- */

/* Open segment @number and read its header. *@is_there is false if there is no
 * such file.
 */
static enum acta_code
open_segment(const struct verify_live *live, uint64_t number,
             struct pagefile *file, struct segment_header *header,
             bool *is_there, bool *is_whole, struct acta_err *err)
{
    char path[FILE_PATH_MAX];
    enum acta_code code;
    struct stat status;
    uint8_t *room;

    *is_there = *is_whole = false;
    code = path_of(live, number, path, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (stat(path, &status) != 0 && errno == ENOENT) {
        return ACTA_OK;
    }
    code = pagefile_open(file, path, true, err);
    if (code != ACTA_OK) {
        *is_there = stat(path, &status) == 0;
        return *is_there ? code : ACTA_OK;
    }
    *is_there = true;
    file->page_size = SEGMENT_ALIGNMENT;
    room = pagefile_room(file, SEGMENT_HEADER_SIZE);
    if (room == NULL) {
        pagefile_close(file);
        return acta_fail(err, ACTA_MEMORY, "verify journal");
    }
    *is_whole = pagefile_read(file, 0, 1, room) == 0 &&
                segment_decode_header(header, room, NULL) == ACTA_OK &&
                header->number == number && header->size == file->size;
    return ACTA_OK;
}

/* Is what is open still the segment of its number? */
static bool
is_still_there(const struct verify_live *live)
{
    const struct live_journal *journal = &live->journal;
    struct segment_header header;
    bool is_there, is_whole;
    struct pagefile file;
    enum acta_code code;

    code = open_segment(live, journal->numbers[journal->at], &file, &header,
                        &is_there, &is_whole, NULL);
    if (code != ACTA_OK || !is_there) {
        return false;
    }
    pagefile_close(&file);
    return !is_whole || header.salt == journal->header.salt;
}

/* The entry that the next segment begins with follows the last one of this. */
static enum acta_code
find_end(struct verify_live *live, struct acta_err *err)
{
    struct live_journal *journal = &live->journal;
    struct segment_header header;
    bool is_there, is_whole;
    struct pagefile file;
    enum acta_code code;

    journal->end = journal->last;
    if (journal->at + 1 == journal->count) {
        return ACTA_OK;
    }
    code = open_segment(live, journal->numbers[journal->at + 1], &file, &header,
                        &is_there, &is_whole, err);
    if (code != ACTA_OK || !is_there) {
        return code;
    }
    if (is_whole) {
        journal->end = header.first_sequence - 1;
    } else {
        journal->end = 0; /* What is damaged is told when it is its turn. */
    }
    pagefile_close(&file);
    return ACTA_OK;
}

static bool
is_of_database(const struct verify_live *live)
{
    return memcmp(&live->journal.header.database_id, &live->contents.meta.id,
                  sizeof(struct uuid)) == 0;
}

/* Only what the store has may be gone. It has no less now than it had when the
 * oldest segment was looked for.
 */
static enum acta_code
look_for_older(struct verify_live *live, struct acta_err *err)
{
    uint64_t first = live->journal.header.first_sequence;
    struct store_meta meta;
    enum acta_code code = store_meta(live->rooms->store, &meta, err);

    if (code == ACTA_OK && first > meta.sequence + 1) {
        verify_problem(&live->verify,
                       "journal: entries from %" PRIu64
                       " on are missing, it begins with %" PRIu64,
                       meta.sequence + 1, first);
    }
    return code == ACTA_CORRUPT ? ACTA_OK : code; /* It was told of. */
}

static enum acta_code
begin_segment(struct verify_live *live, struct acta_err *err)
{
    struct live_journal *journal = &live->journal;
    uint64_t number = journal->numbers[journal->at];
    char path[FILE_PATH_MAX];
    bool is_there, is_whole;
    enum acta_code code;

    code = open_segment(live, number, &journal->file, &journal->header,
                        &is_there, &is_whole, err);
    if (code != ACTA_OK || !is_there) {
        return code;
    }
    journal->is_open = true;
    snprintf(journal->name, sizeof(journal->name),
             JOURNAL_SEGMENT_PREFIX "%016" PRIx64, number);
    if (path_of(live, number, path, NULL) == ACTA_OK) {
        verify_look(&live->verify, path);
    }
    if (!is_whole || (live->has_contents && !is_of_database(live))) {
        close_segment(live);
        if (is_still_there(live)) {
            verify_problem(&live->verify, "%s: its header is damaged",
                           journal->name);
        }
        return ACTA_OK;
    }
    live->report.segments++;
    journal->offset = SEGMENT_HEADER_SIZE;
    journal->sequence = journal->header.first_sequence;
    journal->time_us = 0;
    code = journal->at == 0 ? look_for_older(live, err) : ACTA_OK;
    return code == ACTA_OK ? find_end(live, err) : code;
}

/* ---- an entry ---- */

/* Read the entry that is due. False if it is not there, or not whole. */
static bool
read_entry(struct live_journal *journal, struct journal_entry *entry,
           uint64_t *size)
{
    struct pagefile *file = &journal->file;
    uint64_t first = journal->offset / SEGMENT_ALIGNMENT;
    uint8_t *room = pagefile_room(file, SEGMENT_ALIGNMENT);

    if (room == NULL || journal->offset >= journal->header.size ||
        pagefile_read(file, first, 1, room) > 0 ||
        !segment_decode_entry(entry, room, journal->header.salt) ||
        entry->sequence != journal->sequence || entry->is_end) {
        return false;
    }
    *size = journal_entry_size(entry->block.size + entry->rows.size);
    if (*size > journal->header.size - journal->offset) {
        return false;
    }
    room = pagefile_room(file, *size);
    if (room == NULL ||
        pagefile_read(file, first, *size / SEGMENT_ALIGNMENT, room) > 0) {
        return false;
    }
    entry->block.data = room + SEGMENT_ENTRY_SIZE;
    entry->rows.data = entry->block.data + entry->block.size;
    return segment_check_body(entry);
}

static void
look_at_entry(struct verify_live *live, const struct journal_entry *entry)
{
    struct live_journal *journal = &live->journal;
    struct verify_report *report = &live->report;

    if (report->entries++ == 0) {
        report->first_entry = entry->sequence;
    }
    report->last_entry = entry->sequence;
    if (entry->time_us < journal->time_us) {
        verify_problem(&live->verify,
                       "%s: entry %" PRIu64
                       " does not follow the one before it",
                       journal->name, entry->sequence);
    }
    journal->time_us = entry->time_us;
    verify_entry_records(&live->verify, journal->name, entry);
}

static void
next_segment(struct verify_live *live)
{
    close_segment(live);
    live->journal.at++;
}

enum acta_code
live_journal_step(struct verify_live *live, uint64_t bytes, bool *done,
                  struct acta_err *err)
{
    struct live_journal *journal = &live->journal;
    uint64_t end = verify_live_read(live) + bytes;
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && journal->at < journal->count &&
           verify_live_read(live) < end) {
        struct journal_entry entry;
        uint64_t size;

        if (!journal->is_open) {
            code = begin_segment(live, err);
            journal->at += code == ACTA_OK && !journal->is_open;
            continue;
        }
        if (journal->sequence > journal->end) {
            next_segment(live);
            continue;
        }
        if (!read_entry(journal, &entry, &size)) {
            if (is_still_there(live)) {
                verify_problem(&live->verify,
                               "%s: entry %" PRIu64 " at offset %" PRIu64
                               " is damaged or missing",
                               journal->name, journal->sequence,
                               journal->offset);
            }
            next_segment(live);
            continue;
        }
        look_at_entry(live, &entry);
        journal->offset += size;
        journal->sequence++;
    }
    *done = journal->at >= journal->count;
    return code;
}

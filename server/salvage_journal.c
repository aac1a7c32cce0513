/* Entries of the journal, also of files that wait to become segments: what was
 * written to them last is still there. An entry is one by its own checksum and
 * the salt of its file; its events are taken one by one, its rows only all
 * together. Where it begins says how many events there were before it.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "salvage_inside.h"
#include "segment.h"
#include "store_lmdb.h"

#define ENTRY_SIZE_MAX (UINT64_C(512) << 20)

/* An entry that was found. */
struct found {
    unsigned file;
    uint64_t offset;
    uint64_t sequence;
    uint64_t first_position;
    uint64_t block_size;
    uint64_t rows_size;
};

static struct found *all; /* owned, of the one run of this process */
static size_t all_count, all_room;

/* What a file's header says of it. */
struct life {
    bool is_known;
    struct segment_header header;
    uint64_t end; /* Its entries have lower sequence numbers. */
};

static enum acta_code
add_found(const struct found *found, struct acta_err *err)
{
    if (all_count == all_room) {
        size_t room = all_room == 0 ? 64 : 2 * all_room;
        struct found *more = realloc(all, room * sizeof(*more));

        if (more == NULL) {
            return acta_fail(err, ACTA_MEMORY, "salvage journal");
        }
        all = more;
        all_room = room;
    }
    all[all_count++] = *found;
    return ACTA_OK;
}

static bool
read_header(struct pagefile *file, struct segment_header *header)
{
    uint8_t *room = pagefile_room(file, SEGMENT_ALIGNMENT);

    return room != NULL && pagefile_read(file, 0, 1, room) == 0 &&
           segment_decode_header(header, room, NULL) == ACTA_OK;
}

/* A segment's entries end where a later one begins. What is in it from there on
 * a start has passed over (J4): nobody was told of it, and its positions were
 * given to other events.
 */
static void
find_end(struct life *lives, size_t count, struct life *life)
{
    life->end = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct segment_header *other = &lives[i].header;

        if (lives[i].is_known && other->number > life->header.number &&
            other->first_sequence < life->end &&
            memcmp(other->database_id.bytes, life->header.database_id.bytes,
                   UUID_SIZE) == 0) {
            life->end = other->first_sequence;
        }
    }
}

/* One for each file. To be freed; NULL if there is no memory. */
static struct life *
find_lives(struct salvage *salvage)
{
    size_t count = salvage->files_count;
    struct life *lives = calloc(count + 1, sizeof(*lives));

    if (lives == NULL) {
        return NULL;
    }
    for (size_t i = salvage->has_store; i < count; i++) {
        lives[i].is_known = read_header(&salvage->files[i], &lives[i].header);
    }
    for (size_t i = 0; i < count; i++) {
        find_end(lives, count, &lives[i]);
    }
    return lives;
}

/* The salt of a file: its header's or, if that is damaged, that of its first
 * entry.
 */
static bool
find_salt(struct pagefile *file, const struct life *life, uint64_t *salt)
{
    uint8_t *room = pagefile_room(file, SEGMENT_ALIGNMENT);
    struct journal_entry entry;

    if (life->is_known) {
        *salt = life->header.salt;
        return true;
    }
    if (room == NULL) {
        return false;
    }
    for (uint64_t n = 1; n < file->size / SEGMENT_ALIGNMENT; n++) {
        (void)pagefile_read(file, n, 1, room);
        *salt = get_u64(room + 8);
        if (segment_decode_entry(&entry, room, *salt)) {
            return true;
        }
    }
    return false;
}

/* Read the block and rows of an entry. NULL: there is no memory. */
static uint8_t *
read_body(struct salvage *salvage, const struct found *found)
{
    struct pagefile *file = &salvage->files[found->file];
    uint64_t size = segment_round(SEGMENT_ENTRY_SIZE + found->block_size +
                                  found->rows_size);
    uint8_t *room;

    if (size > file->size - found->offset || size > ENTRY_SIZE_MAX) {
        size = file->size - found->offset;
    }
    room = pagefile_room(file, SEGMENT_ENTRY_SIZE + found->block_size +
                                   found->rows_size + SEGMENT_ALIGNMENT);
    if (room != NULL) {
        (void)pagefile_read(file, found->offset / SEGMENT_ALIGNMENT,
                            size / SEGMENT_ALIGNMENT, room);
    }
    return room;
}

static enum acta_code
take_events(struct salvage *salvage, const struct found *found,
            struct acta_err *err)
{
    struct salvage_block where = {
        .file = found->file,
        .offset = found->offset + SEGMENT_ENTRY_SIZE,
        .size = found->block_size,
        .first = found->first_position,
    };
    uint8_t *room;

    if (found->first_position > 0) {
        salvage_see_head(salvage, found->first_position - 1);
    }
    if (found->block_size < BLOCK_HEADER_SIZE) {
        return ACTA_OK;
    }
    room = read_body(salvage, found);
    if (room == NULL) {
        return acta_fail(err, ACTA_MEMORY, "salvage journal");
    }
    where.count = get_u32(room + SEGMENT_ENTRY_SIZE + 8);
    return salvage_take_block(
        salvage, &where,
        slice_make(room + SEGMENT_ENTRY_SIZE, (size_t)found->block_size), true,
        err);
}

static enum acta_code
look_at_file(struct salvage *salvage, unsigned index, const struct life *life,
             struct acta_err *err)
{
    struct pagefile *file = &salvage->files[index];
    uint64_t pages = file->size / SEGMENT_ALIGNMENT, salt;
    enum acta_code code = ACTA_OK;

    if (!find_salt(file, life, &salt)) {
        return ACTA_OK;
    }
    for (uint64_t n = 1; code == ACTA_OK && n < pages; n++) {
        uint8_t *room = pagefile_room(file, SEGMENT_ALIGNMENT);
        struct journal_entry entry;
        struct found found;

        if (room == NULL) {
            return acta_fail(err, ACTA_MEMORY, "salvage journal");
        }
        if (pagefile_read(file, n, 1, room) > 0 ||
            !segment_decode_entry(&entry, room, salt) || entry.is_end ||
            (life->is_known && entry.sequence >= life->end) ||
            entry.block.size + entry.rows.size >
                file->size - n * SEGMENT_ALIGNMENT - SEGMENT_ENTRY_SIZE) {
            continue;
        }
        found = (struct found){index,
                               n * SEGMENT_ALIGNMENT,
                               entry.sequence,
                               entry.first_position,
                               entry.block.size,
                               entry.rows.size};
        code = add_found(&found, err);
        if (code == ACTA_OK) {
            code = take_events(salvage, &found, err);
        }
        n += segment_round(SEGMENT_ENTRY_SIZE + entry.block.size +
                           entry.rows.size) /
                 SEGMENT_ALIGNMENT -
             1;
    }
    return code;
}

static int
compare_found(const void *a, const void *b)
{
    const struct found *left = a, *right = b;

    return (left->sequence > right->sequence) -
           (left->sequence < right->sequence);
}

enum acta_code
salvage_journal_events(struct salvage *salvage, struct acta_err *err)
{
    struct life *lives = find_lives(salvage);
    enum acta_code code = ACTA_OK;

    if (lives == NULL) {
        return acta_fail(err, ACTA_MEMORY, "salvage journal");
    }
    all_count = 0;
    for (size_t i = salvage->has_store;
         code == ACTA_OK && i < salvage->files_count; i++) {
        code = look_at_file(salvage, (unsigned)i, &lives[i], err);
    }
    free(lives);
    if (all_count > 0) {
        qsort(all, all_count, sizeof(*all), compare_found);
    }
    return code;
}

/* ---- rows ---- */

static enum acta_code
take_rows(struct salvage *salvage, const struct found *found,
          struct acta_err *err)
{
    uint8_t bytes[ROW_STORE_KEY_MAX];
    enum acta_code code = ACTA_OK;
    struct slice rows;
    struct row row;
    uint8_t *room;

    if (found->rows_size == 0) {
        return ACTA_OK;
    }
    room = read_body(salvage, found);
    if (room == NULL) {
        return acta_fail(err, ACTA_MEMORY, "salvage journal");
    }
    if (rows_open(&rows,
                  slice_make(room + SEGMENT_ENTRY_SIZE + found->block_size,
                             (size_t)found->rows_size),
                  NULL) != ACTA_OK) {
        salvage_note(salvage,
                     "journal: the rows of entry %" PRIu64 " are damaged",
                     found->sequence);
        salvage->rows_are_uncertain = true;
        return ACTA_OK;
    }
    while (code == ACTA_OK && rows_next(&rows, &row)) {
        if (row.key.size <= ROW_KEY_SIZE_MAX) {
            code = salvage_set_row(salvage,
                                   store_row_key(bytes, row.kind, row.key),
                                   row.value, true, err);
        }
    }
    return code;
}

/* Entries from @due to before @found are not there. */
static void
note_missing(struct salvage *salvage, uint64_t due, uint64_t found)
{
    if (due > 0 && found > due) {
        salvage_note(salvage,
                     "journal: entries %" PRIu64 " to %" PRIu64
                     " are lost, and with them what they changed besides "
                     "events",
                     due, found - 1);
        salvage->rows_are_uncertain = true;
    }
}

/* From which entry on the journal has what the rows of the store lack; 0: it is
 * not known. What the store says of itself may be newer than the rows that were
 * found, if the page that makes a transaction count is damaged, or was never
 * written.
 */
static uint64_t
first_due(struct salvage *salvage)
{
    if (salvage->knows_rows) {
        return salvage->rows_sequence + 1;
    }
    if (!salvage->has_meta) {
        return 0;
    }
    salvage_note(salvage, "store: it is not known which rows it had last");
    salvage->rows_are_uncertain = true;
    return salvage->meta.sequence + 1;
}

enum acta_code
salvage_journal_rows(struct salvage *salvage, struct acta_err *err)
{
    uint64_t due = first_due(salvage);
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; code == ACTA_OK && i < all_count; i++) {
        const struct found *found = &all[i];

        if (found->sequence >= due) {
            note_missing(salvage, due, found->sequence);
            code = take_rows(salvage, found, err);
            due = found->sequence + 1;
        }
    }
    if (salvage->has_meta) {
        note_missing(salvage, due, salvage->meta.sequence + 1);
    }
    free(all);
    all = NULL;
    all_count = all_room = 0;
    return code;
}

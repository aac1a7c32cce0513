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

/* What a file's header says of it or, if that is damaged, its first entry. */
struct life {
    bool is_known;                /* It has either, */
    bool has_header;              /* and this one is whole. */
    struct segment_header header; /* Else only salt and first_sequence. */
    bool is_begun;                /* Its first entry is whole. */
    uint64_t end;                 /* Its entries have lower sequence numbers. */
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

/* Is all of the entry at page @n whole, whose header is? */
static bool
is_whole(struct pagefile *file, uint64_t n, struct journal_entry *entry)
{
    uint64_t size = segment_round(SEGMENT_ENTRY_SIZE + entry->block.size +
                                  entry->rows.size);
    uint8_t *room;

    if (size > file->size - n * SEGMENT_ALIGNMENT) {
        return false;
    }
    room = pagefile_room(file, (size_t)size);
    if (room == NULL ||
        pagefile_read(file, n, size / SEGMENT_ALIGNMENT, room) > 0) {
        return false;
    }
    entry->block.data = room + SEGMENT_ENTRY_SIZE;
    entry->rows.data = entry->block.data + entry->block.size;
    return segment_check_body(entry);
}

/* The first entry; with a header only where it must be. */
static void
read_first_entry(struct pagefile *file, struct life *life)
{
    uint64_t pages = file->size / SEGMENT_ALIGNMENT;
    struct journal_entry entry;

    for (uint64_t n = 1; n < pages && (n == 1 || !life->is_known); n++) {
        uint8_t *room = pagefile_room(file, SEGMENT_ALIGNMENT);

        if (room == NULL) {
            return;
        }
        (void)pagefile_read(file, n, 1, room);
        if (!life->has_header) {
            life->header.salt = get_u64(room + 8);
        }
        if (segment_decode_entry(&entry, room, life->header.salt)) {
            life->is_known = true;
            life->header.first_sequence = entry.sequence;
            life->is_begun = !entry.is_end && is_whole(file, n, &entry);
        }
    }
}

/* Without both headers the sequence numbers tell. Of two lives that begin with
 * the same one the earlier has nothing but an entry that was torn.
 */
static bool
is_later(const struct life *life, const struct life *than)
{
    const struct segment_header *a = &life->header, *b = &than->header;

    if (life->has_header && than->has_header) {
        return a->number > b->number &&
               memcmp(a->database_id.bytes, b->database_id.bytes, UUID_SIZE) ==
                   0;
    }
    return a->first_sequence == b->first_sequence
               ? life->is_begun && !than->is_begun
               : a->first_sequence > b->first_sequence;
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
        uint64_t first = lives[i].header.first_sequence;

        if (lives[i].is_known && is_later(&lives[i], life) &&
            first < life->end) {
            life->end = first;
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
        struct pagefile *file = &salvage->files[i];
        struct life *life = &lives[i];

        life->has_header = read_header(file, &life->header);
        life->is_known = life->has_header;
        read_first_entry(file, life);
    }
    for (size_t i = 0; i < count; i++) {
        find_end(lives, count, &lives[i]);
    }
    return lives;
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
    uint64_t pages = file->size / SEGMENT_ALIGNMENT;
    enum acta_code code = ACTA_OK;

    if (!life->is_known) {
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
            !segment_decode_entry(&entry, room, life->header.salt) ||
            entry.is_end || entry.sequence >= life->end ||
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

/* The journal, segment by segment. What is damaged in a part that the store has
 * already harms nobody, but is damage.
 */

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "file.h"
#include "journal_files.h"
#include "segment.h"
#include "verify_inside.h"

#define NUMBER_SIZE 16 /* Hexadecimal digits in a segment's name. */

struct numbers {
    uint64_t *all; /* owned */
    size_t count;
    size_t capacity;
};

/* Where the journal is. */
struct place {
    const struct store_meta *meta;
    const char *name;  /* Of the segment. */
    uint64_t sequence; /* Of the entry that is due; 0: not known, */
    uint64_t position; /* and of its first event. */
    uint64_t time_us;
};

/* ---- which segments there are ---- */

static bool
add_number(struct numbers *numbers, uint64_t number)
{
    if (numbers->count == numbers->capacity) {
        size_t capacity = numbers->capacity == 0 ? 16 : 2 * numbers->capacity;
        uint64_t *all = realloc(numbers->all, capacity * sizeof(*numbers->all));

        if (all == NULL) {
            return false;
        }
        numbers->all = all;
        numbers->capacity = capacity;
    }
    numbers->all[numbers->count++] = number;
    return true;
}

/* The number in a segment's name; 0 if it is no segment's. */
static uint64_t
number_of(const char *name)
{
    const size_t front = sizeof(JOURNAL_SEGMENT_PREFIX) - 1;
    unsigned long long number;
    char *end;

    if (strncmp(name, JOURNAL_SEGMENT_PREFIX, front) != 0 ||
        strlen(name) != front + NUMBER_SIZE) {
        return 0;
    }
    number = strtoull(name + front, &end, 16);
    return *end == '\0' ? number : 0;
}

static int
compare_numbers(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

static enum acta_code
list_segments(const char *dir, struct numbers *numbers, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    struct dirent *entry;
    DIR *files = opendir(dir);

    if (files == NULL) {
        return file_fail(err, "open", dir);
    }
    while (code == ACTA_OK &&
           (code = file_next(files, dir, &entry, err)) == ACTA_OK &&
           entry != NULL) {
        uint64_t number = number_of(entry->d_name);

        if (number > 0 && !add_number(numbers, number)) {
            code = acta_fail(err, ACTA_MEMORY, "list segments");
        }
    }
    closedir(files);
    if (numbers->count > 0) {
        qsort(numbers->all, numbers->count, sizeof(*numbers->all),
              compare_numbers);
    }
    return code;
}

enum acta_code
verify_list_segments(const char *dir, uint64_t **all, size_t *count,
                     struct acta_err *err)
{
    struct numbers numbers = {0};
    enum acta_code code = list_segments(dir, &numbers, err);

    *all = numbers.all;
    *count = numbers.count;
    return code;
}

/* ---- an entry ---- */

void
verify_entry_records(struct verify *verify, const char *name,
                     const struct journal_entry *entry)
{
    struct block block;

    if (entry->block.size == 0 ||
        block_open(&block, entry->block, NULL) != ACTA_OK) {
        return;
    }
    for (uint64_t p = block.first_position; p < block_end(&block); p++) {
        struct block_record record;
        struct pack_reader reader;
        struct event event;

        if (block_get(&block, p, &record, NULL) != ACTA_OK) {
            continue; /* segment_check_body() has looked. */
        }
        pack_reader_init(&reader, slice_make(record.data, record.size), NULL);
        event_decode_record(&reader, &event);
        if (reader.failed || event.time_us != entry->time_us) {
            verify_problem(verify,
                           "%s: what entry %" PRIu64
                           " has for position %" PRIu64 " is no event of it",
                           name, entry->sequence, p);
        }
    }
}

static uint64_t
events_of(const struct journal_entry *entry)
{
    struct block block;

    return entry->block.size > 0 &&
                   block_open(&block, entry->block, NULL) == ACTA_OK
               ? block.count
               : 0;
}

static void
check_entry(struct verify *verify, struct place *place,
            const struct journal_entry *entry)
{
    if (verify->report->entries++ == 0) {
        verify->report->first_entry = entry->sequence;
    }
    verify->report->last_entry = entry->sequence;
    if ((place->position != 0 && entry->first_position != place->position) ||
        entry->time_us < place->time_us) {
        verify_problem(
            verify, "%s: entry %" PRIu64 " does not follow the one before it",
            place->name, entry->sequence);
    }
    if (place->meta != NULL && entry->sequence == place->meta->sequence + 1 &&
        entry->first_position != place->meta->position + 1) {
        verify_problem(
            verify, "%s: entry %" PRIu64 " does not follow what the store has",
            place->name, entry->sequence);
    }
    verify_entry_records(verify, place->name, entry);
    place->position = entry->first_position + events_of(entry);
    if (place->position > verify->report->head + 1) {
        verify->report->head = place->position - 1;
    }
    place->time_us = entry->time_us;
}

/* ---- a segment ---- */

/* Its entries end here. That is damage if there should be more, or if there is
 * more behind.
 */
static void
check_end(struct verify *verify, const struct segment_reader *reader,
          const struct place *place)
{
    size_t offset;

    if (segment_reader_goes_on(reader, &offset)) {
        verify_problem(verify,
                       "%s: entry %" PRIu64
                       " at offset %zu is damaged, a whole one follows at %zu",
                       place->name, reader->next_sequence, reader->at, offset);
    }
}

static void
check_segment(struct verify *verify, const struct segment_reader *reader,
              uint64_t number, const struct place *place)
{
    const struct segment_header *header = &reader->header;

    if (header->number != number ||
        (place->meta != NULL && memcmp(&header->database_id, &place->meta->id,
                                       sizeof(struct uuid)) != 0)) {
        verify_problem(verify,
                       "%s: it is another segment, or of another "
                       "database",
                       place->name);
    }
    if (place->sequence != 0 && header->first_sequence != place->sequence) {
        verify_problem(verify,
                       "%s: it begins with entry %" PRIu64
                       ", and entry %" PRIu64 " is damaged or missing",
                       place->name, header->first_sequence, place->sequence);
    }
}

static enum acta_code
look_at_segment(struct verify *verify, const char *dir, uint64_t number,
                struct place *place, struct acta_err *err)
{
    struct segment_reader reader;
    struct journal_entry entry;
    char path[FILE_PATH_MAX], name[64];
    enum acta_code code;

    snprintf(name, sizeof(name), JOURNAL_SEGMENT_PREFIX "%016" PRIx64, number);
    code = file_join(path, dir, name, err);
    if (code == ACTA_OK) {
        verify_look(verify, path);
        code = segment_reader_open(&reader, path, err);
    }
    if (code == ACTA_CORRUPT) {
        verify_problem(verify, "%s", err->text);
        *place = (struct place){.meta = place->meta};
        return ACTA_OK;
    }
    if (code != ACTA_OK) {
        return code;
    }
    place->name = name;
    verify->report->segments++;
    check_segment(verify, &reader, number, place);
    while (segment_reader_next(&reader, &entry)) {
        check_entry(verify, place, &entry);
    }
    check_end(verify, &reader, place);
    place->sequence = reader.next_sequence;
    segment_reader_close(&reader);
    return ACTA_OK;
}

/* The store has nothing that the journal did not have first; and nothing that
 * it has not yet may be gone.
 */
static void
check_against_store(struct verify *verify, const struct place *place,
                    uint64_t first)
{
    const struct store_meta *meta = place->meta;

    if (meta == NULL) {
        return;
    }
    if (first > meta->sequence + 1) {
        verify_problem(verify,
                       "journal: entries from %" PRIu64
                       " on are missing, it begins with %" PRIu64,
                       meta->sequence + 1, first);
    }
    if (place->sequence != 0 && place->sequence <= meta->sequence) {
        verify_problem(verify,
                       "journal: entry %" PRIu64
                       " is damaged or missing, the store has up to %" PRIu64,
                       place->sequence, meta->sequence);
    }
}

static enum acta_code
look_at_segments(struct verify *verify, const char *dir,
                 const struct numbers *numbers, struct place *place,
                 struct acta_err *err)
{
    uint64_t problems = verify->report->problems;
    enum acta_code code = ACTA_OK;
    uint64_t first = 0;

    for (size_t i = 0; code == ACTA_OK && i < numbers->count; i++) {
        uint64_t entries = verify->report->entries;

        verify_look(verify, dir);
        if (i > 0 && numbers->all[i] != numbers->all[i - 1] + 1) {
            verify_problem(verify, "journal: segment %" PRIu64 " is missing",
                           numbers->all[i - 1] + 1);
            *place = (struct place){.meta = place->meta};
        }
        code = look_at_segment(verify, dir, numbers->all[i], place, err);
        if (i == 0) {
            first = place->sequence - (verify->report->entries - entries);
        }
    }
    verify_look(verify, dir);
    if (code == ACTA_OK && problems == verify->report->problems) {
        check_against_store(verify, place, first);
    }
    return code;
}

enum acta_code
verify_journal(struct verify *verify, const char *dir,
               const struct store_meta *meta, struct acta_err *err)
{
    struct place place = {.meta = meta};
    struct numbers numbers = {0};
    enum acta_code code = list_segments(dir, &numbers, err);

    verify_look(verify, dir);
    if (code == ACTA_OK && numbers.count == 0 && meta != NULL &&
        meta->sequence > 0) {
        verify_problem(verify, "journal: it has no segment");
    } else if (code == ACTA_OK) {
        code = look_at_segments(verify, dir, &numbers, &place, err);
    }
    free(numbers.all);
    return code;
}

#include "journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "checksum.h"
#include "core.h"
#include "file.h"
#include "rnd.h"
#include "run.h"
#include "segment.h"
#include "tempdir.h"

#define SEGMENT JOURNAL_SEGMENT_SIZE_MIN
#define SECTOR  512

static struct tempdir dir;
static struct journal_options options;
static struct journal *journal;
static uint64_t sequence; /* Of the last entry. */
static uint64_t position; /* Of the last event. */
static uint64_t released; /* Entries up to here are not needed any more. */
static struct buf content;

static atomic_int sync_calls;
static atomic_int sync_fails_at; /* 0: never */

/* Nothing here outlives the system: what is written is as good as synced. */
static int
counted_sync(int fd)
{
    (void)fd;
    if (atomic_fetch_add(&sync_calls, 1) + 1 == atomic_load(&sync_fails_at)) {
        errno = EIO;
        return -1;
    }
    return 0;
}

static void
setup(void)
{
    tempdir_make(&dir);
    options = (struct journal_options){
        .dir = dir.path,
        .id = draft_id(1),
        .segment_size = SEGMENT,
        .spares_max = 2,
    };
    journal = NULL;
    sequence = 0;
    position = 0;
    released = 0;
    atomic_store(&sync_fails_at, 0);
    journal_sync = counted_sync;
    buf_init(&content, (size_t)32 << 20);
}

static void
teardown(void)
{
    journal_close(journal);
    buf_fini(&content);
    tempdir_remove(&dir);
}

/* ---- writing ---- */

static void
assert_ok(enum acta_code code, const struct acta_err *err)
{
    ck_assert_msg(code == ACTA_OK, "%s", err->text);
}

static void
open_journal(void)
{
    struct acta_err err;

    assert_ok(journal_open(&journal, &options, &err), &err);
}

static void
start_journal(void)
{
    struct acta_err err;

    assert_ok(journal_start(journal, sequence + 1, position + 1, &err), &err);
}

static void
close_journal(void)
{
    journal_close(journal);
    journal = NULL;
}

/* Make the record of @at in @content. Its data are made of its position. */
static struct block_record
record_at(uint64_t at, size_t size, const void *data)
{
    uint8_t *filled = malloc(size + 1);
    struct draft draft = {.id = at, .data = slice_make(filled, size)};
    struct block_record record;
    struct event event;
    uint8_t *bytes;

    memset(filled, (int)at, size);
    if (data != NULL) {
        memcpy(filled, data, size);
    }
    draft_event(&event, &content, "a-1", &draft);
    event.position = at;
    event.version = at;
    event.time_us = CORE_TIME_US + at;
    record.size = (uint32_t)event_record_size(&event);
    bytes = malloc(record.size);
    event_write_record(bytes, &event);
    record.data = bytes;
    record.checksum = checksum_of(bytes, record.size);
    free(filled);
    return record;
}

/* Write an entry of @count events with @size bytes of data each. */
static enum acta_code
write_entry(size_t count, size_t size, const void *data, struct acta_err *err)
{
    struct block_record *records = calloc(count + 1, sizeof(*records));
    struct journal_entry entry = {
        .sequence = sequence + 1,
        .first_position = position + 1,
        .time_us = CORE_TIME_US + sequence,
    };
    size_t records_size = 0, bytes = 0;
    struct block_writer writer;
    enum acta_code code;
    uint8_t *to;

    for (size_t i = 0; i < count; i++) {
        records[i] = record_at(position + 1 + i, size, data);
        records_size += records[i].size;
    }
    if (count > 0) {
        bytes = block_size(count, records_size);
    }
    code = journal_reserve(journal, journal_entry_size(bytes), err);
    if (code == ACTA_OK) {
        to = journal_prepare(journal, bytes);
        ck_assert_ptr_nonnull(to);
        if (count > 0) {
            block_writer_init(&writer, to, position + 1, count);
            for (size_t i = 0; i < count; i++) {
                block_writer_add(&writer, &records[i]);
            }
            block_writer_end(&writer);
            entry.block = slice_make(to, bytes);
        }
        code = journal_write(journal, &entry, err);
    }
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)records[i].data);
    }
    free(records);
    if (code == ACTA_OK) {
        sequence++;
        position += count;
    }
    return code;
}

static void
write_entries(size_t entries, size_t count, size_t size)
{
    struct acta_err err;

    for (size_t i = 0; i < entries; i++) {
        assert_ok(write_entry(count, size, NULL, &err), &err);
    }
}

/* ---- replaying ---- */

struct seen {
    uint64_t entries;
    uint64_t last_sequence;
    uint64_t next_position;
};

static enum acta_code
see(void *user, const struct journal_entry *entry, struct acta_err *err)
{
    struct seen *seen = user;
    struct block block;

    ck_assert(seen->entries == 0 || entry->sequence == seen->last_sequence + 1);
    ck_assert(seen->entries == 0 ||
              entry->first_position == seen->next_position);
    ck_assert_uint_eq(entry->time_us, CORE_TIME_US + entry->sequence - 1);
    seen->entries++;
    seen->last_sequence = entry->sequence;
    seen->next_position = entry->first_position;
    if (entry->block.size > 0) {
        assert_ok(block_open(&block, entry->block, err), err);
        for (uint64_t p = block.first_position; p < block_end(&block); p++) {
            struct block_record record;

            assert_ok(block_get(&block, p, &record, err), err);
        }
        seen->next_position = block_end(&block);
    }
    return ACTA_OK;
}

/* Open the journal that is closed, and replay it behind @after. */
static enum acta_code
replay(uint64_t after, struct seen *seen, struct acta_err *err)
{
    enum acta_code code;
    uint64_t last;

    *seen = (struct seen){.last_sequence = after};
    code = journal_open(&journal, &options, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = journal_replay(journal, after, see, seen, &last, err);
    ck_assert(code != ACTA_OK || last == seen->last_sequence);
    return code;
}

static void
assert_replays(uint64_t after, uint64_t last)
{
    struct acta_err err;
    struct seen seen;

    assert_ok(replay(after, &seen, &err), &err);
    ck_assert_uint_eq(seen.entries, last - after);
    ck_assert_uint_eq(seen.last_sequence, last);
    close_journal();
}

static void
assert_refuses(enum acta_code code, const char *text)
{
    struct acta_err err;
    struct seen seen;

    ck_assert_int_eq(replay(0, &seen, &err), code);
    ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
    close_journal();
}

/* Open, replay and start, as a process does. Sets what comes next. */
static void
restart(void)
{
    struct acta_err err;
    struct seen seen;

    close_journal();
    assert_ok(replay(released, &seen, &err), &err);
    sequence = seen.last_sequence;
    if (seen.entries > 0) {
        position = seen.next_position - 1;
    }
    start_journal();
}

/* The store has everything up to @up_to. */
static void
release(uint64_t up_to)
{
    journal_release(journal, up_to);
    released = up_to;
}

/* ---- the files ---- */

static const char *
segment_path(uint64_t number)
{
    char name[40];

    snprintf(name, sizeof(name), "segment-%016" PRIx64, number);
    return tempdir_file(&dir, name);
}

static uint8_t *
read_segment(uint64_t number, size_t *size)
{
    int fd = open(segment_path(number), O_RDONLY | O_CLOEXEC);
    struct stat status;
    uint8_t *bytes;

    ck_assert_int_ge(fd, 0);
    fstat(fd, &status);
    bytes = malloc((size_t)status.st_size);
    ck_assert_int_eq(file_read_at(fd, bytes, (size_t)status.st_size, 0, size,
                                  "segment", NULL),
                     ACTA_OK);
    close(fd);
    return bytes;
}

static void
change_segment(uint64_t number, size_t offset, const void *bytes, size_t size)
{
    int fd = open(segment_path(number), O_RDWR | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(
        file_write_at(fd, bytes, size, (off_t)offset, "segment", NULL),
        ACTA_OK);
    close(fd);
}

static void
flip(uint64_t number, size_t offset)
{
    size_t size;
    uint8_t *bytes = read_segment(number, &size);
    uint8_t byte = bytes[offset] ^ 0x10;

    change_segment(number, offset, &byte, 1);
    free(bytes);
}

static size_t
count_files(const char *prefix)
{
    struct dirent *entry;
    size_t count = 0;
    DIR *list = opendir(dir.path);

    while ((entry = readdir(list)) != NULL) {
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    }
    closedir(list);
    return count;
}

/* ---- entries ---- */

START_TEST(entries_come_back_in_order_and_whole)
{
    open_journal();
    start_journal();
    write_entries(10, 3, 100);
    write_entries(1, 0, 0); /* A mark. */
    write_entries(5, 1, 5000);
    close_journal();
    assert_replays(0, 16);
    for (uint64_t after = 1; after <= 16; after++) {
        assert_replays(after, 16);
    }
}
END_TEST

START_TEST(an_empty_journal_has_nothing_to_replay)
{
    open_journal();
    close_journal();
    assert_replays(0, 0);
}
END_TEST

START_TEST(a_visit_that_fails_ends_the_replay)
{
    struct acta_err err;
    uint64_t last;

    open_journal();
    start_journal();
    write_entries(3, 1, 10);
    close_journal();
    open_journal();
    ck_assert_int_eq(journal_replay(journal, 3, see, NULL, &last, &err),
                     ACTA_OK);
    ck_assert_uint_eq(last, 3);
}
END_TEST

/* Blocks right below, at and above what fills whole pages. */
START_TEST(entries_of_every_size_around_a_page_come_back)
{
    open_journal();
    start_journal();
    for (size_t size = 3900; size < 4060; size++) {
        write_entries(1, 1, size);
    }
    close_journal();
    assert_replays(0, 160);
}
END_TEST

START_TEST(an_entry_larger_than_a_segment_gets_one_of_its_own)
{
    open_journal();
    start_journal();
    write_entries(1, 1, 10);
    write_entries(1, 1, 3 * SEGMENT);
    write_entries(1, 1, 10);
    write_entries(1, 2, SEGMENT);
    write_entries(1, 1, (size_t)16 << 20);
    write_entries(1, 1, 10);
    close_journal();
    assert_replays(0, 6);
    assert_replays(3, 6);
}
END_TEST

START_TEST(segments_follow_one_another_over_restarts)
{
    open_journal();
    start_journal();
    for (int i = 0; i < 5; i++) {
        write_entries(40, 2, 30000); /* More than two segments. */
        restart();
    }
    ck_assert_uint_eq(sequence, 200);
    ck_assert_uint_eq(position, 400);
    ck_assert_uint_ge(count_files("segment-"), 10);
}
END_TEST

START_TEST(what_is_reserved_can_be_written_without_another_segment)
{
    struct acta_err err;
    size_t before;

    open_journal();
    start_journal();
    write_entries(1, 1, SEGMENT / 2);
    assert_ok(journal_reserve(journal, SEGMENT - SEGMENT_HEADER_SIZE, &err),
              &err);
    before = count_files("segment-");
    write_entries((SEGMENT - SEGMENT_HEADER_SIZE) / 4096, 1, 10);
    ck_assert_uint_eq(count_files("segment-"), before);
    write_entries(1, 1, 10);
    ck_assert_uint_eq(count_files("segment-"), before + 1);
}
END_TEST

/* ---- recycling ---- */

START_TEST(released_segments_are_used_again)
{
    open_journal();
    start_journal();
    for (int i = 0; i < 30; i++) {
        write_entries(20, 1, 60000);
        journal_release(journal, sequence);
        ck_assert_uint_le(count_files("segment-"), 2);
        ck_assert_uint_le(count_files("spare-"), options.spares_max + 1);
        ck_assert_uint_le(journal_size(journal), 5 * SEGMENT);
    }
    close_journal();
    assert_replays(sequence, sequence);
}
END_TEST

START_TEST(a_segment_is_kept_as_long_as_one_entry_of_it_is_needed)
{
    uint64_t first_of_second;

    open_journal();
    start_journal();
    write_entries(1, 1, 10);
    while (count_files("segment-") < 2) {
        write_entries(1, 1, 60000);
    }
    first_of_second = sequence;
    journal_release(journal, first_of_second - 2);
    ck_assert_uint_eq(count_files("segment-"), 2);
    journal_release(journal, first_of_second - 1);
    ck_assert_uint_eq(count_files("segment-"), 1);
    journal_release(journal, sequence); /* The newest stays. */
    ck_assert_uint_eq(count_files("segment-"), 1);
    close_journal();
    assert_replays(first_of_second - 1, sequence);
}
END_TEST

START_TEST(entries_that_were_released_and_are_needed_are_missed)
{
    struct acta_err err;
    struct seen seen;

    open_journal();
    start_journal();
    write_entries(40, 1, 60000);
    journal_release(journal, 30);
    close_journal();
    ck_assert_int_eq(replay(0, &seen, &err), ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "are missing"));
}
END_TEST

/* A recycled file is full of whole entries of its former life. */
START_TEST(entries_of_a_files_former_life_are_not_read)
{
    options.spares_max = 8;
    open_journal();
    start_journal();
    write_entries(60, 1, 60000);
    release(sequence);
    for (int i = 0; i < 8; i++) {
        uint64_t before = sequence;

        restart();
        ck_assert_uint_eq(sequence, before);
        write_entries(1, 1, 60000);
    }
}
END_TEST

START_TEST(spares_of_another_size_are_removed)
{
    open_journal();
    start_journal();
    write_entries(40, 1, 60000);
    journal_release(journal, sequence);
    close_journal();
    options.segment_size = 2 * SEGMENT;
    options.spares_max = 8;
    open_journal();
    ck_assert_uint_eq(count_files("spare-"), 0);
    ck_assert_uint_eq(journal_size(journal), SEGMENT * count_files("segment-"));
}
END_TEST

/* ---- torn ---- */

/* The last entry got as far as some sector, or some sectors of it did not get
 * there at all: it never was.
 */
START_TEST(a_last_entry_torn_at_any_sector_was_never_there)
{
    uint8_t *whole;
    size_t size, from, used, to;

    open_journal();
    start_journal();
    write_entries(2, 1, 2000);
    write_entries(1, 2, 9000);
    close_journal();
    whole = read_segment(1, &size);
    from = SEGMENT_HEADER_SIZE + 2 * 4096;
    used = from + SEGMENT_ENTRY_SIZE + get_u32(whole + from + 40);
    to = segment_round(used);
    for (size_t cut = from; cut < to; cut += SECTOR) {
        static const uint8_t zeros[32768];
        bool is_part = cut < used;

        /* All from here on is missing. */
        change_segment(1, cut, zeros, to - cut);
        assert_replays(0, is_part ? 2 : 3);
        change_segment(1, cut, whole + cut, to - cut);

        /* Only this sector is. */
        change_segment(1, cut, zeros, SECTOR);
        assert_replays(0, is_part ? 2 : 3);
        change_segment(1, cut, whole + cut, SECTOR);
    }
    assert_replays(0, 3);
    free(whole);
}
END_TEST

START_TEST(the_next_start_goes_on_behind_a_torn_entry)
{
    open_journal();
    start_journal();
    write_entries(3, 1, 2000);
    flip(1, SEGMENT_HEADER_SIZE + 2 * 4096 + 100);
    restart();
    ck_assert_uint_eq(sequence, 2);
    write_entries(4, 1, 2000);
    restart();
    ck_assert_uint_eq(sequence, 6);
}
END_TEST

/* ---- damaged ---- */

START_TEST(damage_before_a_whole_entry_is_reported_with_its_place)
{
    char text[60];

    open_journal();
    start_journal();
    write_entries(5, 1, 2000);
    close_journal();
    for (uint64_t e = 0; e < 4; e++) {
        size_t at = SEGMENT_HEADER_SIZE + 4096 * (size_t)e;

        snprintf(text, sizeof(text), "entry %" PRIu64 " at offset %zu", e + 1,
                 at);
        for (size_t offset = 0; offset < 2100; offset += 97) {
            flip(1, at + offset);
            assert_refuses(ACTA_CORRUPT, text);
            flip(1, at + offset);
        }
    }
    assert_replays(0, 5);
}
END_TEST

/* With a mark behind it the last entry with events is known to have been
 * acknowledged.
 */
START_TEST(damage_before_a_mark_is_reported)
{
    open_journal();
    start_journal();
    write_entries(3, 1, 2000);
    write_entries(1, 0, 0);
    close_journal();
    flip(1, SEGMENT_HEADER_SIZE + 2 * 4096 + 500);
    assert_refuses(ACTA_CORRUPT, "entry 3 at offset");
}
END_TEST

/* A copy of an entry further on is what a start after a kill looks for. After a
 * clean stop it does not look: the end is where the end is.
 */
START_TEST(nothing_is_looked_for_behind_the_end_of_a_clean_stop)
{
    size_t copy_at = SEGMENT_HEADER_SIZE + 9 * 4096, size;
    bool clean = _i == 1;
    uint8_t *segment;

    open_journal();
    start_journal();
    write_entries(3, 1, 2000);
    if (clean) {
        journal_end(journal);
    }
    close_journal();
    segment = read_segment(1, &size);
    change_segment(1, copy_at, segment + SEGMENT_HEADER_SIZE, 4096);
    free(segment);
    if (clean) {
        assert_replays(0, 3);
        restart();
        ck_assert_uint_eq(sequence, 3);
    } else {
        assert_refuses(ACTA_CORRUPT, "a whole one follows");
    }
}
END_TEST

START_TEST(damage_before_the_end_of_a_clean_stop_is_reported)
{
    open_journal();
    start_journal();
    write_entries(3, 1, 2000);
    journal_end(journal);
    close_journal();
    flip(1, SEGMENT_HEADER_SIZE + 2 * 4096 + 500);
    assert_refuses(ACTA_CORRUPT, "entry 3 at offset");
}
END_TEST

START_TEST(damage_at_the_end_of_a_segment_before_another_is_reported)
{
    open_journal();
    start_journal();
    write_entries(3, 1, 2000);
    restart();
    write_entries(3, 1, 2000);
    close_journal();
    flip(1, SEGMENT_HEADER_SIZE + 2 * 4096 + 500);
    assert_refuses(ACTA_CORRUPT, "entry 3 at offset");
}
END_TEST

/* Three segments of one entry each. */
static void
write_three_segments(void)
{
    open_journal();
    start_journal();
    write_entries(1, 1, 100);
    for (int i = 0; i < 2; i++) {
        restart();
        write_entries(1, 1, 100);
    }
    close_journal();
}

START_TEST(a_segment_that_is_missing_is_reported)
{
    static const char *const texts[] = {"entries 1 to 1 are missing",
                                        "segment 0000000000000002 is missing"};

    write_three_segments();
    ck_assert_int_eq(unlink(segment_path((uint64_t)_i + 1)), 0);
    assert_refuses(ACTA_CORRUPT, texts[_i]);
}
END_TEST

START_TEST(a_journal_without_segments_behind_a_store_is_reported)
{
    struct acta_err err;
    struct seen seen;

    ck_assert_int_eq(replay(5, &seen, &err), ACTA_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "there is no segment"));
}
END_TEST

START_TEST(segments_that_changed_names_are_reported)
{
    char first[300], second[300], other[300];

    write_three_segments();
    snprintf(first, sizeof(first), "%s", segment_path(1));
    snprintf(second, sizeof(second), "%s", segment_path(2));
    snprintf(other, sizeof(other), "%s", tempdir_file(&dir, "other"));
    ck_assert_int_eq(rename(first, other), 0);
    ck_assert_int_eq(rename(second, first), 0);
    ck_assert_int_eq(rename(other, second), 0);
    assert_refuses(ACTA_CORRUPT, "it says that its number is");
}
END_TEST

START_TEST(a_segment_of_another_database_is_reported)
{
    write_three_segments();
    options.id = draft_id(2);
    assert_refuses(ACTA_CORRUPT, "it is of another database");
}
END_TEST

/* Change the header of segment 1, with its checksum made right again. */
static void
change_header(size_t offset, const void *bytes, size_t size)
{
    size_t segment_size;
    uint8_t *segment = read_segment(1, &segment_size);

    memcpy(segment + offset, bytes, size);
    put_u32(segment + 12, checksum_of(segment + 16, 64));
    change_segment(1, 0, segment, SEGMENT_HEADER_SIZE);
    free(segment);
}

START_TEST(a_segment_of_a_newer_version_is_not_taken_for_damage)
{
    static const uint8_t newer[] = {SEGMENT_VERSION + 1, 0, 0, 0};

    write_three_segments();
    change_header(8, newer, sizeof(newer));
    assert_refuses(ACTA_UNSUPPORTED, "it has format version 2");
}
END_TEST

START_TEST(a_file_that_is_no_segment_is_reported)
{
    write_three_segments();
    change_header(0, "ACTAJNL9", 8);
    assert_refuses(ACTA_CORRUPT, "it is no journal segment");
}
END_TEST

START_TEST(every_flipped_bit_of_a_segments_header_is_found)
{
    write_three_segments();
    for (size_t bit = 0; bit < 8 * 72; bit++) {
        uint8_t header[SEGMENT_HEADER_SIZE], *whole;
        struct segment_header decoded;
        size_t size;

        whole = read_segment(1, &size);
        memcpy(header, whole, sizeof(header));
        free(whole);
        header[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_ne(segment_decode_header(&decoded, header, NULL),
                         ACTA_OK);
    }
}
END_TEST

START_TEST(a_segment_that_was_cut_is_reported)
{
    static const off_t sizes[] = {0, 100, 4096, SEGMENT - 1};

    write_three_segments();
    ck_assert_int_eq(truncate(segment_path(2), sizes[_i]), 0);
    assert_refuses(ACTA_CORRUPT, "bytes");
}
END_TEST

#define FORGED_SIZE (4 * (size_t)4096)

/* Where the data of the entry at @offset of segment 1 begin, which are made of
 * @byte.
 */
static size_t
find_data(size_t offset, uint8_t byte)
{
    uint8_t run[32];
    uint8_t *segment, *found;
    size_t size;

    memset(run, byte, sizeof(run));
    segment = read_segment(1, &size);
    found = memmem(segment + offset, size - offset, run, sizeof(run));
    ck_assert_ptr_nonnull(found);
    size = (size_t)(found - segment);
    free(segment);
    return size;
}

/* Data that look like entries wherever entries may begin. The entry that has
 * them is torn: whoever took them for a whole one would see damage. Nobody can
 * know the salt; with it, to show that the forgery is a good one, they are.
 */
START_TEST(data_of_events_are_never_taken_for_entries)
{
    struct journal_entry forged = {.sequence = 3, .first_position = 3};
    uint64_t salts[] = {0, UINT64_MAX, 0};
    uint8_t *data = calloc(1, FORGED_SIZE);
    size_t entry_at, data_at, size;
    struct acta_err err;
    uint8_t *segment;

    open_journal();
    start_journal();
    write_entries(1, 1, FORGED_SIZE); /* Of the same shape. */
    data_at = find_data(SEGMENT_HEADER_SIZE, 1) % 4096;
    segment = read_segment(1, &size);
    salts[2] = get_u64(segment + 32);
    entry_at = SEGMENT_HEADER_SIZE + /* Behind the first. */
               journal_entry_size(get_u32(segment + SEGMENT_HEADER_SIZE + 40));
    free(segment);
    for (size_t at = 4096 - data_at; at + 64 <= FORGED_SIZE; at += 4096) {
        segment_encode_entry(data + at, salts[_i], &forged);
    }
    assert_ok(write_entry(1, FORGED_SIZE, data, &err), &err);
    close_journal();
    flip(1, entry_at + 70); /* In the block's front. */
    if (_i < 2) {
        assert_replays(0, 1);
    } else {
        assert_refuses(ACTA_CORRUPT, "a whole one follows");
    }
    free(data);
}
END_TEST

/* ---- failing ---- */

/* Sync number n fails, whichever it is: of a new segment, a spare or an entry.
 * The caller is told, unless it was a spare's, and what had been acknowledged
 * is there.
 */
START_TEST(a_failing_sync_is_told_and_costs_nothing_acknowledged)
{
    enum acta_code code = ACTA_OK;
    struct acta_err err;

    open_journal();
    start_journal();
    atomic_store(&sync_calls, 0);
    atomic_store(&sync_fails_at, _i);
    for (int i = 0; i < 40 && code == ACTA_OK; i++) {
        code = write_entry(1, 60000, NULL, &err);
    }
    close_journal();
    if (code != ACTA_OK) {
        ck_assert(code == ACTA_IO || code == ACTA_FULL);
        ck_assert_ptr_nonnull(strstr(err.text, "sync") != NULL
                                  ? err.text
                                  : strstr(err.text, "space"));
    }
    open_journal();
    {
        struct seen seen = {0};
        uint64_t last;

        assert_ok(journal_replay(journal, 0, see, &seen, &last, &err), &err);
        ck_assert_uint_ge(last, sequence);
        ck_assert_uint_le(last, sequence + 1); /* Its outcome is unknown. */
    }
}
END_TEST

START_TEST(a_sync_that_fails_for_an_entry_is_no_success)
{
    struct acta_err err;

    open_journal();
    start_journal();
    write_entries(1, 1, 10);
    atomic_store(&sync_fails_at, atomic_load(&sync_calls) + 1);
    while (write_entry(1, 10, NULL, &err) == ACTA_OK) {
        /* The keeper's sync came first. */
        atomic_store(&sync_fails_at, atomic_load(&sync_calls) + 1);
    }
    ck_assert_int_eq(err.code, ACTA_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "write journal: sync"));
    close_journal();
}
END_TEST

/* Files of a few pages at most stand for a full disk: nothing is written, the
 * caller is told, and goes on when there is room.
 */
START_TEST(a_full_disk_is_told_before_anything_is_written)
{
    struct rlimit small = {.rlim_cur = SEGMENT / 2, .rlim_max = RLIM_INFINITY};
    struct rlimit large = {.rlim_cur = RLIM_INFINITY,
                           .rlim_max = RLIM_INFINITY};
    struct acta_err err;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    open_journal();
    start_journal();
    ck_assert_int_eq(write_entry(1, 10, NULL, &err), ACTA_FULL);
    ck_assert_int_eq(write_entry(1, 2 * SEGMENT, NULL, &err), ACTA_FULL);
    ck_assert_uint_eq(sequence, 0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &large), 0);
    while (write_entry(1, 10, NULL, &err) != ACTA_OK) {
        ck_assert_int_eq(err.code, ACTA_FULL);
        sched_yield(); /* Until the keeper tries again. */
    }
    write_entries(40, 1, 60000);
    close_journal();
    assert_replays(0, 41);
}
END_TEST

/* ---- at random ---- */

START_TEST(random_lives_lose_nothing)
{
    struct rnd rnd;

    rnd_init(&rnd);
    open_journal();
    start_journal();
    for (unsigned i = 0; i < rnd_effort(30, 1000); i++) {
        uint64_t before;

        for (uint64_t e = rnd_below(&rnd, 10); e > 0; e--) {
            size_t size_max = rnd_once_in(&rnd, 20) ? 2 * SEGMENT : 20000;

            write_entries(1, rnd_below(&rnd, 4), rnd_below(&rnd, size_max));
        }
        before = sequence;
        if (rnd_once_in(&rnd, 3)) {
            release(released + rnd_below(&rnd, before - released + 1));
        }
        if (rnd_once_in(&rnd, 3)) {
            restart();
        }
        ck_assert_uint_eq(sequence, before);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("journal");
    TCase *entries = tcase_create("entries");
    TCase *recycling = tcase_create("recycling");
    TCase *damage = tcase_create("damage");
    TCase *failing = tcase_create("failing");

    suite_add_tcase(suite, entries);
    tcase_add_checked_fixture(entries, setup, teardown);
    tcase_add_test(entries, entries_come_back_in_order_and_whole);
    tcase_add_test(entries, an_empty_journal_has_nothing_to_replay);
    tcase_add_test(entries, a_visit_that_fails_ends_the_replay);
    tcase_add_test(entries, entries_of_every_size_around_a_page_come_back);
    tcase_add_test(entries, an_entry_larger_than_a_segment_gets_one_of_its_own);
    tcase_add_test(entries, segments_follow_one_another_over_restarts);
    tcase_add_test(entries,
                   what_is_reserved_can_be_written_without_another_segment);
    tcase_add_test(entries, random_lives_lose_nothing);

    suite_add_tcase(suite, recycling);
    tcase_add_checked_fixture(recycling, setup, teardown);
    tcase_add_test(recycling, released_segments_are_used_again);
    tcase_add_test(recycling,
                   a_segment_is_kept_as_long_as_one_entry_of_it_is_needed);
    tcase_add_test(recycling,
                   entries_that_were_released_and_are_needed_are_missed);
    tcase_add_test(recycling, entries_of_a_files_former_life_are_not_read);
    tcase_add_test(recycling, spares_of_another_size_are_removed);

    suite_add_tcase(suite, damage);
    tcase_add_checked_fixture(damage, setup, teardown);
    tcase_add_test(damage, a_last_entry_torn_at_any_sector_was_never_there);
    tcase_add_test(damage, the_next_start_goes_on_behind_a_torn_entry);
    tcase_add_test(damage,
                   damage_before_a_whole_entry_is_reported_with_its_place);
    tcase_add_test(damage, damage_before_a_mark_is_reported);
    tcase_add_loop_test(
        damage, nothing_is_looked_for_behind_the_end_of_a_clean_stop, 0, 2);
    tcase_add_test(damage, damage_before_the_end_of_a_clean_stop_is_reported);
    tcase_add_test(damage,
                   damage_at_the_end_of_a_segment_before_another_is_reported);
    tcase_add_loop_test(damage, a_segment_that_is_missing_is_reported, 0, 2);
    tcase_add_test(damage,
                   a_journal_without_segments_behind_a_store_is_reported);
    tcase_add_test(damage, segments_that_changed_names_are_reported);
    tcase_add_test(damage, a_segment_of_another_database_is_reported);
    tcase_add_test(damage,
                   a_segment_of_a_newer_version_is_not_taken_for_damage);
    tcase_add_test(damage, a_file_that_is_no_segment_is_reported);
    tcase_add_test(damage, every_flipped_bit_of_a_segments_header_is_found);
    tcase_add_loop_test(damage, a_segment_that_was_cut_is_reported, 0, 4);
    tcase_add_loop_test(damage, data_of_events_are_never_taken_for_entries, 0,
                        3);

    suite_add_tcase(suite, failing);
    tcase_add_checked_fixture(failing, setup, teardown);
    tcase_add_loop_test(
        failing, a_failing_sync_is_told_and_costs_nothing_acknowledged, 1, 30);
    tcase_add_test(failing, a_sync_that_fails_for_an_entry_is_no_success);
    tcase_add_test(failing, a_full_disk_is_told_before_anything_is_written);
    return run_suite(suite);
}

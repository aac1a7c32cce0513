/* A journal of up to three segment files, opened, replayed and recovered. The
 * input says what is in the files: bytes, or headers, entries, records and rows
 * whose checksums are made right, so that what lies behind these is reached.
 *
 * Whatever that is: entries are shown in order and whole, a second replay shows
 * the same, no segment is removed or changed, and what is recovered can be
 * read.
 */

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block.h"
#include "checksum.h"
#include "core_rows.h"
#include "event.h"
#include "fuzz.h"
#include "fuzz_input.h"
#include "journal_files.h"
#include "record.h"
#include "recover.h"
#include "row.h"
#include "scratch.h"
#include "segment.h"
#include "store.h"

#define SEGMENTS_MAX 3
#define FILE_MAX     (256u << 10)
#define RECORDS_MAX  16
#define EVENTS_MAX   4096
#define MAP_SIZE     ((size_t)1 << 24)
#define PAGE_SIZE    (1u << 16)

/* What a segment or an entry says of itself, if it is not what it should. */
#define WRONG_NUMBER   0x01u
#define WRONG_SEQUENCE 0x02u
#define WRONG_POSITION 0x04u
#define RAW_BODY       0x08u
#define IS_END         0x10u

struct file {
    char path[SCRATCH_PATH_MAX];
    uint8_t bytes[FILE_MAX];
    size_t size;
};

static struct file files[SEGMENTS_MAX];
static size_t files_count;
static struct core core; /* Of which only the rooms are used. */
static struct uuid id;
static uint64_t sequence; /* Of the next entry, if all is right. */
static uint64_t position; /* Of the next event. */

/* ---- writing ---- */

static void
put_records(struct fuzz_input *input, struct buf *body, uint64_t first)
{
    size_t count = 1 + fuzz_take_byte(input) % RECORDS_MAX;
    struct block_record records[RECORDS_MAX];
    struct buf content[RECORDS_MAX];
    struct block_writer writer;
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t version = fuzz_take_byte(input);
        struct slice rest = fuzz_take_bytes(input);
        struct slice whole;

        buf_init(&content[i], FILE_MAX);
        pack_array(&content[i], EVENT_RECORD_FIELDS);
        pack_fixed(&content[i], first + i);
        pack_fixed(&content[i], version);
        pack_fixed(&content[i], CORE_TIME_US + first + i);
        buf_append_slice(&content[i], rest);
        whole = buf_slice(&content[i]);
        records[i] = (struct block_record){
            .data = whole.data,
            .size = (uint32_t)whole.size,
            .checksum = checksum_of(whole.data, whole.size),
        };
        size += whole.size;
    }
    FUZZ_PROMISE(buf_reserve(body, block_size(count, size)) != NULL);
    block_writer_init(&writer, buf_reserve(body, block_size(count, size)),
                      first, count);
    for (size_t i = 0; i < count; i++) {
        block_writer_add(&writer, &records[i]);
        buf_fini(&content[i]);
    }
    (void)block_writer_end(&writer);
    buf_advance(body, block_size(count, size));
    position = first + count;
}

static void
put_rows(struct fuzz_input *input, struct buf *rows)
{
    size_t count = fuzz_take_byte(input) % 4;

    for (size_t i = 0; i < count; i++) {
        struct row row = {.kind = (enum row_kind)fuzz_take_byte(input)};

        row.key = fuzz_take(input, fuzz_take_byte(input));
        row.value = fuzz_take_bytes(input);
        rows_add(rows, &row);
    }
    rows_end(rows);
}

static void
put_entry(struct fuzz_input *input, struct buf *file, uint64_t salt)
{
    uint8_t flags = fuzz_take_byte(input);
    struct journal_entry entry = {.sequence = sequence,
                                  .first_position = position,
                                  .time_us = CORE_TIME_US + sequence,
                                  .is_end = (flags & IS_END) != 0};
    uint8_t header[SEGMENT_ENTRY_SIZE] = {0};
    struct buf block, rows;

    sequence++;
    if ((flags & WRONG_SEQUENCE) != 0) {
        entry.sequence = fuzz_take_byte(input);
    }
    if ((flags & WRONG_POSITION) != 0) {
        entry.first_position = fuzz_take_byte(input);
    }
    buf_init(&block, FILE_MAX);
    buf_init(&rows, FILE_MAX);
    if ((flags & RAW_BODY) != 0) {
        buf_append_slice(&block, fuzz_take_bytes(input));
        buf_append_slice(&rows, fuzz_take_bytes(input));
    } else {
        if ((flags & IS_END) == 0) {
            put_records(input, &block, entry.first_position);
        }
        put_rows(input, &rows);
    }
    entry.block = buf_slice(&block);
    entry.rows = buf_slice(&rows);
    segment_encode_entry(header, salt, &entry);
    buf_append(file, header, sizeof(header));
    buf_append_slice(file, entry.block);
    buf_append_slice(file, entry.rows);
    buf_fini(&block);
    buf_fini(&rows);
}

static void
pad(struct buf *file)
{
    static const uint8_t zeros[SEGMENT_ALIGNMENT];

    buf_append(file, zeros, segment_round(buf_size(file)) - buf_size(file));
}

static void
put_segment(struct fuzz_input *input, struct buf *buf, uint64_t number)
{
    uint8_t flags = fuzz_take_byte(input);
    uint8_t first[SEGMENT_HEADER_SIZE];
    struct segment_header header = {.database_id = id,
                                    .salt = 0x5a17 + number,
                                    .number = number,
                                    .first_sequence = sequence,
                                    .first_position = position};
    size_t count;

    if ((flags & RAW_BODY) != 0) {
        buf_append_slice(buf, fuzz_take_bytes(input));
        return;
    }
    if ((flags & WRONG_NUMBER) != 0) {
        header.number = fuzz_take_byte(input);
    }
    if ((flags & WRONG_SEQUENCE) != 0) {
        header.first_sequence = fuzz_take_byte(input);
    }
    if ((flags & WRONG_POSITION) != 0) {
        header.first_position = fuzz_take_byte(input);
    }
    memset(first, 0, sizeof(first));
    buf_append(buf, first, sizeof(first));
    count = fuzz_take_byte(input) % 6;
    for (size_t i = 0; i < count; i++) {
        put_entry(input, buf, header.salt);
        pad(buf);
    }
    for (count = fuzz_take_byte(input) % 4; count > 0; count--) {
        pad(buf); /* Room behind the last entry. */
        buf_append(buf, first, sizeof(first));
    }
    header.size = buf_size(buf);
    segment_encode_header(first, &header);
    buf_patch(buf, 0, first, sizeof(first));
}

/* Bytes that came out otherwise on the disk. */
static void
damage(struct fuzz_input *input, struct file *file)
{
    for (size_t count = fuzz_take_byte(input) % 3; count > 0; count--) {
        size_t at = fuzz_take_short(input) * (size_t)8;
        struct slice bytes = fuzz_take(input, fuzz_take_byte(input));

        for (size_t i = 0; i < bytes.size && at + i < file->size; i++) {
            file->bytes[at + i] = bytes.data[i];
        }
    }
}

static void
put_files(struct fuzz_input *input)
{
    files_count = 1 + fuzz_take_byte(input) % SEGMENTS_MAX;
    sequence = 1;
    position = 1;
    for (size_t i = 0; i < files_count; i++) {
        struct file *file = &files[i];
        char name[40];
        struct buf buf;

        buf_init(&buf, FILE_MAX);
        put_segment(input, &buf, i + 1);
        file->size = buf_failed(&buf) ? 0 : buf_size(&buf);
        if (file->size > 0) {
            memcpy(file->bytes, buf_slice(&buf).data, file->size);
        }
        buf_fini(&buf);
        damage(input, file);
        snprintf(name, sizeof(name), "journal/" JOURNAL_SEGMENT_PREFIX "%016zx",
                 i + 1);
        scratch_path(file->path, name);
        scratch_write(file->path, slice_make(file->bytes, file->size));
    }
}

/* ---- reading ---- */

struct shown {
    uint64_t sequence;
    uint64_t entries;
    uint32_t sum; /* Of all that was shown. */
};

static enum acta_code
show(void *user, const struct journal_entry *entry, struct acta_err *err)
{
    struct shown *shown = user;
    struct block_record record;
    struct block block;
    struct slice rows;
    struct row row;

    FUZZ_PROMISE(entry->sequence == shown->sequence + 1);
    FUZZ_PROMISE(!entry->is_end);
    shown->sequence = entry->sequence;
    shown->entries++;
    shown->sum =
        checksum_extend(shown->sum, entry->block.data, entry->block.size);
    shown->sum =
        checksum_extend(shown->sum, entry->rows.data, entry->rows.size);
    if (entry->block.size > 0) {
        FUZZ_PROMISE(block_open(&block, entry->block, err) == ACTA_OK);
        FUZZ_PROMISE(block.size == entry->block.size);
        FUZZ_PROMISE(block.first_position == entry->first_position);
        for (uint64_t p = block.first_position; p < block_end(&block); p++) {
            FUZZ_PROMISE(block_get(&block, p, &record, err) == ACTA_OK);
            FUZZ_PROMISE(
                record_position(slice_make(record.data, record.size)) == p);
        }
    }
    FUZZ_PROMISE(rows_open(&rows, entry->rows, err) == ACTA_OK);
    while (rows_next(&rows, &row)) {
        FUZZ_PROMISE(row.key.size <= entry->rows.size);
    }
    return ACTA_OK;
}

static struct journal *
open_journal(void)
{
    char path[SCRATCH_PATH_MAX];
    struct journal_options options = {
        .dir = scratch_path(path, "journal"),
        .id = id,
        .segment_size = JOURNAL_SEGMENT_SIZE_MIN,
        .spares_max = 2,
    };
    struct journal *journal;
    struct acta_err err;
    enum acta_code code = journal_open(&journal, &options, &err);

    FUZZ_PROMISE((journal != NULL) == (code == ACTA_OK));
    FUZZ_PROMISE(code == ACTA_OK || err.code == code);
    return journal;
}

/* What a replay ends with, and what it shows. False: it cannot be opened. */
static bool
replay(struct shown *shown, enum acta_code *code)
{
    struct journal *journal = open_journal();
    uint64_t last = 0;
    struct acta_err err;

    if (journal == NULL) {
        return false;
    }
    *shown = (struct shown){0};
    *code = journal_replay(journal, 0, show, shown, &last, &err);
    FUZZ_PROMISE(*code != ACTA_OK || last == shown->sequence);
    FUZZ_PROMISE(*code == ACTA_OK || err.text[0] != '\0');
    journal_close(journal);
    return true;
}

/* ---- recovering ---- */

/* What readers show is in order, each record of its position. */
static void
read_all(void)
{
    struct read_bounds bounds = {.events_max = 100, .bytes_max = PAGE_SIZE};
    struct reader *reader = core_reader(&core);
    struct read_result result = {0};
    struct query all = QUERY_ALL;
    enum acta_code code;
    uint64_t last = 0;
    struct buf out;

    buf_init(&out, (size_t)1 << 26);
    do {
        struct slice records;
        struct event event;

        buf_clear(&out);
        code = reader_read_all(reader, &all, result.next, false, &bounds, &out,
                               &result, NULL);
        records = buf_slice(&out);
        while (records.size > 0) {
            FUZZ_PROMISE(msg_next_event(&records, &event, NULL) == ACTA_OK);
            FUZZ_PROMISE(event.position > last);
            last = event.position;
        }
    } while (code == ACTA_OK && !result.at_end);
    FUZZ_PROMISE(last <= tail_head(&core.rooms.tail));
    reader_close(reader);
    buf_fini(&out);
}

static void
recover_all(void)
{
    struct database_options options;
    uint64_t last, time_us;
    struct acta_err err;

    database_options_init(&options);
    options.dir = scratch_dir();
    core.rooms.journal = open_journal();
    FUZZ_PROMISE(core.rooms.journal != NULL);
    FUZZ_PROMISE(tail_init(&core.rooms.tail, 0, 0, EVENTS_MAX, &err) ==
                 ACTA_OK);
    if (recover(&core.rooms, &options, &last, &time_us, &err) == ACTA_OK) {
        read_all();
    }
    tail_fini(&core.rooms.tail);
    marks_fini(&core.rooms.marks);
    memset(&core.rooms.marks, 0, sizeof(core.rooms.marks));
    atomic_store(&core.rooms.now_us, 0);
    atomic_store(&core.rooms.erasures_pending, 0);
    journal_close(core.rooms.journal);
    core.rooms.journal = NULL;
}

/* A store without events, for all runs: nothing is written to it. */
static void
prepare(void)
{
    char path[SCRATCH_PATH_MAX];
    struct acta_err err;

    if (core.rooms.store != NULL) {
        return;
    }
    id = draft_id(1);
    FUZZ_PROMISE(mkdir(scratch_path(path, "journal"), 0700) == 0);
    FUZZ_PROMISE(mkdir(scratch_path(path, "store"), 0700) == 0);
    FUZZ_PROMISE(store_create(path, MAP_SIZE, &id, 0, &err) == ACTA_OK);
    FUZZ_PROMISE(store_open(&core.rooms.store, path, MAP_SIZE, &err) ==
                 ACTA_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {slice_make(data, size)};
    enum acta_code first_code = ACTA_OK, code = ACTA_OK;
    struct shown first, second;

    prepare();
    put_files(&input);
    if (replay(&first, &first_code)) {
        FUZZ_PROMISE(replay(&second, &code));
        FUZZ_PROMISE(code == first_code);
        FUZZ_PROMISE(second.entries == first.entries);
        FUZZ_PROMISE(second.sum == first.sum);
        recover_all();
    }
    for (size_t i = 0; i < files_count; i++) {
        FUZZ_PROMISE(scratch_has(files[i].path,
                                 slice_make(files[i].bytes, files[i].size)));
        unlink(files[i].path);
    }
    return 0;
}

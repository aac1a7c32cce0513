#include "journal_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checksum.h"
#include "core.h"
#include "file.h"
#include "journal_files.h"

struct tempdir dir;
struct journal_options options;
struct journal *journal;
uint64_t sequence;
uint64_t position;
uint64_t released;
struct buf content;

atomic_int sync_calls;
atomic_int sync_fails_at;

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

void
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

void
teardown(void)
{
    journal_close(journal);
    buf_fini(&content);
    tempdir_remove(&dir);
}

/* ---- writing ---- */

void
assert_ok(enum acta_code code, const struct acta_err *err)
{
    ck_assert_msg(code == ACTA_OK, "%s", err->text);
}

void
open_journal(void)
{
    struct acta_err err;

    assert_ok(journal_open(&journal, &options, &err), &err);
}

void
start_journal(void)
{
    struct acta_err err;

    assert_ok(journal_start(journal, sequence + 1, position + 1, &err), &err);
}

void
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

enum acta_code
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

void
write_entries(size_t entries, size_t count, size_t size)
{
    struct acta_err err;

    for (size_t i = 0; i < entries; i++) {
        assert_ok(write_entry(count, size, NULL, &err), &err);
    }
}

void
write_segments(size_t count)
{
    while (count_files("segment-") < count) {
        write_entries(1, 1, 60000);
    }
}

void
wait_for_keeper(void)
{
    struct journal_files *files = journal_files_of(journal);

    pthread_mutex_lock(&files->lock);
    while (files->spares_count < JOURNAL_SPARES_READY) {
        pthread_cond_wait(&files->changed, &files->lock);
    }
    pthread_mutex_unlock(&files->lock);
}

/* ---- replaying ---- */

enum acta_code
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

enum acta_code
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

void
assert_replays(uint64_t after, uint64_t last)
{
    struct acta_err err;
    struct seen seen;

    assert_ok(replay(after, &seen, &err), &err);
    ck_assert_uint_eq(seen.entries, last - after);
    ck_assert_uint_eq(seen.last_sequence, last);
    close_journal();
}

void
assert_refuses(enum acta_code code, const char *text)
{
    struct acta_err err;
    struct seen seen;

    ck_assert_int_eq(replay(0, &seen, &err), code);
    ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
    close_journal();
}

void
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

void
let_go(uint64_t up_to)
{
    struct acta_err err;

    assert_ok(journal_release(journal, up_to, &err), &err);
}

void
release(uint64_t up_to)
{
    let_go(up_to);
    released = up_to;
}

/* ---- the files ---- */

const char *
segment_path(uint64_t number)
{
    char name[40];

    snprintf(name, sizeof(name), "segment-%016" PRIx64, number);
    return tempdir_file(&dir, name);
}

uint8_t *
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

void
change_segment(uint64_t number, size_t offset, const void *bytes, size_t size)
{
    int fd = open(segment_path(number), O_RDWR | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(
        file_write_at(fd, bytes, size, (off_t)offset, "segment", NULL),
        ACTA_OK);
    close(fd);
}

void
flip(uint64_t number, size_t offset)
{
    size_t size;
    uint8_t *bytes = read_segment(number, &size);
    uint8_t byte = bytes[offset] ^ 0x10;

    change_segment(number, offset, &byte, 1);
    free(bytes);
}

size_t
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

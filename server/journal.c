/* The newest segment is the writer's alone. Which files there are is the
 * business of journal_files.h.
 */

#include "journal.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failpoint.h"
#include "file.h"
#include "journal_files.h"
#include "segment.h"

#define STAGING_KEEP ((size_t)4 << 20) /* Larger ones are given back. */

struct journal {
    struct journal_files files;

    /* These belong to the writer. */
    int fd; /* Of the newest segment, -1 before journal_start(). */
    struct segment_header current;
    size_t offset; /* Where the next entry goes. */
    uint64_t next_sequence;
    uint64_t next_position;
    uint8_t *staging; /* owned: an entry as it will be written */
    size_t staging_size;
};

int (*journal_sync)(int fd) = fdatasync;

struct journal_files *
journal_files_of(struct journal *journal)
{
    return &journal->files;
}

/* ---- opening and closing ---- */

enum acta_code
journal_open(struct journal **out, const struct journal_options *options,
             struct acta_err *err)
{
    struct journal *journal;
    enum acta_code code;

    *out = NULL;
    journal = calloc(1, sizeof(*journal));
    if (journal == NULL) {
        return acta_fail(err, ACTA_MEMORY, "open journal");
    }
    journal->fd = -1;
    code = journal_files_open(&journal->files, options, err);
    if (code != ACTA_OK) {
        journal_close(journal);
        return acta_wrap(err, code, "open journal");
    }
    *out = journal;
    return ACTA_OK;
}

void
journal_close(struct journal *journal)
{
    if (journal == NULL) {
        return;
    }
    journal_files_close(&journal->files);
    if (journal->fd >= 0) {
        close(journal->fd);
    }
    free(journal->staging);
    free(journal);
}

/* ---- recovery ---- */

/* The segment has ended where the reader stopped. Was that its end? */
static enum acta_code
check_end(const struct segment *segment, const struct segment_reader *reader,
          const char *path, struct acta_err *err)
{
    const struct segment *next = segment->next;
    size_t offset;

    if (next != NULL) {
        if (next->header.first_sequence == reader->next_sequence) {
            return ACTA_OK;
        }
        return acta_fail(err, ACTA_CORRUPT,
                         "%s: entry %" PRIu64 " at offset %zu is damaged or "
                         "missing, the next segment begins with entry "
                         "%" PRIu64,
                         path, reader->next_sequence, reader->at,
                         next->header.first_sequence);
    }
    if (segment_reader_goes_on(reader, &offset)) {
        return acta_fail(err, ACTA_CORRUPT,
                         "%s: entry %" PRIu64 " at offset %zu is damaged, a "
                         "whole one follows at %zu",
                         path, reader->next_sequence, reader->at, offset);
    }
    return ACTA_OK;
}

struct visitor {
    uint64_t after;
    enum acta_code (*visit)(void *user, const struct journal_entry *entry,
                            struct acta_err *err);
    void *user;
    uint64_t last;
};

static enum acta_code
replay_segment(struct journal *journal, const struct segment *segment,
               struct visitor *visitor, struct acta_err *err)
{
    struct segment_reader reader;
    struct journal_entry entry;
    char path[FILE_PATH_MAX];
    enum acta_code code;

    journal_files_path(&journal->files, JOURNAL_SEGMENT_PREFIX,
                       segment->header.number, path);
    code = segment_reader_open(&reader, path, err);
    if (code != ACTA_OK) {
        return code;
    }
    while (code == ACTA_OK && segment_reader_next(&reader, &entry)) {
        if (entry.sequence > visitor->after) {
            code = visitor->visit(visitor->user, &entry, err);
            visitor->last = entry.sequence;
        }
    }
    if (code == ACTA_OK) {
        code = check_end(segment, &reader, path, err);
    }
    segment_reader_close(&reader);
    return code;
}

enum acta_code
journal_replay(struct journal *journal, uint64_t after,
               enum acta_code (*visit)(void *user,
                                       const struct journal_entry *entry,
                                       struct acta_err *err),
               void *user, uint64_t *last, struct acta_err *err)
{
    struct visitor visitor = {after, visit, user, after};
    const struct segment *segment = journal->files.segments;
    enum acta_code code = ACTA_OK;

    if (segment == NULL && after > 0) { /* The newest is never released. */
        return acta_fail(err, ACTA_CORRUPT,
                         "replay journal: %s: there is no segment, although "
                         "entries up to %" PRIu64 " were written",
                         journal->files.dir, after);
    }
    while (segment != NULL && segment_is_before(segment, after)) {
        segment = segment->next;
    }
    if (segment != NULL && segment->header.first_sequence > after + 1) {
        return acta_fail(err, ACTA_CORRUPT,
                         "replay journal: %s: entries %" PRIu64 " to %" PRIu64
                         " are missing",
                         journal->files.dir, after + 1,
                         segment->header.first_sequence - 1);
    }
    while (code == ACTA_OK && segment != NULL) {
        code = replay_segment(journal, segment, &visitor, err);
        segment = segment->next;
    }
    *last = visitor.last;
    return code == ACTA_OK ? ACTA_OK : acta_wrap(err, code, "replay journal");
}

/* ---- beginning segments ---- */

/* Go over to a new segment with room for @size bytes of entries. */
static enum acta_code
begin_segment(struct journal *journal, size_t size, struct acta_err *err)
{
    struct segment_header header = {
        .database_id = journal->files.id,
        .number = journal->current.number + 1,
        .first_sequence = journal->next_sequence,
        .first_position = journal->next_position,
    };
    enum acta_code code;
    int fd;

    code = journal_files_begin(&journal->files, &header, size, journal->offset,
                               &fd, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (journal->fd >= 0) {
        close(journal->fd);
    }
    journal->fd = fd;
    journal->current = header;
    journal->offset = SEGMENT_HEADER_SIZE;
    return ACTA_OK;
}

/* The process that wrote the last segment may have been killed between writing
 * an entry and syncing it. That entry was read as whole, so it counts, and
 * must be durable before anyone sees it.
 */
static enum acta_code
sync_last_segment(struct journal *journal, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    char path[FILE_PATH_MAX];
    int fd;

    if (journal->files.segments == NULL) {
        return ACTA_OK;
    }
    journal_files_path(&journal->files, JOURNAL_SEGMENT_PREFIX,
                       journal->current.number, path);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return file_fail(err, "open", path);
    }
    FAILPOINT("last-segment-sync");
    if (journal_sync(fd) != 0) {
        code = file_fail(err, "sync", path);
    }
    close(fd);
    FAILPOINT("last-segment-synced");
    return code;
}

enum acta_code
journal_start(struct journal *journal, uint64_t sequence,
              uint64_t first_position, struct acta_err *err)
{
    enum acta_code code;

    assert(!journal->files.started);

    for (struct segment *s = journal->files.segments; s != NULL; s = s->next) {
        journal->current.number = s->header.number;
    }
    journal->next_sequence = sequence;
    journal->next_position = first_position;
    code = sync_last_segment(journal, err);
    if (code == ACTA_OK) {
        code = begin_segment(journal, 0, err);
        code = code == ACTA_FULL ? ACTA_OK : code;
    }
    if (code == ACTA_OK) {
        code = journal_files_start_keeper(&journal->files, err);
    }
    return code == ACTA_OK ? ACTA_OK : acta_wrap(err, code, "start journal");
}

/* ---- writing ---- */

size_t
journal_entry_size(size_t size)
{
    return segment_round(SEGMENT_ENTRY_SIZE + size);
}

enum acta_code
journal_reserve(struct journal *journal, size_t size, struct acta_err *err)
{
    assert(journal->files.started);

    if (size <= journal->current.size - journal->offset) {
        return ACTA_OK;
    }
    return begin_segment(journal, size, err);
}

size_t
journal_room(const struct journal *journal)
{
    return journal->current.size - journal->offset;
}

bool
journal_wants_turn(struct journal *journal)
{
    return journal_files_has_wanted(&journal->files);
}

enum acta_code
journal_turn(struct journal *journal, bool *turned, struct acta_err *err)
{
    enum acta_code code = ACTA_FULL;

    if (journal_files_has_wanted(&journal->files)) {
        code = begin_segment(journal, 0, err);
    }
    *turned = code == ACTA_OK;
    return code == ACTA_FULL ? ACTA_OK : code;
}

uint8_t *
journal_prepare(struct journal *journal, size_t body_size)
{
    size_t size = journal_entry_size(body_size);

    if (size > journal->staging_size ||
        (journal->staging_size > STAGING_KEEP && size <= STAGING_KEEP)) {
        free(journal->staging);
        journal->staging_size = size < STAGING_KEEP ? STAGING_KEEP : size;
        journal->staging =
            aligned_alloc(SEGMENT_ALIGNMENT, journal->staging_size);
        if (journal->staging == NULL) {
            journal->staging_size = 0;
            return NULL;
        }
    }
    return journal->staging + SEGMENT_ENTRY_SIZE;
}

/* Write and sync the entry whose body is in the staging memory. */
static enum acta_code
put_entry(struct journal *journal, const struct journal_entry *entry,
          struct acta_err *err)
{
    size_t body_size = entry->block.size + entry->rows.size;
    size_t size = journal_entry_size(body_size);
    size_t used = SEGMENT_ENTRY_SIZE + body_size;
    enum acta_code code;

    assert(size <= journal->current.size - journal->offset);
    assert(size <= journal->staging_size);

    segment_encode_entry(journal->staging, journal->current.salt, entry);
    memset(journal->staging + used, 0, size - used);
    FAILPOINT("entry-write");
    code = file_write_at(journal->fd, journal->staging, size,
                         (off_t)journal->offset, journal->files.dir, err);
    if (code != ACTA_OK) {
        return acta_wrap(err, code, "write journal");
    }
    FAILPOINT("entry-sync");
    if (journal_sync(journal->fd) != 0) {
        code = file_fail(err, "sync", journal->files.dir);
        return acta_wrap(err, code, "write journal");
    }
    FAILPOINT("entry-synced");
    journal->offset += size;
    return ACTA_OK;
}

enum acta_code
journal_write(struct journal *journal, const struct journal_entry *entry,
              struct acta_err *err)
{
    enum acta_code code;

    assert(!entry->is_end);
    assert(entry->sequence == journal->next_sequence);
    assert(entry->block.size == 0 ||
           entry->block.data == journal->staging + SEGMENT_ENTRY_SIZE);
    assert(entry->rows.size == 0 || entry->rows.data == journal->staging +
                                                            SEGMENT_ENTRY_SIZE +
                                                            entry->block.size);

    code = put_entry(journal, entry, err);
    if (code != ACTA_OK) {
        return code;
    }
    journal->next_sequence++;
    journal->next_position = entry->first_position;
    if (entry->block.size > 0) {
        struct block block;

        code = block_open(&block, entry->block, err);
        assert(code == ACTA_OK); /* It was written from this memory. */
        journal->next_position = block_end(&block);
    }
    return ACTA_OK;
}

void
journal_end(struct journal *journal)
{
    struct journal_entry end = {
        .sequence = journal->next_sequence,
        .first_position = journal->next_position,
        .is_end = true,
    };
    enum acta_code code = ACTA_FULL;

    /* Not tested: memory for it fails, where there was some for an entry. */
    if (journal->offset < journal->current.size &&
        journal_prepare(journal, 0) != NULL) {
        code = put_entry(journal, &end, NULL);
    }
    (void)code; /* The next start then looks through the segment. */
}

/* ---- files that are not needed any more ---- */

enum acta_code
journal_release(struct journal *journal, uint64_t sequence,
                struct acta_err *err)
{
    return journal_files_release(&journal->files, sequence, err);
}

void
journal_read_after(struct journal *journal, uint64_t after)
{
    pthread_mutex_lock(&journal->files.lock);
    journal->files.read_after = after;
    pthread_mutex_unlock(&journal->files.lock);
}

void
journal_keep_after(struct journal *journal, uint64_t after, uint64_t size_max)
{
    pthread_mutex_lock(&journal->files.lock);
    journal->files.kept_after = after;
    journal->files.kept_size_max = size_max;
    pthread_mutex_unlock(&journal->files.lock);
}

bool
journal_has_after(struct journal *journal, uint64_t after)
{
    const struct segment *first;
    bool has;

    pthread_mutex_lock(&journal->files.lock);
    first = journal->files.segments;
    has = first != NULL && first->header.first_sequence <= after + 1;
    pthread_mutex_unlock(&journal->files.lock);
    return has;
}

uint64_t
journal_kept(struct journal *journal, uint64_t sequence)
{
    uint64_t kept = 0;

    pthread_mutex_lock(&journal->files.lock);
    for (const struct segment *s = journal->files.segments;
         s != NULL && segment_is_before(s, sequence); s = s->next) {
        kept += s->header.size;
    }
    pthread_mutex_unlock(&journal->files.lock);
    return kept;
}

void
journal_drop_spares(struct journal *journal)
{
    journal_files_drop_spares(&journal->files);
}

/* What files may have of entries up to @sequence: segments, and a spare that
 * could not be rid of it. The newest segment can only be by another one that
 * takes its place.
 */
static bool
is_in_files(struct journal_files *files, uint64_t sequence)
{
    bool found;

    pthread_mutex_lock(&files->lock);
    if (files->kept_after < sequence) {
        files->kept_after = UINT64_MAX; /* They go at the next release. */
    }
    found =
        /* Not tested: the moment in which the writer makes a segment of it. */
        files->taken.oldest <= sequence ||
        (files->spares != NULL && files->spares->leftover.oldest <= sequence);
    for (struct segment *s = files->segments; s != NULL; s = s->next) {
        if (s->leftover.oldest <= sequence) {
            found = true;
            if (s->next == NULL && !files->wants_clean) {
                files->wants_clean = true;
                atomic_store(&files->is_urgent, true);
                pthread_cond_broadcast(&files->changed);
            }
        }
    }
    pthread_mutex_unlock(&files->lock);
    return found;
}

enum journal_wiped
journal_wipe(struct journal *journal, uint64_t sequence, size_t size_max)
{
    if (!journal_files_wipe(&journal->files, sequence, size_max)) {
        return JOURNAL_WIPES_ON;
    }
    /* Spares came first: the writer makes segments of them meanwhile. */
    return is_in_files(&journal->files, sequence) ? JOURNAL_WAITS
                                                  : JOURNAL_WIPED;
}

uint64_t
journal_size(struct journal *journal)
{
    uint64_t size;

    pthread_mutex_lock(&journal->files.lock);
    size = journal->files.size;
    pthread_mutex_unlock(&journal->files.lock);
    return size;
}

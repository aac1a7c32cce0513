/* The newest segment is the writer's alone. All files, spares included, are in
 * a list that the writer, the checkpoint thread (which releases segments) and
 * the keeper share under a lock. The keeper is a thread that makes spare files
 * of the full size with every block written once: a sync then has only data to
 * write, no metadata, which halves its time. Released segments become spares as
 * they are.
 */

#include "journal.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "segment.h"

#define FILE_MODE       0640
#define SEGMENT_PREFIX  "segment-"
#define SPARE_PREFIX    "spare-"
#define ZEROS_SIZE      ((size_t)1 << 20)
#define RETRY_MS        200 /* The keeper tries again when there was no space. */
#define STAGING_KEEP    ((size_t)4 << 20) /* Larger ones are given back. */
#define SPARES_READY    1 /* The keeper makes files until there are so many. */
#define NUMBER_NAME_MAX 40

struct segment {
    struct segment *next; /* In the order of their numbers. */
    struct segment_header header;
};

/* A file to become a segment. */
struct spare {
    struct spare *next;
    uint64_t number; /* In its name: spare-NUMBER. */
};

struct journal {
    /* These never change after journal_open(). */
    char *dir;
    struct uuid id;
    size_t segment_size;
    unsigned spares_max;

    /* These belong to the writer. */
    int fd; /* Of the newest segment, -1 before journal_start(). */
    struct segment_header current;
    size_t offset; /* Where the next entry goes. */
    uint64_t next_sequence;
    uint64_t next_position;
    uint8_t *staging; /* owned: an entry as it will be written */
    size_t staging_size;

    pthread_mutex_t lock; /* Guards all below. */
    pthread_cond_t changed;
    struct segment *segments; /* owned: oldest first */
    struct spare *spares;     /* owned */
    unsigned spares_count;
    uint64_t files_size;
    uint64_t spare_number; /* Last one used in a name. */
    bool no_space;         /* The keeper could not make a spare. */
    bool stopping;
    bool started;
    pthread_t keeper;
};

int (*journal_sync)(int fd) = fdatasync;

/* ---- names ---- */

static enum acta_code
number_path(const struct journal *journal, const char *prefix, uint64_t number,
            char path[static FILE_PATH_MAX], struct acta_err *err)
{
    char name[NUMBER_NAME_MAX];

    snprintf(name, sizeof(name), "%s%016" PRIx64, prefix, number);
    return file_join(path, journal->dir, name, err);
}

/* True if @name is @prefix and a number of 16 hexadecimal digits. */
static bool
parse_name(const char *name, const char *prefix, uint64_t *number)
{
    size_t prefix_size = strlen(prefix);
    const char *digits = name + prefix_size;

    if (strncmp(name, prefix, prefix_size) != 0 || strlen(digits) != 16 ||
        strspn(digits, "0123456789abcdef") != 16) {
        return false;
    }
    *number = strtoull(digits, NULL, 16);
    return true;
}

/* ---- the list of files ---- */

static enum acta_code
add_segment(struct journal *journal, const struct segment_header *header,
            struct acta_err *err)
{
    struct segment *segment = malloc(sizeof(*segment));
    struct segment **at = &journal->segments;

    if (segment == NULL) {
        return acta_fail(err, ACTA_MEMORY, "journal");
    }
    segment->header = *header;
    while (*at != NULL && (*at)->header.number < header->number) {
        at = &(*at)->next;
    }
    segment->next = *at;
    *at = segment;
    journal->files_size += header->size;
    return ACTA_OK;
}

static bool
add_spare(struct journal *journal, uint64_t number)
{
    struct spare *spare = malloc(sizeof(*spare));

    if (spare == NULL) {
        return false;
    }
    *spare = (struct spare){.number = number, .next = journal->spares};
    journal->spares = spare;
    journal->spares_count++;
    journal->files_size += journal->segment_size;
    if (number > journal->spare_number) {
        journal->spare_number = number;
    }
    return true;
}

/* Read the header of a segment's file and take it into the list. */
static enum acta_code
find_segment(struct journal *journal, uint64_t number, struct acta_err *err)
{
    struct segment_reader reader;
    char path[FILE_PATH_MAX];
    enum acta_code code;

    code = number_path(journal, SEGMENT_PREFIX, number, path, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = segment_reader_open(&reader, path, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (memcmp(reader.header.database_id.bytes, journal->id.bytes, UUID_SIZE) !=
        0) {
        code =
            acta_fail(err, ACTA_CORRUPT, "%s: it is of another database", path);
    } else if (reader.header.number != number) {
        code = acta_fail(err, ACTA_CORRUPT,
                         "%s: it says that its number is %016" PRIx64, path,
                         reader.header.number);
    } else {
        code = add_segment(journal, &reader.header, err);
    }
    segment_reader_close(&reader);
    return code;
}

/* A spare is only worth keeping if it has the size of today's segments. */
static enum acta_code
find_spare(struct journal *journal, uint64_t number, struct acta_err *err)
{
    char path[FILE_PATH_MAX];
    enum acta_code code;
    off_t size;
    int fd;

    code = number_path(journal, SPARE_PREFIX, number, path, err);
    if (code != ACTA_OK) {
        return code;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return file_fail(err, "open", path);
    }
    size = lseek(fd, 0, SEEK_END);
    close(fd);
    if (size != (off_t)journal->segment_size ||
        journal->spares_count >= journal->spares_max ||
        !add_spare(journal, number)) {
        if (unlink(path) != 0) {
            return file_fail(err, "remove", path);
        }
    }
    return ACTA_OK;
}

static enum acta_code
find_files(struct journal *journal, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    struct dirent *entry;
    uint64_t number;
    DIR *list;

    list = opendir(journal->dir);
    if (list == NULL) {
        return file_fail(err, "open", journal->dir);
    }
    while (code == ACTA_OK && (entry = readdir(list)) != NULL) {
        if (parse_name(entry->d_name, SEGMENT_PREFIX, &number)) {
            code = find_segment(journal, number, err);
        } else if (parse_name(entry->d_name, SPARE_PREFIX, &number)) {
            code = find_spare(journal, number, err);
        }
    }
    closedir(list);
    return code;
}

/* Numbers go up by one: a gap is a file that somebody has removed. */
static enum acta_code
check_numbers(struct journal *journal, struct acta_err *err)
{
    for (struct segment *s = journal->segments; s != NULL; s = s->next) {
        if (s->next != NULL && s->next->header.number != s->header.number + 1) {
            return acta_fail(err, ACTA_CORRUPT,
                             "%s: segment %016" PRIx64 " is missing",
                             journal->dir, s->header.number + 1);
        }
    }
    return ACTA_OK;
}

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
    journal->id = options->id;
    journal->segment_size = segment_round(options->segment_size);
    if (journal->segment_size < JOURNAL_SEGMENT_SIZE_MIN) {
        journal->segment_size = JOURNAL_SEGMENT_SIZE_MIN;
    }
    journal->spares_max = options->spares_max;
    pthread_mutex_init(&journal->lock, NULL);
    pthread_cond_init(&journal->changed, NULL);

    journal->dir = strdup(options->dir);
    if (journal->dir == NULL) {
        code = acta_fail(err, ACTA_MEMORY, "open journal");
        goto fail;
    }
    code = find_files(journal, err);
    if (code != ACTA_OK) {
        goto fail;
    }
    code = check_numbers(journal, err);
    if (code != ACTA_OK) {
        goto fail;
    }
    *out = journal;
    return ACTA_OK;

fail:
    journal_close(journal);
    return acta_wrap(err, code, "open journal");
}

void
journal_close(struct journal *journal)
{
    if (journal == NULL) {
        return;
    }
    if (journal->started) {
        pthread_mutex_lock(&journal->lock);
        journal->stopping = true;
        pthread_cond_broadcast(&journal->changed);
        pthread_mutex_unlock(&journal->lock);
        pthread_join(journal->keeper, NULL);
    }
    if (journal->fd >= 0) {
        close(journal->fd);
    }
    while (journal->segments != NULL) {
        struct segment *segment = journal->segments;

        journal->segments = segment->next;
        free(segment);
    }
    while (journal->spares != NULL) {
        struct spare *spare = journal->spares;

        journal->spares = spare->next;
        free(spare);
    }
    pthread_cond_destroy(&journal->changed);
    pthread_mutex_destroy(&journal->lock);
    free(journal->staging);
    free(journal->dir);
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

    code =
        number_path(journal, SEGMENT_PREFIX, segment->header.number, path, err);
    if (code != ACTA_OK) {
        return code;
    }
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

/* True if all of the segment's entries are up to @sequence. */
static bool
is_before(const struct segment *segment, uint64_t sequence)
{
    return segment->next != NULL &&
           segment->next->header.first_sequence <= sequence + 1;
}

enum acta_code
journal_replay(struct journal *journal, uint64_t after,
               enum acta_code (*visit)(void *user,
                                       const struct journal_entry *entry,
                                       struct acta_err *err),
               void *user, uint64_t *last, struct acta_err *err)
{
    struct visitor visitor = {after, visit, user, after};
    const struct segment *segment = journal->segments;
    enum acta_code code = ACTA_OK;

    if (segment == NULL && after > 0) { /* The newest is never released. */
        return acta_fail(err, ACTA_CORRUPT,
                         "replay journal: %s: there is no segment, although "
                         "entries up to %" PRIu64 " were written",
                         journal->dir, after);
    }
    while (segment != NULL && is_before(segment, after)) {
        segment = segment->next;
    }
    if (segment != NULL && segment->header.first_sequence > after + 1) {
        return acta_fail(err, ACTA_CORRUPT,
                         "replay journal: %s: entries %" PRIu64 " to %" PRIu64
                         " are missing",
                         journal->dir, after + 1,
                         segment->header.first_sequence - 1);
    }
    while (code == ACTA_OK && segment != NULL) {
        code = replay_segment(journal, segment, &visitor, err);
        segment = segment->next;
    }
    *last = visitor.last;
    return code == ACTA_OK ? ACTA_OK : acta_wrap(err, code, "replay journal");
}

/* ---- making and beginning segments ---- */

static enum acta_code
fill_with_zeros(int fd, size_t size, const char *path, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    uint8_t *zeros;
    int rc;

    rc = posix_fallocate(fd, 0, (off_t)size);
    if (rc != 0) {
        errno = rc;
        return file_fail(err, "allocate", path);
    }
    zeros = calloc(1, ZEROS_SIZE);
    if (zeros == NULL) {
        return acta_fail(err, ACTA_MEMORY, "allocate %s", path);
    }
    for (size_t at = 0; code == ACTA_OK && at < size; at += ZEROS_SIZE) {
        size_t part = size - at < ZEROS_SIZE ? size - at : ZEROS_SIZE;

        code = file_write_at(fd, zeros, part, (off_t)at, path, err);
    }
    free(zeros);
    if (code == ACTA_OK && journal_sync(fd) != 0) {
        code = file_fail(err, "sync", path);
    }
    return code;
}

/* Make a file of @size bytes under the name of spare @number. */
static enum acta_code
make_file(struct journal *journal, uint64_t number, size_t size,
          struct acta_err *err)
{
    char path[FILE_PATH_MAX];
    enum acta_code code;
    int fd;

    code = number_path(journal, SPARE_PREFIX, number, path, err);
    if (code != ACTA_OK) {
        return code;
    }
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        return file_fail(err, "create", path);
    }
    code = fill_with_zeros(fd, size, path, err);
    close(fd);
    if (code != ACTA_OK) {
        (void)unlink(path); /* Else the next start removes it. */
    }
    return code;
}

static void
wait_a_moment(struct journal *journal)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += RETRY_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&journal->changed, &journal->lock, &until);
}

static void *
keep_spares(void *arg)
{
    struct journal *journal = arg;
    enum acta_code code;
    uint64_t number;

    pthread_mutex_lock(&journal->lock);
    while (!journal->stopping) {
        if (journal->spares_count >= SPARES_READY) {
            pthread_cond_wait(&journal->changed, &journal->lock);
            continue;
        }
        number = ++journal->spare_number;
        pthread_mutex_unlock(&journal->lock);
        code = make_file(journal, number, journal->segment_size, NULL);
        pthread_mutex_lock(&journal->lock);

        journal->no_space = code != ACTA_OK || !add_spare(journal, number);
        pthread_cond_broadcast(&journal->changed);
        if (journal->no_space && !journal->stopping) {
            wait_a_moment(journal);
        }
    }
    pthread_mutex_unlock(&journal->lock);
    return NULL;
}

/* Take a spare out of the list, waiting for the keeper if it is at work on one.
 */
static enum acta_code
take_spare(struct journal *journal, uint64_t *number, struct acta_err *err)
{
    struct spare *spare;

    pthread_mutex_lock(&journal->lock);
    while (journal->spares == NULL && journal->started && !journal->no_space) {
        pthread_cond_wait(&journal->changed, &journal->lock);
    }
    spare = journal->spares;
    if (spare != NULL) {
        journal->spares = spare->next;
        journal->spares_count--;
        journal->files_size -= journal->segment_size;
        *number = spare->number;
        pthread_cond_broadcast(&journal->changed);
    } else {
        *number = ++journal->spare_number;
    }
    pthread_mutex_unlock(&journal->lock);

    if (spare != NULL) {
        free(spare);
        return ACTA_OK;
    }
    if (journal->started) {
        return acta_fail(err, ACTA_FULL,
                         "no space for another journal segment of %zu bytes",
                         journal->segment_size);
    }
    return make_file(journal, *number, journal->segment_size, err);
}

/* O_DIRECT keeps journal writes from pushing other pages out and halves the
 * time of a sync; not every file system has it.
 */
static int
open_for_writing(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_DIRECT);

    return fd >= 0 || errno != EINVAL ? fd : open(path, O_RDWR | O_CLOEXEC);
}

/* Write the header into the file and give it the segment's name: in this
 * order (J3).
 */
static enum acta_code
name_segment(struct journal *journal, const char *spare_path, int fd,
             const struct segment_header *header, struct acta_err *err)
{
    char path[FILE_PATH_MAX];
    enum acta_code code;
    void *block;

    block = aligned_alloc(SEGMENT_ALIGNMENT, SEGMENT_HEADER_SIZE);
    if (block == NULL) {
        return acta_fail(err, ACTA_MEMORY, "begin segment");
    }
    segment_encode_header(block, header);
    code = file_write_at(fd, block, SEGMENT_HEADER_SIZE, 0, spare_path, err);
    free(block);
    if (code != ACTA_OK) {
        return code;
    }
    if (journal_sync(fd) != 0) {
        return file_fail(err, "sync", spare_path);
    }
    code = number_path(journal, SEGMENT_PREFIX, header->number, path, err);
    if (code != ACTA_OK) {
        return code;
    }
    return file_rename(spare_path, path, journal->dir, err);
}

/* Go over to a new segment with room for @size bytes of entries. */
static enum acta_code
begin_segment(struct journal *journal, size_t size, struct acta_err *err)
{
    struct segment_header header = {
        .database_id = journal->id,
        .number = journal->current.number + 1,
        .first_sequence = journal->next_sequence,
        .first_position = journal->next_position,
        .size = journal->segment_size,
    };
    char path[FILE_PATH_MAX];
    enum acta_code code;
    uint64_t number;
    int fd;

    if (size > journal->segment_size - SEGMENT_HEADER_SIZE) {
        /* An entry larger than a segment gets one of its own. */
        header.size = SEGMENT_HEADER_SIZE + segment_round(size);
        pthread_mutex_lock(&journal->lock);
        number = ++journal->spare_number;
        pthread_mutex_unlock(&journal->lock);
        code = make_file(journal, number, header.size, err);
    } else {
        code = take_spare(journal, &number, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    if (getrandom(&header.salt, sizeof(header.salt), 0) !=
        sizeof(header.salt)) {
        return acta_fail(err, ACTA_IO, "no random numbers");
    }
    code = number_path(journal, SPARE_PREFIX, number, path, err);
    if (code != ACTA_OK) {
        return code;
    }
    fd = open_for_writing(path);
    if (fd < 0) {
        return file_fail(err, "open", path);
    }
    code = name_segment(journal, path, fd, &header, err);
    if (code == ACTA_OK) {
        pthread_mutex_lock(&journal->lock);
        code = add_segment(journal, &header, err);
        pthread_mutex_unlock(&journal->lock);
    }
    if (code != ACTA_OK) {
        close(fd);
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

    if (journal->segments == NULL) {
        return ACTA_OK;
    }
    code = number_path(journal, SEGMENT_PREFIX, journal->current.number, path,
                       err);
    if (code != ACTA_OK) {
        return code;
    }
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return file_fail(err, "open", path);
    }
    if (journal_sync(fd) != 0) {
        code = file_fail(err, "sync", path);
    }
    close(fd);
    return code;
}

enum acta_code
journal_start(struct journal *journal, uint64_t sequence,
              uint64_t first_position, struct acta_err *err)
{
    enum acta_code code;
    int rc;

    assert(!journal->started);

    for (struct segment *s = journal->segments; s != NULL; s = s->next) {
        journal->current.number = s->header.number;
    }
    journal->next_sequence = sequence;
    journal->next_position = first_position;
    code = sync_last_segment(journal, err);
    if (code == ACTA_OK) {
        code = begin_segment(journal, 0, err);
    }
    if (code != ACTA_OK && code != ACTA_FULL) {
        return acta_wrap(err, code, "start journal");
    }
    rc = pthread_create(&journal->keeper, NULL, keep_spares, journal);
    if (rc != 0) {
        return acta_fail(err, ACTA_MEMORY, "start journal: thread: %s",
                         strerror(rc));
    }
    journal->started = true;
    return ACTA_OK;
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
    assert(journal->started);

    if (size <= journal->current.size - journal->offset) {
        return ACTA_OK;
    }
    return begin_segment(journal, size, err);
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
    code = file_write_at(journal->fd, journal->staging, size,
                         (off_t)journal->offset, journal->dir, err);
    if (code != ACTA_OK) {
        return acta_wrap(err, code, "write journal");
    }
    if (journal_sync(journal->fd) != 0) {
        code = file_fail(err, "sync", journal->dir);
        return acta_wrap(err, code, "write journal");
    }
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

    if (journal->offset < journal->current.size &&
        journal_prepare(journal, 0) != NULL) {
        code = put_entry(journal, &end, NULL);
    }
    (void)code; /* The next start then looks through the segment. */
}

/* ---- releasing ---- */

/* Give the file of a released segment a spare's name, or remove it. That must
 * be durable before the file gets another header, or a segment would be found
 * under a name that is not its own; and before the next one is retired, or
 * there would be a gap in the numbers.
 */
static void
retire(struct journal *journal, const struct segment *segment)
{
    bool keep = segment->header.size == journal->segment_size;
    char path[FILE_PATH_MAX], spare_path[FILE_PATH_MAX];
    uint64_t number;

    pthread_mutex_lock(&journal->lock);
    keep = keep && journal->spares_count < journal->spares_max;
    number = ++journal->spare_number;
    pthread_mutex_unlock(&journal->lock);

    if (number_path(journal, SEGMENT_PREFIX, segment->header.number, path,
                    NULL) != ACTA_OK ||
        number_path(journal, SPARE_PREFIX, number, spare_path, NULL) !=
            ACTA_OK) {
        return;
    }
    keep = keep && rename(path, spare_path) == 0;
    if (!keep) {
        (void)unlink(path); /* What is left is released at the next start. */
    }
    if (file_sync_dir(journal->dir, NULL) != ACTA_OK || !keep) {
        return;
    }
    pthread_mutex_lock(&journal->lock);
    if (!add_spare(journal, number)) {
        (void)unlink(spare_path);
    }
    pthread_cond_broadcast(&journal->changed);
    pthread_mutex_unlock(&journal->lock);
}

void
journal_release(struct journal *journal, uint64_t sequence)
{
    struct segment *segment;

    for (;;) {
        pthread_mutex_lock(&journal->lock);
        segment = journal->segments;
        if (segment == NULL || !is_before(segment, sequence)) {
            pthread_mutex_unlock(&journal->lock);
            return;
        }
        journal->segments = segment->next;
        journal->files_size -= segment->header.size;
        pthread_mutex_unlock(&journal->lock);
        retire(journal, segment);
        free(segment);
    }
}

void
journal_drop_spares(struct journal *journal)
{
    char path[FILE_PATH_MAX];

    pthread_mutex_lock(&journal->lock);
    while (journal->spares_count > SPARES_READY) {
        struct spare *spare = journal->spares;

        journal->spares = spare->next;
        journal->spares_count--;
        journal->files_size -= journal->segment_size;
        if (number_path(journal, SPARE_PREFIX, spare->number, path, NULL) ==
            ACTA_OK) {
            (void)unlink(path); /* What is left is found at the next start. */
        }
        free(spare);
    }
    pthread_mutex_unlock(&journal->lock);
}

uint64_t
journal_size(struct journal *journal)
{
    uint64_t size;

    pthread_mutex_lock(&journal->lock);
    size = journal->files_size;
    pthread_mutex_unlock(&journal->lock);
    return size;
}

#include "journal_files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "failpoint.h"
#include "journal.h"
#include "waiting.h"

#define NUMBER_NAME_MAX 40 /* Of a file, with the slash before it. */

/* ---- names ---- */

void
journal_files_path(const struct journal_files *files, const char *prefix,
                   uint64_t number, char path[static FILE_PATH_MAX])
{
    int size = snprintf(path, FILE_PATH_MAX, "%s/%s%016" PRIx64, files->dir,
                        prefix, number);

    assert(size > 0 && size < FILE_PATH_MAX); /* See journal_files_open(). */
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

/* ---- finding what is there ---- */

static enum acta_code
add_segment(struct journal_files *files, const struct segment_header *header,
            struct leftover leftover, struct acta_err *err)
{
    struct segment *segment = malloc(sizeof(*segment));
    struct segment **at = &files->segments;

    if (segment == NULL) {
        return acta_fail(err, ACTA_MEMORY, "journal");
    }
    segment->header = *header;
    segment->leftover = leftover;
    while (*at != NULL && (*at)->header.number < header->number) {
        at = &(*at)->next;
    }
    segment->next = *at;
    *at = segment;
    files->size += header->size;
    return ACTA_OK;
}

/* Read the header of a segment's file and take it into the list. */
static enum acta_code
find_segment(struct journal_files *files, uint64_t number, struct acta_err *err)
{
    struct segment_reader reader;
    char path[FILE_PATH_MAX];
    enum acta_code code;

    journal_files_path(files, JOURNAL_SEGMENT_PREFIX, number, path);
    code = segment_reader_open(&reader, path, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (memcmp(reader.header.database_id.bytes, files->id.bytes, UUID_SIZE) !=
        0) {
        code =
            acta_fail(err, ACTA_CORRUPT, "%s: it is of another database", path);
    } else if (reader.header.number != number) {
        code = acta_fail(err, ACTA_CORRUPT,
                         "%s: it says that its number is %016" PRIx64, path,
                         reader.header.number);
    } else {
        code = add_segment(files, &reader.header, LEFTOVER_UNKNOWN, err);
    }
    segment_reader_close(&reader);
    return code;
}

/* A spare is only worth keeping if it has the size of today's segments. */
static enum acta_code
find_spare(struct journal_files *files, uint64_t number, struct acta_err *err)
{
    char path[FILE_PATH_MAX];
    off_t size;
    int fd;

    journal_files_path(files, JOURNAL_SPARE_PREFIX, number, path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return file_fail(err, "open", path);
    }
    size = lseek(fd, 0, SEEK_END);
    close(fd);
    if (size != (off_t)files->segment_size ||
        files->spares_count >= files->spares_max ||
        !journal_files_add_spare(files, number, LEFTOVER_UNKNOWN)) {
        if (unlink(path) != 0) {
            return file_fail(err, "remove", path);
        }
    }
    return ACTA_OK;
}

static enum acta_code
find_files(struct journal_files *files, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    struct dirent *entry;
    uint64_t number;
    DIR *list;

    list = opendir(files->dir);
    if (list == NULL) {
        return file_fail(err, "open", files->dir);
    }
    while (code == ACTA_OK &&
           (code = file_next(list, files->dir, &entry, err)) == ACTA_OK &&
           entry != NULL) {
        if (parse_name(entry->d_name, JOURNAL_SEGMENT_PREFIX, &number)) {
            code = find_segment(files, number, err);
        } else if (parse_name(entry->d_name, JOURNAL_SPARE_PREFIX, &number)) {
            code = find_spare(files, number, err);
        }
    }
    closedir(list);
    return code;
}

/* Numbers go up by one: a gap is a file that somebody has removed. */
static enum acta_code
check_numbers(struct journal_files *files, struct acta_err *err)
{
    for (struct segment *s = files->segments; s != NULL; s = s->next) {
        if (s->next != NULL && s->next->header.number != s->header.number + 1) {
            return acta_fail(err, ACTA_CORRUPT,
                             "%s: segment %016" PRIx64 " is missing",
                             files->dir, s->header.number + 1);
        }
    }
    return ACTA_OK;
}

enum acta_code
journal_files_open(struct journal_files *files,
                   const struct journal_options *options, struct acta_err *err)
{
    enum acta_code code;

    assert(options->segment_size >= JOURNAL_SEGMENT_SIZE_MIN);

    *files = (struct journal_files){
        .id = options->id,
        .segment_size = segment_round(options->segment_size),
        .spares_max = options->spares_max,
        .taken = LEFTOVER_NONE,
        .read_after = UINT64_MAX,
        .kept_after = UINT64_MAX,
    };
    pthread_mutex_init(&files->lock, NULL);
    waiting_init(&files->changed);
    if (strlen(options->dir) + NUMBER_NAME_MAX > FILE_PATH_MAX) {
        return acta_fail(err, ACTA_IO, "path is too long: %s", options->dir);
    }
    files->dir = strdup(options->dir);
    if (files->dir == NULL) {
        return acta_fail(err, ACTA_MEMORY, "out of memory");
    }
    code = find_files(files, err);
    return code == ACTA_OK ? check_numbers(files, err) : code;
}

void
journal_files_close(struct journal_files *files)
{
    journal_files_stop_keeper(files);
    while (files->segments != NULL) {
        struct segment *segment = files->segments;

        files->segments = segment->next;
        free(segment);
    }
    while (files->spares != NULL) {
        struct spare *spare = files->spares;

        files->spares = spare->next;
        free(spare);
    }
    pthread_cond_destroy(&files->changed);
    pthread_mutex_destroy(&files->lock);
    free(files->dir);
}

/* ---- beginning a segment ---- */

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
name_segment(struct journal_files *files, const char *spare_path, int fd,
             const struct segment_header *header, struct acta_err *err)
{
    char path[FILE_PATH_MAX];
    struct acta_err why;
    enum acta_code code;
    void *block;

    block = aligned_alloc(SEGMENT_ALIGNMENT, SEGMENT_HEADER_SIZE);
    if (block == NULL) {
        return acta_fail(err, ACTA_MEMORY, "begin segment");
    }
    segment_encode_header(block, header);
    FAILPOINT("header-write");
    code = file_write_at(fd, block, SEGMENT_HEADER_SIZE, 0, spare_path, err);
    free(block);
    if (code != ACTA_OK) {
        return code;
    }
    FAILPOINT("header-sync");
    if (journal_sync(fd) != 0) {
        return file_fail(err, "sync", spare_path);
    }
    journal_files_path(files, JOURNAL_SEGMENT_PREFIX, header->number, path);
    FAILPOINT("segment-name");
    if (rename(spare_path, path) != 0) {
        return file_fail(err, "rename", spare_path);
    }
    code = file_sync_dir(files->dir, &why);
    FAILPOINT("segment-named");
    /* Whyever: the next start may find it, and then the entry that it begins
     * with may not be in the one before.
     */
    return code == ACTA_OK ? ACTA_OK : acta_fail(err, ACTA_IO, "%s", why.text);
}

/* Take the new segment into the list, behind the newest so far. */
static enum acta_code
add_newest(struct journal_files *files, const struct segment_header *header,
           struct leftover leftover, uint64_t used, struct acta_err *err)
{
    struct segment *newest;
    enum acta_code code;

    if (header->first_sequence < leftover.oldest) {
        leftover.oldest = header->first_sequence;
    }
    pthread_mutex_lock(&files->lock);
    newest = files->segments;
    while (newest != NULL && newest->next != NULL) {
        newest = newest->next;
    }
    if (newest != NULL && newest->leftover.size < used) {
        newest->leftover.size = used;
    }
    code = add_segment(files, header, leftover, err);
    files->taken = LEFTOVER_NONE;
    pthread_mutex_unlock(&files->lock);
    return code;
}

/* Make the file of spare @number the segment of @header, and open it. */
static enum acta_code
make_segment(struct journal_files *files, uint64_t number,
             struct segment_header *header, int *fd, struct acta_err *err)
{
    char path[FILE_PATH_MAX];
    enum acta_code code;

    if (getrandom(&header->salt, sizeof(header->salt), 0) !=
        sizeof(header->salt)) {
        return acta_fail(err, ACTA_IO, "no random numbers");
    }
    journal_files_path(files, JOURNAL_SPARE_PREFIX, number, path);
    *fd = open_for_writing(path);
    if (*fd < 0) {
        return file_fail(err, "open", path);
    }
    code = name_segment(files, path, *fd, header, err);
    if (code != ACTA_OK) {
        close(*fd);
        *fd = -1;
    }
    return code;
}

enum acta_code
journal_files_begin(struct journal_files *files, struct segment_header *header,
                    size_t size, uint64_t used, int *fd, struct acta_err *err)
{
    struct leftover leftover;
    enum acta_code code;
    uint64_t number;

    header->size = SEGMENT_HEADER_SIZE + segment_round(size);
    if (header->size < files->segment_size) {
        header->size = files->segment_size;
    }
    code = journal_files_take(files, header->size, &number, &leftover, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = make_segment(files, number, header, fd, err);
    if (code == ACTA_FULL) {
        journal_files_give_back(files, header->size, number, leftover);
    }
    if (code != ACTA_OK) {
        return code;
    }
    code = add_newest(files, header, leftover, used, err);
    if (code != ACTA_OK) {
        close(*fd);
        *fd = -1;
    }
    return code;
}

/* ---- releasing ---- */

bool
segment_is_before(const struct segment *segment, uint64_t sequence)
{
    return segment->next != NULL &&
           segment->next->header.first_sequence <= sequence + 1;
}

/* Take a segment's name from the file at @path: it gets that of a spare, or,
 * with *@keep false by then, none. Durably.
 */
static enum acta_code
take_name(const struct journal_files *files, const char *path,
          const char *spare_path, bool *keep, struct acta_err *err)
{
    int dir = open(files->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum acta_code code = ACTA_OK;

    if (dir < 0) { /* There may be too many files: nothing has happened yet. */
        return acta_fail(err, ACTA_MEMORY, "open %s: %s", files->dir,
                         strerror(errno));
    }
    FAILPOINT("segment-retire");
    *keep = *keep && rename(path, spare_path) == 0;
    if (!*keep && unlink(path) != 0) {
        code = file_fail(err, "remove", path);
        close(dir);
        return code;
    }
    FAILPOINT("segment-retire-sync");
    if (fsync(dir) != 0) { /* Whyever: it may be there again. */
        code =
            acta_fail(err, ACTA_IO, "sync %s: %s", files->dir, strerror(errno));
    }
    close(dir);
    return code;
}

/* Give the file of a released segment a spare's name, or remove it. That must
 * be durable before the file gets another header, or a segment would be found
 * under a name that is not its own; and before the next one is retired, or
 * there would be a gap in the numbers.
 */
static enum acta_code
retire(struct journal_files *files, const struct segment *segment,
       struct acta_err *err)
{
    bool keep = segment->header.size == files->segment_size;
    char path[FILE_PATH_MAX], spare_path[FILE_PATH_MAX];
    enum acta_code code;
    uint64_t number;

    pthread_mutex_lock(&files->lock);
    keep = keep && files->spares_count < files->spares_max;
    number = ++files->spare_number;
    pthread_mutex_unlock(&files->lock);

    journal_files_path(files, JOURNAL_SEGMENT_PREFIX, segment->header.number,
                       path);
    journal_files_path(files, JOURNAL_SPARE_PREFIX, number, spare_path);
    code = take_name(files, path, spare_path, &keep, err);
    if (code != ACTA_OK || !keep) {
        return code;
    }
    FAILPOINT("segment-retired");
    pthread_mutex_lock(&files->lock);
    keep = journal_files_add_spare(files, number, segment->leftover);
    pthread_cond_broadcast(&files->changed);
    pthread_mutex_unlock(&files->lock);
    if (!keep) { /* It takes its time, for which the writer does not wait. */
        (void)unlink(spare_path);
    }
    return ACTA_OK;
}

/* Up to which entry segments can go, of those up to @sequence. What is kept for
 * the next backup, and has become too much, is given up as a whole: a part of
 * it is of no use. With the lock held.
 */
static uint64_t
bound_of(struct journal_files *files, uint64_t sequence)
{
    uint64_t kept = 0;

    /* Not tested: that there is no other is the newest one's, never before. */
    for (const struct segment *s = files->segments;
         s != NULL && segment_is_before(s, sequence); s = s->next) {
        kept += s->header.size;
    }
    if (kept > files->kept_size_max) {
        files->kept_after = UINT64_MAX;
    }
    if (sequence > files->kept_after) {
        sequence = files->kept_after;
    }
    return sequence > files->read_after ? files->read_after : sequence;
}

/* Take the oldest segment out of the list, if all of its entries are up to
 * @sequence. NULL if they are not.
 */
static struct segment *
take_oldest(struct journal_files *files, uint64_t sequence)
{
    struct segment *segment;

    pthread_mutex_lock(&files->lock);
    segment = files->segments;
    if (segment != NULL &&
        segment_is_before(segment, bound_of(files, sequence))) {
        files->segments = segment->next;
        files->size -= segment->header.size;
    } else {
        segment = NULL;
    }
    pthread_mutex_unlock(&files->lock);
    return segment;
}

static void
put_back(struct journal_files *files, struct segment *segment)
{
    pthread_mutex_lock(&files->lock);
    segment->next = files->segments;
    files->segments = segment;
    files->size += segment->header.size;
    pthread_mutex_unlock(&files->lock);
}

enum acta_code
journal_files_release(struct journal_files *files, uint64_t sequence,
                      struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    struct segment *segment;

    while (code == ACTA_OK &&
           (segment = take_oldest(files, sequence)) != NULL) {
        code = retire(files, segment, err);
        if (code == ACTA_OK) {
            free(segment);
        } else {
            put_back(files, segment);
        }
    }
    return code == ACTA_FULL || code == ACTA_MEMORY ? ACTA_OK : code;
}

/* Take a spare that the keeper would not make again out of the list. NULL if
 * there is none.
 */
static struct spare *
take_surplus(struct journal_files *files)
{
    struct spare *spare = NULL;

    pthread_mutex_lock(&files->lock);
    if (files->spares_count > JOURNAL_SPARES_READY) {
        spare = files->spares;
        files->spares = spare->next;
        files->spares_count--;
        files->size -= files->segment_size;
    }
    pthread_mutex_unlock(&files->lock);
    return spare;
}

void
journal_files_drop_spares(struct journal_files *files)
{
    char path[FILE_PATH_MAX];
    struct spare *spare;
    bool is_gone = true;

    while (is_gone && (spare = take_surplus(files)) != NULL) {
        journal_files_path(files, JOURNAL_SPARE_PREFIX, spare->number, path);
        is_gone = unlink(path) == 0 || errno == ENOENT;
        if (!is_gone) { /* It is there, and may have to be wiped. */
            pthread_mutex_lock(&files->lock);
            (void)!journal_files_add_spare(files, spare->number,
                                           spare->leftover);
            pthread_mutex_unlock(&files->lock);
        }
        free(spare);
    }
}

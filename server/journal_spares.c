/* Spares are kept in the order in which they are best given away: those that
 * have the oldest entries first, clean ones last. So the clean ones, which cost
 * something to make, are there when one is wanted.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failpoint.h"
#include "journal.h"
#include "journal_files.h"
#include "spread.h"
#include "waiting.h"

#define ZEROS_SIZE ((size_t)1 << 20)
#define RETRY_MS   200 /* The keeper tries again when there was no space. */

/* Over no more does the keeper spread making a spare. */
#define MAKE_MAX_US 2000000

/* ---- the list ---- */

static void
put_in_order(struct journal_files *files, struct spare *spare)
{
    struct spare **at = &files->spares;

    while (*at != NULL && (*at)->leftover.oldest < spare->leftover.oldest) {
        at = &(*at)->next;
    }
    spare->next = *at;
    *at = spare;
    files->spares_count++;
    files->size += files->segment_size;
}

static struct spare *
take_out(struct journal_files *files, struct spare **at)
{
    struct spare *spare = *at;

    *at = spare->next;
    files->spares_count--;
    files->size -= files->segment_size;
    return spare;
}

bool
journal_files_add_spare(struct journal_files *files, uint64_t number,
                        struct leftover leftover)
{
    struct spare *spare = malloc(sizeof(*spare));

    if (spare == NULL) {
        return false;
    }
    *spare = (struct spare){.number = number, .leftover = leftover};
    put_in_order(files, spare);
    if (number > files->spare_number) {
        files->spare_number = number;
    }
    return true;
}

/* The spare to be given away: where the list points to it. */
static struct spare **
find_best(struct journal_files *files)
{
    struct spare **at = &files->spares;

    while (files->wants_clean && (*at)->next != NULL) {
        at = &(*at)->next;
    }
    return at;
}

static bool
has_clean(const struct journal_files *files)
{
    for (const struct spare *s = files->spares; s != NULL; s = s->next) {
        if (leftover_is_none(s->leftover)) {
            return true;
        }
    }
    return false;
}

bool
journal_files_has_wanted(struct journal_files *files)
{
    bool has;

    if (!atomic_load(&files->wants_clean)) {
        return false; /* As nearly always, and at no cost. */
    }
    pthread_mutex_lock(&files->lock);
    has = has_clean(files);
    pthread_mutex_unlock(&files->lock);
    return has;
}

/* ---- making them ---- */

/* Write zeros over @size bytes from @from on, and sync. */
static enum acta_code
fill_with_zeros(int fd, uint64_t from, uint64_t size, const char *path,
                struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    uint8_t *zeros;

    zeros = calloc(1, ZEROS_SIZE);
    if (zeros == NULL) {
        return acta_fail(err, ACTA_MEMORY, "fill %s", path);
    }
    for (uint64_t at = 0; code == ACTA_OK && at < size; at += ZEROS_SIZE) {
        size_t part = size - at < ZEROS_SIZE ? size - at : ZEROS_SIZE;

        code = file_write_at(fd, zeros, part, (off_t)(from + at), path, err);
    }
    free(zeros);
    if (code == ACTA_OK && journal_sync(fd) != 0) {
        code = file_fail(err, "sync", path);
    }
    return code;
}

/* Make a file of @size bytes under the name of spare @number. */
static enum acta_code
make_file(struct journal_files *files, uint64_t number, size_t size,
          struct acta_err *err)
{
    char path[FILE_PATH_MAX];
    enum acta_code code;
    int fd, rc;

    journal_files_path(files, JOURNAL_SPARE_PREFIX, number, path);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, JOURNAL_FILE_MODE);
    if (fd < 0) {
        return file_fail(err, "create", path);
    }
    FAILPOINT("spare-allocate");
    rc = posix_fallocate(fd, 0, (off_t)size);
    if (rc != 0) {
        errno = rc;
        code = file_fail(err, "allocate", path);
    } else {
        FAILPOINT("spare-fill");
        code = fill_with_zeros(fd, 0, size, path, err);
        FAILPOINT("spare-filled");
    }
    close(fd);
    if (code != ACTA_OK) {
        (void)unlink(path); /* Else the next start removes it. */
    }
    return code;
}

static bool
is_short(const struct journal_files *files)
{
    return files->spares_count < JOURNAL_SPARES_READY ||
           (files->wants_clean && !has_clean(files));
}

/* Others have the disk for half of the time, unless somebody waits. There is
 * half of the time since the last one was begun, at *@last: the segment that
 * takes its place fills as fast.
 */
static enum acta_code
make_spread(struct journal_files *files, uint64_t number,
            struct mono_time *last)
{
    struct mono_time now = clock_mono();
    uint64_t time_us = (now.us - last->us) / 2;
    const struct spread spread = {
        .begun = now,
        .time_us = time_us < MAKE_MAX_US ? time_us : MAKE_MAX_US,
        .is_urgent = &files->is_urgent,
    };
    enum acta_code code;

    *last = now;
    (void)spread_begin(&spread);
    code = make_file(files, number, files->segment_size, NULL);
    (void)spread_begin(NULL);
    return code;
}

static void *
keep_spares(void *arg)
{
    struct journal_files *files = arg;
    struct mono_time last = clock_mono();
    enum acta_code code;
    uint64_t number;

    pthread_mutex_lock(&files->lock);
    while (!files->stopping) {
        if (!is_short(files)) {
            pthread_cond_wait(&files->changed, &files->lock);
            continue;
        }
        number = ++files->spare_number;
        pthread_mutex_unlock(&files->lock);
        code = make_spread(files, number, &last);
        pthread_mutex_lock(&files->lock);

        files->no_space = code != ACTA_OK || !journal_files_add_spare(
                                                 files, number, LEFTOVER_NONE);
        pthread_cond_broadcast(&files->changed);
        if (files->no_space && !files->stopping) {
            struct timespec until = waiting_until(RETRY_MS);

            (void)waiting_wait(&files->changed, &files->lock, &until);
        }
    }
    pthread_mutex_unlock(&files->lock);
    return NULL;
}

enum acta_code
journal_files_start_keeper(struct journal_files *files, struct acta_err *err)
{
    int rc = pthread_create(&files->keeper, NULL, keep_spares, files);

    if (rc != 0) {
        return acta_fail(err, ACTA_MEMORY, "thread: %s", strerror(rc));
    }
    files->started = true;
    return ACTA_OK;
}

void
journal_files_stop_keeper(struct journal_files *files)
{
    if (!files->started) {
        return;
    }
    pthread_mutex_lock(&files->lock);
    files->stopping = true;
    atomic_store(&files->is_urgent, true);
    pthread_cond_broadcast(&files->changed);
    pthread_mutex_unlock(&files->lock);
    pthread_join(files->keeper, NULL);
    files->started = false;
}

/* ---- taking one ---- */

/* Take a spare out of the list, waiting for the keeper if it is at work on one.
 * NULL if there is none; *@number is then one for a new file.
 */
static struct spare *
take_spare(struct journal_files *files, uint64_t *number)
{
    struct spare *spare = NULL;

    pthread_mutex_lock(&files->lock);
    while (files->spares == NULL && files->started && !files->no_space) {
        atomic_store(&files->is_urgent, true);
        pthread_cond_wait(&files->changed, &files->lock);
    }
    atomic_store(&files->is_urgent, files->wants_clean);
    if (files->spares != NULL) {
        spare = take_out(files, find_best(files));
        files->taken = spare->leftover;
        if (leftover_is_none(spare->leftover)) {
            files->wants_clean = false;
        }
        pthread_cond_broadcast(&files->changed);
    } else {
        *number = ++files->spare_number;
    }
    pthread_mutex_unlock(&files->lock);
    return spare;
}

static uint64_t
next_number(struct journal_files *files)
{
    uint64_t number;

    pthread_mutex_lock(&files->lock);
    number = ++files->spare_number;
    pthread_mutex_unlock(&files->lock);
    return number;
}

enum acta_code
journal_files_take(struct journal_files *files, size_t size, uint64_t *number,
                   struct leftover *leftover, struct acta_err *err)
{
    struct spare *spare;

    *leftover = LEFTOVER_NONE;
    if (size != files->segment_size) {
        *number = next_number(files);
        return make_file(files, *number, size, err);
    }
    spare = take_spare(files, number);
    if (spare != NULL) {
        *number = spare->number;
        *leftover = spare->leftover;
        free(spare);
        return ACTA_OK;
    }
    if (files->started) {
        return acta_fail(err, ACTA_FULL,
                         "no space for another journal segment of %zu bytes",
                         files->segment_size);
    }
    return make_file(files, *number, size, err);
}

/* It is a spare again, for the next try, or is removed: on a full disk, files
 * that nobody knew of would be all the more.
 */
void
journal_files_give_back(struct journal_files *files, size_t size,
                        uint64_t number, struct leftover leftover)
{
    char path[FILE_PATH_MAX];
    bool is_kept;

    pthread_mutex_lock(&files->lock);
    files->taken = LEFTOVER_NONE;
    /* Not tested: memory for it fails, right behind what failed before. */
    is_kept = size == files->segment_size &&
              journal_files_add_spare(files, number, leftover);
    pthread_mutex_unlock(&files->lock);
    if (!is_kept) {
        journal_files_path(files, JOURNAL_SPARE_PREFIX, number, path);
        (void)unlink(path); /* Else the next start removes it. */
    }
}

/* ---- wiping ---- */

/* Overwrite @spare, which is in no list and whose file is at @path, from its
 * end to its beginning, up to @size_max bytes. False if the file is not to be
 * relied on.
 */
static bool
wipe_some(const struct journal_files *files, struct spare *spare,
          const char *path, size_t size_max)
{
    uint64_t size = spare->leftover.size;
    uint64_t part, from;
    enum acta_code code;
    int fd;

    if (size > files->segment_size) {
        size = files->segment_size; /* It was not known. */
    }
    part = size < size_max ? size : size_max;
    from = size - part;
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    FAILPOINT("spare-wipe");
    code = fill_with_zeros(fd, from, part, path, NULL);
    FAILPOINT("spare-wiped");
    close(fd);
    if (code != ACTA_OK) {
        return false;
    }
    spare->leftover.size = from;
    if (from == 0) {
        spare->leftover = LEFTOVER_NONE;
    }
    return true;
}

bool
journal_files_wipe(struct journal_files *files, uint64_t sequence,
                   size_t size_max)
{
    struct spare *spare = NULL;
    char path[FILE_PATH_MAX];
    bool is_wiped, is_gone;

    pthread_mutex_lock(&files->lock);
    /* The one with the oldest entries is the first. */
    if (files->spares != NULL && files->spares->leftover.oldest <= sequence) {
        spare = take_out(files, &files->spares);
    }
    pthread_mutex_unlock(&files->lock);
    if (spare == NULL) {
        return true;
    }
    journal_files_path(files, JOURNAL_SPARE_PREFIX, spare->number, path);
    is_wiped = wipe_some(files, spare, path, size_max);
    /* Its content is gone that way, too. */
    is_gone = !is_wiped && unlink(path) == 0;
    pthread_mutex_lock(&files->lock);
    if (is_gone) {
        free(spare);
    } else {
        put_in_order(files, spare);
    }
    pthread_cond_broadcast(&files->changed);
    pthread_mutex_unlock(&files->lock);
    return !is_wiped && !is_gone;
}

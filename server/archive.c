/* The order in which things are done on disk is what makes an archive whole at
 * any moment: a part is synced, and its name; then the manifest that names it
 * is written under another name, synced, and renamed; then that is synced; and
 * only then what no manifest names any more is removed. Parts never have the
 * name of a former one, which an older manifest might mean.
 */

#include "archive.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive_inside.h"
#include "bytes.h"
#include "checksum.h"
#include "file.h"

#define MANIFEST        "manifest"
#define MANIFEST_NEW    "manifest.new"
#define MANIFEST_MAGIC  "ACTABKM1"
#define MANIFEST_HEADER 64
#define MANIFEST_PART   64
#define PART_PREFIX     "part-"
#define DIR_MODE        0700
#define FILE_MODE       0600

const struct archive_part *
archive_last(const struct archive *archive)
{
    return archive->parts_count == 0
               ? NULL
               : &archive->parts[archive->parts_count - 1];
}

uint64_t
archive_size(const struct archive *archive)
{
    uint64_t size = 0;

    for (size_t i = 0; i < archive->parts_count; i++) {
        size += archive->parts[i].size;
    }
    return size;
}

enum acta_code
archive_path(const struct archive *archive, uint64_t number,
             char path[static FILE_PATH_MAX], struct acta_err *err)
{
    char name[40];

    snprintf(name, sizeof(name), PART_PREFIX "%016" PRIx64, number);
    return file_join(path, archive->dir, name, err);
}

enum acta_code
archive_check_files(const struct archive *archive, struct acta_err *err)
{
    for (size_t i = 0; i < archive->parts_count; i++) {
        char path[FILE_PATH_MAX];
        struct stat status;
        enum acta_code code =
            archive_path(archive, archive->parts[i].number, path, err);

        if (code != ACTA_OK) {
            return code;
        }
        if (stat(path, &status) != 0) {
            return errno == ENOENT
                       ? acta_fail(err, ACTA_CORRUPT, "%s is missing", path)
                       : file_fail(err, "look at", path);
        }
        if ((uint64_t)status.st_size != archive->parts[i].size) {
            return acta_fail(err, ACTA_CORRUPT,
                             "%s has %ju bytes, the manifest says %" PRIu64,
                             path, (uintmax_t)status.st_size,
                             archive->parts[i].size);
        }
    }
    return ACTA_OK;
}

/* ---- the manifest ---- */

static uint32_t
sum_manifest(const uint8_t *bytes, size_t size)
{
    return checksum_extend(checksum_of(bytes + 8, 4), bytes + 16, size - 16);
}

static void
encode_part(uint8_t *to, const struct archive_part *part)
{
    put_u32(to, part->kind);
    put_u32(to + 4, part->checksum);
    put_u64(to + 8, part->number);
    put_u64(to + 16, part->size);
    put_u64(to + 24, part->after);
    put_u64(to + 32, part->sequence);
    put_u64(to + 40, part->position);
    put_u64(to + 48, part->time_us);
    put_u32(to + 56, part->erases);
}

/* The part behind @before, which is NULL for the first. */
static bool
decode_part(struct archive_part *part, const struct archive_part *before,
            const uint8_t *from)
{
    *part = (struct archive_part){
        .kind = get_u32(from),
        .checksum = get_u32(from + 4),
        .number = get_u64(from + 8),
        .size = get_u64(from + 16),
        .after = get_u64(from + 24),
        .sequence = get_u64(from + 32),
        .position = get_u64(from + 40),
        .time_us = get_u64(from + 48),
        .erases = get_u32(from + 56) != 0,
    };
    if (before == NULL) {
        return part->kind == ARCHIVE_BASE;
    }
    return part->kind == ARCHIVE_ENTRIES && part->after == before->sequence &&
           part->sequence > part->after && part->position >= before->position;
}

static enum acta_code
decode_manifest(struct archive *archive, const uint8_t *bytes, size_t size,
                struct acta_err *err)
{
    size_t count;

    if (size < MANIFEST_HEADER || memcmp(bytes, MANIFEST_MAGIC, 8) != 0) {
        return acta_fail(err, ACTA_CORRUPT, "it is no manifest of a backup");
    }
    if (get_u32(bytes + 12) != sum_manifest(bytes, size)) {
        return acta_fail(err, ACTA_CORRUPT, "the manifest is damaged");
    }
    if (get_u32(bytes + 8) != ARCHIVE_VERSION) {
        return acta_fail(err, ACTA_UNSUPPORTED,
                         "it has format version %u, this program knows %d",
                         get_u32(bytes + 8), ARCHIVE_VERSION);
    }
    count = get_u32(bytes + 48);
    if (count > ARCHIVE_PARTS_MAX ||
        size != MANIFEST_HEADER + count * MANIFEST_PART) {
        return acta_fail(err, ACTA_CORRUPT, "the manifest is damaged");
    }
    archive->parts = calloc(count + 1, sizeof(*archive->parts));
    if (archive->parts == NULL) {
        return acta_fail(err, ACTA_MEMORY, "open backup");
    }
    memcpy(archive->database.bytes, bytes + 16, UUID_SIZE);
    archive->number = get_u64(bytes + 32);
    archive->made_us = get_u64(bytes + 40);
    archive->parts_count = count;
    for (size_t i = 0; i < count; i++) {
        if (!decode_part(&archive->parts[i],
                         i == 0 ? NULL : &archive->parts[i - 1],
                         bytes + MANIFEST_HEADER + i * MANIFEST_PART)) {
            return acta_fail(err, ACTA_CORRUPT, "the manifest is damaged");
        }
    }
    return ACTA_OK;
}

/* Read a file wholly; *@bytes is the caller's to free. NOT_FOUND */
static enum acta_code
read_manifest(const char *path, uint8_t **bytes, size_t *size,
              struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    struct stat status;
    int fd;

    *bytes = NULL;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return acta_fail(err, ACTA_NOT_FOUND, "there is no backup");
    }
    if (fd < 0) {
        return file_fail(err, "open", path);
    }
    if (fstat(fd, &status) != 0) {
        code = file_fail(err, "look at", path);
    } else if ((uint64_t)status.st_size >
               MANIFEST_HEADER + (uint64_t)ARCHIVE_PARTS_MAX * MANIFEST_PART) {
        code = acta_fail(err, ACTA_CORRUPT, "the manifest is damaged");
    } else {
        *bytes = malloc((size_t)status.st_size + 1);
        code = *bytes == NULL ? acta_fail(err, ACTA_MEMORY, "open backup")
                              : file_read_at(fd, *bytes, (size_t)status.st_size,
                                             0, size, path, err);
    }
    close(fd);
    return code;
}

static enum acta_code
load_manifest(struct archive *archive, struct acta_err *err)
{
    char path[FILE_PATH_MAX];
    enum acta_code code;
    uint8_t *bytes;
    size_t size;

    code = file_join(path, archive->dir, MANIFEST, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = read_manifest(path, &bytes, &size, err);
    if (code == ACTA_OK) {
        code = decode_manifest(archive, bytes, size, err);
    }
    free(bytes);
    return code;
}

/* ---- a new manifest ---- */

static enum acta_code
write_manifest(const struct archive *archive, struct acta_err *err)
{
    size_t size = MANIFEST_HEADER + archive->parts_count * MANIFEST_PART;
    char path[FILE_PATH_MAX], path_new[FILE_PATH_MAX];
    uint8_t *bytes = calloc(1, size);
    enum acta_code code;
    int fd;

    if (bytes == NULL) {
        return acta_fail(err, ACTA_MEMORY, "write manifest");
    }
    memcpy(bytes, MANIFEST_MAGIC, 8);
    put_u32(bytes + 8, ARCHIVE_VERSION);
    memcpy(bytes + 16, archive->database.bytes, UUID_SIZE);
    put_u64(bytes + 32, archive->number);
    put_u64(bytes + 40, archive->made_us);
    put_u32(bytes + 48, (uint32_t)archive->parts_count);
    for (size_t i = 0; i < archive->parts_count; i++) {
        encode_part(bytes + MANIFEST_HEADER + i * MANIFEST_PART,
                    &archive->parts[i]);
    }
    put_u32(bytes + 12, sum_manifest(bytes, size));

    if ((code = file_join(path, archive->dir, MANIFEST, err)) == ACTA_OK &&
        (code = file_join(path_new, archive->dir, MANIFEST_NEW, err)) ==
            ACTA_OK) {
        fd =
            open(path_new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
        code = fd < 0 ? file_fail(err, "make", path_new)
                      : file_write_at(fd, bytes, size, 0, path_new, err);
        if (code == ACTA_OK && fsync(fd) != 0) {
            code = file_fail(err, "sync", path_new);
        }
        if (fd >= 0) {
            close(fd);
        }
        if (code == ACTA_OK) {
            code = file_rename(path_new, path, archive->dir, err);
        }
    }
    free(bytes);
    return code;
}

/* ---- opening ---- */

static enum acta_code
init(struct archive *archive, const char *dir, struct acta_err *err)
{
    *archive = (struct archive){.dir_fd = -1};
    archive->dir = strdup(dir);
    return archive->dir == NULL ? acta_fail(err, ACTA_MEMORY, "open backup")
                                : ACTA_OK;
}

enum acta_code
archive_open(struct archive *archive, const char *dir, struct acta_err *err)
{
    enum acta_code code = init(archive, dir, err);

    if (code == ACTA_OK) {
        code = load_manifest(archive, err);
    }
    if (code == ACTA_OK && archive->parts_count == 0) {
        code = acta_fail(err, ACTA_NOT_FOUND,
                         "no backup there has come to its end");
    }
    return code == ACTA_OK ? ACTA_OK : acta_wrap(err, code, "%s", dir);
}

static enum acta_code
make_dir(const char *dir, struct acta_err *err)
{
    char parent[FILE_PATH_MAX];

    if (mkdir(dir, DIR_MODE) != 0) {
        return errno == EEXIST ? ACTA_OK : file_fail(err, "make", dir);
    }
    if ((size_t)snprintf(parent, sizeof(parent), "%s", dir) >= sizeof(parent)) {
        return acta_fail(err, ACTA_INVALID, "path is too long");
    }
    return file_sync_dir(dirname(parent), err);
}

static enum acta_code
lock(struct archive *archive, struct acta_err *err)
{
    archive->dir_fd = open(archive->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (archive->dir_fd < 0) {
        return file_fail(err, "open", archive->dir);
    }
    if (flock(archive->dir_fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? acta_fail(err, ACTA_IN_USE,
                               "another process makes a backup there")
                   : file_fail(err, "lock", archive->dir);
    }
    return ACTA_OK;
}

static bool
has_part(const struct archive *archive, uint64_t number)
{
    for (size_t i = 0; i < archive->parts_count; i++) {
        if (archive->parts[i].number == number) {
            return true;
        }
    }
    return false;
}

/* Is it a part, or a manifest that was not finished, that may go? */
static bool
is_left_over(const struct archive *archive, const char *name)
{
    size_t prefix = strlen(PART_PREFIX);

    if (strncmp(name, PART_PREFIX, prefix) == 0 &&
        strspn(name + prefix, "0123456789abcdef") == 16 &&
        strlen(name) == prefix + 16) {
        return !has_part(archive, strtoull(name + prefix, NULL, 16));
    }
    return strcmp(name, MANIFEST_NEW) == 0;
}

/* Remove what the manifest does not name. Other files are left alone. */
static enum acta_code
remove_left_over(const struct archive *archive, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    char path[FILE_PATH_MAX];
    struct dirent *entry;
    DIR *list;

    list = opendir(archive->dir);
    if (list == NULL) {
        return file_fail(err, "open", archive->dir);
    }
    while (code == ACTA_OK &&
           (code = file_next(list, archive->dir, &entry, err)) == ACTA_OK &&
           entry != NULL) {
        if (!is_left_over(archive, entry->d_name)) {
            continue;
        }
        code = file_join(path, archive->dir, entry->d_name, err);
        if (code == ACTA_OK && unlink(path) != 0) {
            code = file_fail(err, "remove", path);
        }
    }
    closedir(list);
    return code;
}

/* A directory becomes an archive if it is empty. Parts without a manifest are
 * of one that has lost it, since the manifest is there before the first part:
 * they may be all that is left of a database.
 */
static enum acta_code
begin_archive(const struct archive *archive, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    struct dirent *entry;
    DIR *list;

    list = opendir(archive->dir);
    if (list == NULL) {
        return file_fail(err, "open", archive->dir);
    }
    while (code == ACTA_OK &&
           (code = file_next(list, archive->dir, &entry, err)) == ACTA_OK &&
           entry != NULL) {
        const char *name = entry->d_name;

        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
            strcmp(name, MANIFEST_NEW) == 0) {
            continue;
        }
        code = acta_fail(err, ACTA_INVALID,
                         is_left_over(archive, name)
                             ? "there are parts of a backup in it, and no "
                               "manifest"
                             : "there are files in it that are of no backup");
    }
    closedir(list);
    return code == ACTA_OK ? write_manifest(archive, err) : code;
}

enum acta_code
archive_open_writer(struct archive *archive, const char *dir,
                    struct acta_err *err)
{
    enum acta_code code = init(archive, dir, err);

    if (code == ACTA_OK) {
        code = make_dir(dir, err);
    }
    if (code == ACTA_OK) {
        code = lock(archive, err);
    }
    if (code == ACTA_OK) {
        code = load_manifest(archive, err);
    }
    if (code == ACTA_NOT_FOUND) {
        code = begin_archive(archive, err);
    }
    if (code == ACTA_OK) {
        code = remove_left_over(archive, err);
    }
    return code == ACTA_OK ? ACTA_OK : acta_wrap(err, code, "%s", dir);
}

void
archive_close(struct archive *archive)
{
    if (archive->dir_fd >= 0) {
        close(archive->dir_fd);
    }
    free(archive->parts);
    free(archive->dir);
    *archive = (struct archive){.dir_fd = -1};
}

/* ---- a complete backup ---- */

enum acta_code
archive_commit(struct archive *archive, const struct archive_part *added,
               size_t count, struct uuid database, uint64_t made_us,
               struct acta_err *err)
{
    bool anew = count > 0 && added[0].kind == ARCHIVE_BASE;
    struct archive next = *archive;
    enum acta_code code;

    assert(anew || archive->parts_count > 0);

    next.parts_count = (anew ? 0 : archive->parts_count) + count;
    if (next.parts_count > ARCHIVE_PARTS_MAX) {
        return acta_fail(err, ACTA_FULL, "the backup has %d parts already",
                         ARCHIVE_PARTS_MAX);
    }
    next.parts = calloc(next.parts_count, sizeof(*next.parts));
    if (next.parts == NULL) {
        return acta_fail(err, ACTA_MEMORY, "write manifest");
    }
    for (size_t i = 0; i < next.parts_count - count; i++) {
        next.parts[i] = archive->parts[i];
    }
    for (size_t i = 0; i < count; i++) {
        next.parts[next.parts_count - count + i] = added[i];
    }
    next.database = database;
    next.made_us = made_us;
    code = file_sync_dir(archive->dir, err); /* The parts' names. */
    if (code == ACTA_OK) {
        code = write_manifest(&next, err);
    }
    if (code != ACTA_OK) {
        free(next.parts);
        return code;
    }
    free(archive->parts);
    *archive = next;
    /* What is not removed now is removed by the next backup. */
    (void)remove_left_over(archive, NULL);
    return ACTA_OK;
}

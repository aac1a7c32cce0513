/* The bytes of writes are not copied: they lie in the trace, which is mapped.
 */

#include "disk_inside.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "require.h"

static const char *const lies[] = {
    "honest",        "no entry sync",    "no header sync",   "no journal names",
    "no store sync", "no meta sync",     "no creation sync", "",
    "no part sync",  "no manifest sync", "no archive names",
};

const char *
disk_lie_name(enum disk_lie lie)
{
    return lies[lie];
}

/* ---- names ---- */

static struct entry *
find_entry(struct entries *entries, const char *name)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (strcmp(entries->list[i].name, name) == 0) {
            return &entries->list[i];
        }
    }
    return NULL;
}

static void
remove_entry(struct entries *entries, const char *name)
{
    struct entry *entry = find_entry(entries, name);

    if (entry != NULL) {
        free(entry->name);
        *entry = entries->list[--entries->count];
    }
}

void
entries_set(struct entries *entries, const char *name, struct object *target)
{
    remove_entry(entries, name);
    require(entries->count < ENTRIES_MAX);
    entries->list[entries->count++] = (struct entry){strdup(name), target};
}

void
entries_clear(struct entries *entries)
{
    while (entries->count > 0) {
        free(entries->list[--entries->count].name);
    }
}

void
entries_apply(struct entries *entries, const struct naming *naming)
{
    if (naming->removed != NULL) {
        remove_entry(entries, naming->removed);
    }
    if (naming->set != NULL) {
        entries_set(entries, naming->set, naming->target);
    }
}

static void
add_naming(struct object *dir, const char *set, struct object *target,
           const char *removed)
{
    struct naming *naming;

    dir->namings = reallocarray(dir->namings, dir->namings_count + 1,
                                sizeof(*dir->namings));
    naming = &dir->namings[dir->namings_count++];
    *naming = (struct naming){
        .set = set == NULL ? NULL : strdup(set),
        .target = target,
        .removed = removed == NULL ? NULL : strdup(removed),
    };
    entries_apply(&dir->now, naming);
}

static void
clear_namings(struct object *dir)
{
    for (size_t i = 0; i < dir->namings_count; i++) {
        free(dir->namings[i].set);
        free(dir->namings[i].removed);
    }
    dir->namings_count = 0;
}

/* The directory that @path is in, as things are now, and its name there. */
static struct object *
find_dir(struct disk *disk, char *path, const char **name)
{
    struct object *dir = disk->root;
    char *slash;

    while ((slash = strchr(path, '/')) != NULL) {
        struct entry *entry;

        *slash = '\0';
        entry = find_entry(&dir->now, path);
        require(entry != NULL);
        dir = entry->target;
        require(dir->is_dir);
        path = slash + 1;
    }
    *name = path;
    return dir;
}

/* ---- objects ---- */

static void
note_name(struct object *object, const char *name)
{
    snprintf(object->name, sizeof(object->name), "%s", name);
}

struct object *
disk_add(struct disk *disk, uint64_t inode, bool is_dir, const char *name)
{
    struct object *object = calloc(1, sizeof(*object));

    object->inode = inode;
    object->is_dir = is_dir;
    note_name(object, name);
    object->next = disk->objects;
    disk->objects = object;
    return object;
}

/* The newest one with this number: the file system gives numbers again. */
static struct object *
find_object(struct disk *disk, uint64_t inode)
{
    struct object *object = disk->objects;

    while (object != NULL && object->inode != inode) {
        object = object->next;
    }
    return object;
}

static bool
is_named(const struct object *object, const char *beginning)
{
    return strncmp(object->name, beginning, strlen(beginning)) == 0;
}

/* ---- content ---- */

static void
resize(struct content *content, size_t size)
{
    if (size > content->size) {
        content->bytes = realloc(content->bytes, size);
        memset(content->bytes + content->size, 0, size - content->size);
    }
    content->size = size;
}

void
content_put(struct content *content, const struct change *change, size_t from,
            size_t size)
{
    size_t end = change->offset + from + size;

    if (end > content->size) {
        resize(content, end);
    }
    if (change->bytes == NULL) {
        memset(content->bytes + change->offset + from, 0, size);
    } else {
        memcpy(content->bytes + change->offset + from, change->bytes + from,
               size);
    }
}

void
content_apply(struct content *content, const struct change *change)
{
    if (change->kind == TRACE_WRITE) {
        content_put(content, change, 0, change->size);
    } else if (change->kind == TRACE_RESIZE || change->size > content->size) {
        resize(content, change->size);
    }
}

static void
add_change(struct object *file, const struct trace_op *op, const void *bytes)
{
    file->changes = reallocarray(file->changes, file->changes_count + 1,
                                 sizeof(*file->changes));
    file->changes[file->changes_count++] = (struct change){
        .kind = op->kind == TRACE_WRITE_SYNC ? TRACE_WRITE : op->kind,
        .offset = op->offset,
        .size = op->size,
        .bytes = op->bytes_size == 0 ? NULL : bytes,
    };
}

/* ---- syncing ---- */

/* Is a sync of @object one of those that the program is to have forgotten? */
static bool
is_forgotten(const struct disk *disk, const struct object *object)
{
    if (!disk->has_noted) {
        return disk->lie == DISK_NO_CREATION_SYNC && object->is_dir;
    }
    switch (disk->lie) {
    case DISK_NO_ENTRY_SYNC:
        return is_named(object, "segment-");
    case DISK_NO_HEADER_SYNC:
        return is_named(object, "spare-");
    case DISK_NO_JOURNAL_NAMES:
        return is_named(object, "journal");
    case DISK_NO_STORE_SYNC:
        return is_named(object, "data.mdb");
    case DISK_NO_PART_SYNC:
        return is_named(object, "part-");
    case DISK_NO_MANIFEST_SYNC:
        return is_named(object, "manifest");
    case DISK_NO_ARCHIVE_NAMES:
        return is_named(object, "archive");
    case DISK_HONEST:
    case DISK_NO_META_SYNC:
    case DISK_NO_CREATION_SYNC:
    case DISK_LIES:
    case DISK_LIES_END:
        break;
    }
    return false;
}

static void
sync_object(struct object *object)
{
    struct content content = {object->bytes, object->size};

    for (size_t i = 0; i < object->changes_count; i++) {
        content_apply(&content, &object->changes[i]);
    }
    object->changes_count = 0;
    object->bytes = content.bytes;
    object->size = content.size;
    for (size_t i = 0; i < object->namings_count; i++) {
        entries_apply(&object->durable, &object->namings[i]);
    }
    clear_namings(object);
}

/* The last write of a file that syncs each write is on disk. */
static void
settle_write(struct disk *disk)
{
    struct object *file = disk->settling;
    struct content content = {file->bytes, file->size};

    disk->settling = NULL;
    if (disk->has_noted && disk->lie == DISK_NO_META_SYNC) {
        disk->has_lied = true;
    } else {
        file->changes_count--;
        content_apply(&content, &file->changes[file->changes_count]);
        file->bytes = content.bytes;
        file->size = content.size;
    }
}

/* ---- the trace ---- */

struct disk *
disk_open(enum disk_lie lie)
{
    struct disk *disk = calloc(1, sizeof(*disk));

    disk->lie = lie;
    disk->root = disk_add(disk, 0, true, "");
    return disk;
}

void
disk_follow(struct disk *disk, const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    disk->trace_size = (size_t)status.st_size;
    disk->trace = mmap(NULL, disk->trace_size, PROT_READ, MAP_PRIVATE, fd, 0);
    ck_assert(disk->trace != MAP_FAILED);
    close(fd);
}

void
disk_close(struct disk *disk)
{
    while (disk->objects != NULL) {
        struct object *object = disk->objects;

        disk->objects = object->next;
        entries_clear(&object->now);
        entries_clear(&object->durable);
        clear_namings(object);
        free(object->namings);
        free(object->changes);
        free(object->bytes);
        free(object);
    }
    if (disk->trace != NULL) {
        munmap(disk->trace, disk->trace_size);
    }
    free(disk);
}

static void
make_name(struct disk *disk, const struct trace_op *op, char *path)
{
    const char *name;
    struct object *dir = find_dir(disk, path, &name);

    add_naming(dir, name,
               disk_add(disk, op->inode, op->kind == TRACE_MAKE_DIR, name),
               NULL);
}

static void
rename_name(struct disk *disk, char *path, char *second)
{
    const char *name, *to;
    struct object *dir = find_dir(disk, path, &name);
    struct entry *entry = find_entry(&dir->now, name);

    require(find_dir(disk, second, &to) == dir);
    require(entry != NULL);
    note_name(entry->target, to);
    add_naming(dir, to, entry->target, name);
}

static void
remove_name(struct disk *disk, char *path)
{
    const char *name;
    struct object *dir = find_dir(disk, path, &name);

    require(find_entry(&dir->now, name) != NULL);
    add_naming(dir, NULL, NULL, name);
}

static void
do_op(struct disk *disk, const struct trace_op *op, char *name, char *second,
      const void *bytes)
{
    struct object *object = find_object(disk, op->inode);

    switch ((enum trace_kind)op->kind) {
    case TRACE_MAKE_DIR:
    case TRACE_CREATE:
        make_name(disk, op, name);
        break;
    case TRACE_RENAME:
        rename_name(disk, name, second);
        break;
    case TRACE_UNLINK:
    case TRACE_REMOVE_DIR:
        remove_name(disk, name);
        break;
    case TRACE_WRITE_SYNC:
        disk->settling = object;
        __attribute__((fallthrough));
    case TRACE_WRITE:
    case TRACE_RESIZE:
    case TRACE_ALLOCATE:
        require(object != NULL && !object->is_dir);
        add_change(object, op, bytes);
        break;
    case TRACE_SYNC:
        require(object != NULL);
        if (is_forgotten(disk, object)) {
            disk->has_lied = true;
        } else {
            sync_object(object);
        }
        break;
    case TRACE_NOTE:
        disk->has_noted = true;
        break;
    }
}

bool
disk_step(struct disk *disk)
{
    char name[DISK_PATH_SIZE], second[DISK_PATH_SIZE];
    struct trace_op *op = &disk->last;
    const uint8_t *at;

    if (disk->settling != NULL) {
        settle_write(disk);
        return true;
    }
    if (disk->at == disk->trace_size) {
        return false;
    }
    require(disk->trace_size - disk->at >= sizeof(*op));
    memcpy(op, disk->trace + disk->at, sizeof(*op));
    require(op->name_size < DISK_PATH_SIZE && op->second_size < DISK_PATH_SIZE);
    at = disk->trace + disk->at + sizeof(*op);
    snprintf(name, sizeof(name), "%.*s", op->name_size, (const char *)at);
    at += op->name_size;
    snprintf(second, sizeof(second), "%.*s", op->second_size, (const char *)at);
    at += op->second_size;
    disk->last_bytes = (const char *)at;
    disk->at = (size_t)(at - disk->trace) + op->bytes_size;
    require(disk->at <= disk->trace_size);
    do_op(disk, op, name, second, at);
    return true;
}

const struct trace_op *
disk_last(const struct disk *disk, const char **bytes)
{
    *bytes = disk->last_bytes;
    return &disk->last;
}

bool
disk_has_lied(const struct disk *disk)
{
    return disk->has_lied;
}

size_t
disk_pending(const struct disk *disk)
{
    size_t count = 0;

    for (const struct object *o = disk->objects; o != NULL; o = o->next) {
        if (!is_named(o, "lock.mdb") && !is_named(o, "main.lock")) {
            count += o->changes_count + o->namings_count;
        }
    }
    return count;
}

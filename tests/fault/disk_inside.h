/* The inside of a disk, for disk.c, which follows the trace, disk_load.c, which
 * reads what was there before, and disk_draw.c, which makes states.
 *
 * Files and directories are objects, which names point to. Each has what is on
 * disk, and a list of changes that are on their way: of a file writes and
 * sizes, of a directory names. A sync carries them out.
 */

#ifndef ACTA_TEST_DISK_INSIDE_H
#define ACTA_TEST_DISK_INSIDE_H

#include "disk.h"

#define ENTRIES_MAX    64
#define DISK_PATH_SIZE 600
#define NAME_SIZE      64

/* A name that is set or removed; a rename does both at once. */
struct naming {
    char *set; /* owned; NULL: none */
    struct object *target;
    char *removed; /* owned; NULL: none */
};

struct change {
    enum trace_kind kind; /* TRACE_WRITE, TRACE_RESIZE, TRACE_ALLOCATE */
    uint64_t offset;
    uint64_t size;
    const uint8_t *bytes; /* NULL: zeros */
};

struct entry {
    char *name; /* owned */
    struct object *target;
};

struct entries {
    struct entry list[ENTRIES_MAX];
    size_t count;
};

struct object {
    struct object *next;
    uint64_t inode;
    bool is_dir;
    char name[NAME_SIZE]; /* The last one it got. */

    /* A file's. */
    uint8_t *bytes; /* owned: on disk */
    size_t size;
    struct change *changes; /* owned */
    size_t changes_count;

    /* A directory's. */
    struct entries now;
    struct entries durable;
    struct naming *namings; /* owned */
    size_t namings_count;
};

struct disk {
    enum disk_lie lie;
    uint8_t *trace;
    size_t trace_size;
    size_t at;
    struct trace_op last;
    const char *last_bytes;
    bool has_noted; /* The database is made, and the work begins. */
    bool has_lied;
    struct object *settling; /* A write was done that syncs itself. */
    struct object *objects;  /* owned: the newest first */
    struct object *root;
};

/* A file or a directory that is new, and the name that it gets. */
struct object *disk_add(struct disk *disk, uint64_t inode, bool is_dir,
                        const char *name);

void entries_set(struct entries *entries, const char *name,
                 struct object *target);
void entries_clear(struct entries *entries);
void entries_apply(struct entries *entries, const struct naming *naming);

/* The bytes of a file, on disk or in a state. */
struct content {
    uint8_t *bytes; /* owned */
    size_t size;
};

/* Put @size bytes of a write, from its byte @from on, where they belong. */
void content_put(struct content *content, const struct change *change,
                 size_t from, size_t size);
void content_apply(struct content *content, const struct change *change);

#endif

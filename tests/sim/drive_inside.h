/* The inside of the drive, for drive.c, which knows what is on it, and files.c,
 * which has the calls.
 */

#ifndef ACTA_SIM_DRIVE_INSIDE_H
#define ACTA_SIM_DRIVE_INSIDE_H

#include <sys/types.h>

#include "drive.h"

#define PAGE_SIZE     4096u
#define FILE_SIZE_MAX ((size_t)64 << 20)
#define PAGES_MAX     (FILE_SIZE_MAX / PAGE_SIZE)
#define NAMES_MAX     64
#define NAME_SIZE     64

/* What a file has, or had when it was synced. Pages that were never written
 * are left alone: they are zeros.
 */
struct content {
    uint8_t *bytes; /* FILE_SIZE_MAX of address space. */
    uint8_t *pages; /* For each page: was it written? */
    size_t size;
};

/* What is on its way. */
struct change {
    uint64_t serial;
    bool is_size; /* Of the file's size only, which is then @offset. */
    size_t offset;
    size_t size;
    uint8_t *bytes; /* owned; NULL: zeros */
};

struct name {
    char text[NAME_SIZE];
    struct inode *inode;
};

struct names {
    struct name list[NAMES_MAX];
    size_t count;
};

/* A name that is set or removed; a rename does both at once. */
struct naming {
    char set[NAME_SIZE]; /* Empty: none. */
    struct inode *inode;
    char removed[NAME_SIZE]; /* Empty: none. */
};

struct inode {
    struct inode *next;
    uint64_t number;
    bool is_dir;
    const void *locked_by; /* The open file that has the lock. */

    struct content now;
    struct content safe;
    struct change *changes; /* owned */
    size_t changes_count;

    struct names names;
    struct names safe_names;
    struct naming *namings; /* owned */
    size_t namings_count;
};

/* The inode of @path; NULL and an errno if there is none. */
struct inode *drive_find(const char *path);

/* The directory that @path is in, and the last part of it. */
struct inode *drive_find_parent(const char *path, const char **last);

struct inode *drive_find_name(const struct inode *dir, const char *name);

/* A file or a directory that is new, under @name in @dir. */
struct inode *drive_make(struct inode *dir, const char *name, bool is_dir);

/* Change names: set @set for @inode if it is not NULL, and remove @removed. */
void drive_name(struct inode *dir, const char *set, struct inode *inode,
                const char *removed);

/* Write; and set the size. */
void drive_write(struct inode *inode, const void *bytes, size_t size,
                 size_t offset);
void drive_resize(struct inode *inode, size_t size);

/* Make all that was done by now durable: it takes its time. -1: EIO. */
int drive_sync(struct inode *inode);

/* Write out what is on its way to @size bytes at @offset: it takes its time,
 * and makes nothing durable. -1: ENOSYS, where that cannot be done; or EIO, and
 * what was on its way is lost in part, of which no later call tells.
 */
int drive_write_out(struct inode *inode, size_t offset, size_t size);

/* Is it the turn of this call to fail? */
bool drive_fails(void);
bool drive_is_full(void);

/* Does @at lie in the memory of a file? */
bool drive_has(const void *at);

void drive_note_write(size_t size);

#endif

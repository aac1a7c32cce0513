/* What a program did to its files, in the order in which it did it: written by
 * shim/trace.c, read by disk.c.
 *
 * A trace is a run of operations, each a struct trace_op and behind it its
 * name, its second name and its bytes, without zeros between them. Names are
 * relative to the directory that is traced. Only what succeeded is there, and
 * it was done, one at a time, before it was written down.
 */

#ifndef ACTA_TEST_TRACE_H
#define ACTA_TEST_TRACE_H

#include <stdint.h>

enum trace_kind {
    TRACE_MAKE_DIR,   /* name, inode */
    TRACE_CREATE,     /* name, inode: a file that is empty */
    TRACE_RENAME,     /* name, second name */
    TRACE_UNLINK,     /* name */
    TRACE_REMOVE_DIR, /* name */
    TRACE_WRITE,      /* inode, offset, size, bytes */
    TRACE_WRITE_SYNC, /* the same, of a file that syncs each write */
    TRACE_RESIZE,     /* inode, size */
    TRACE_ALLOCATE,   /* inode, size: at least so large from now on */
    TRACE_SYNC,       /* inode: of a file or a directory */
    TRACE_NOTE,       /* bytes: what the program has said */
};

struct trace_op {
    uint32_t kind;
    uint16_t name_size;
    uint16_t second_size;
    uint64_t inode; /* 0: the directory that is traced. */
    uint64_t offset;
    uint64_t size;       /* For a write, of what was written. */
    uint64_t bytes_size; /* Of what stands behind it: 0 for a write of zeros. */
};

/* In the environment: the directory, where the trace goes, and the file whose
 * writes are notes. With TRACE_DIR alone missing nothing is traced.
 */
#define TRACE_DIR   "TRACE_DIR"
#define TRACE_FILE  "TRACE_FILE"
#define TRACE_NOTES "TRACE_NOTES"

#endif

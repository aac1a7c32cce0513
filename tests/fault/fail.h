/* What shim/fail.c is told, and what it tells. */

#ifndef ACTA_TEST_FAIL_H
#define ACTA_TEST_FAIL_H

#include <stdint.h>

/* The calls that can fail. (LMDB does not call msync() as it is used here.) */
#define FAIL_CALLS(X)                                                          \
    X(OPEN, "open")                                                            \
    X(PWRITE, "pwrite")                                                        \
    X(WRITEV, "writev")                                                        \
    X(PREAD, "pread")                                                          \
    X(FDATASYNC, "fdatasync")                                                  \
    X(SYNC_RANGE, "sync_file_range")                                           \
    X(FSYNC, "fsync")                                                          \
    X(FTRUNCATE, "ftruncate")                                                  \
    X(FALLOCATE, "posix_fallocate")                                            \
    X(RENAME, "rename")                                                        \
    X(UNLINK, "unlink")                                                        \
    X(MKDIR, "mkdir")                                                          \
    X(MMAP, "mmap")

enum fail_call {
#define X(name, text) FAIL_##name,
    FAIL_CALLS(X)
#undef X
        FAIL_CALLS_COUNT,
};

/* A file that is mapped: how often each was called, and how many have failed.
 */
struct fail_counts {
    uint64_t calls[FAIL_CALLS_COUNT];
    uint64_t failed;
};

/* In the environment. */
#define FAIL_DIR    "FAIL_DIR"    /* Only what is below it is counted. */
#define FAIL_COUNTS "FAIL_COUNTS" /* A file of a struct fail_counts. */
#define FAIL_CALL   "FAIL_CALL"   /* A number, of enum fail_call. */
#define FAIL_NTH    "FAIL_NTH"    /* The first is 1; 0: none fails. */
#define FAIL_ERRNO  "FAIL_ERRNO"
#define FAIL_HOW    "FAIL_HOW" /* A number, of enum fail_how. */

enum fail_how {
    FAIL_ONCE,
    FAIL_FOR_GOOD, /* All from that one on. */
    FAIL_SHORT,    /* A write that writes half of it, and says so. */
    FAIL_DROP,     /* A sync that fails, and after which the file has again what
                      it had at its last sync: the pages are gone. */
    FAIL_KILL,     /* The process dies before the call, */
    FAIL_TEAR,     /* or in the middle of a write. */
    FAIL_HOWS,
};

#endif

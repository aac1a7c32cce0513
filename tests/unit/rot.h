/* A database with something of everything, and what may become of its files.
 *
 * Whatever fails, fails the test.
 */

#ifndef ACTA_TEST_ROT_H
#define ACTA_TEST_ROT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"

#define ROT_PAGE      4096u
#define ROT_FILES_MAX 16

extern struct base rot_base;
extern struct base rot_copy; /* Of its files, to be opened. */

void rot_init(void);
void rot_fini(void);

/* 400 events. */
void rot_append_some(struct base *of);

/* Decide a job, and free it. */
void rot_decide_and_free(struct base *of, struct job *job);

/* Make it, with one part in the store, and @killed or not with another in the
 * journal. It is closed then.
 */
void rot_make(bool killed);

/* A file as it was. */
struct rot_file {
    char path[400];
    uint8_t *bytes;
    size_t size;
    size_t used; /* What is behind it says nothing. */
};

extern struct rot_file rot_files[ROT_FILES_MAX];
extern size_t rot_files_count;

/* The store's file, and then all segments: to be freed. */
void rot_load_files(void);
void rot_free_files(void);

/* As it is now; bytes are the caller's. */
void rot_read_file(struct rot_file *file, const char *path);

void rot_write_file(const struct rot_file *file, size_t at,
                    const uint8_t *bytes, size_t size);

/* The file as it was. */
void rot_restore(const struct rot_file *file);

/* The files as they are now, as those of rot_copy. */
void rot_copy_files(void);

/* Each how many-th page is tried, so that they are about @usual; in a long run
 * it is every one.
 */
size_t rot_stride_for(unsigned usual);

/* What becomes of a page: zeros (0), the page behind it (1), that and the page
 * behind it this one (2), or it is cut off with all behind it.
 */
void rot_spoil(struct rot_file *file, size_t page, int how);

#endif

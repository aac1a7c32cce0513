/* A directory of a test's own, below $TMPDIR or /tmp. */

#ifndef ACTA_TEST_TEMPDIR_H
#define ACTA_TEST_TEMPDIR_H

struct tempdir {
    char path[256];
};

/* Make a new and empty directory; the test fails if that is not possible. */
void tempdir_make(struct tempdir *dir);

/* Remove it with all that is in it. Does nothing if it is gone. */
void tempdir_remove(struct tempdir *dir);

/* "@dir/@name", in memory that the next call overwrites. */
const char *tempdir_file(const struct tempdir *dir, const char *name);

#endif

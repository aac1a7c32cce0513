/* A directory in memory for targets that work on files, made anew for each
 * process and removed when it ends.
 */

#ifndef ACTA_TEST_FUZZ_SCRATCH_H
#define ACTA_TEST_FUZZ_SCRATCH_H

#include <stdbool.h>

#include "slice.h"

#define SCRATCH_PATH_MAX 512

/* The directory, made by the first call. */
const char *scratch_dir(void);

/* The path of @name in it, in memory that the caller gives. */
const char *scratch_path(char path[static SCRATCH_PATH_MAX], const char *name);

/* Remove all that is in it. */
void scratch_clear(void);

/* Make the file @path have these bytes. */
void scratch_write(const char *path, struct slice bytes);

/* True if the file @path has these bytes and no more. */
bool scratch_has(const char *path, struct slice bytes);

#endif

/* Backups of a database in this process, and what is made of them. Whatever
 * fails and is not asked for fails the test.
 */

#ifndef ACTA_TEST_TAKE_H
#define ACTA_TEST_TAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive.h"
#include "base.h"

struct take {
    bool anew;          /* All of it. */
    size_t chunk_size;  /* Bytes asked for at once. */
    uint64_t leave_out; /* A mistake on purpose: this entry is not put into the
                           archive; 0: none. */
};

/* What became of it. */
struct took {
    bool had_base;
    bool had_reason;
    uint64_t sequence;
    uint64_t position;
    uint64_t kept; /* The server keeps the journal behind this commit. */
};

/* Take a backup of the database of @base into the archive at @dir. */
enum acta_code take_backup(struct base *base, const char *dir,
                           const struct take *take, struct took *took,
                           struct acta_err *err) ACTA_CHECKED;

/* The same, which must succeed, as others do. */
struct took take_it(struct base *base, const char *dir);

/* Restore the archive at @dir to the data directory @to. */
enum acta_code take_restore(const char *dir, const char *to,
                            uint64_t position_max,
                            struct acta_err *err) ACTA_CHECKED;

/* Open and read all of the archive. */
enum acta_code take_verify(const char *dir, struct acta_err *err) ACTA_CHECKED;

/* What the database at @path, of the options of @like, shows: free() it. */
char *take_tell(const struct base *like, const char *path);

#endif

/* A whole database in a directory of its own, with calls that wait for their
 * answer, and with processes that die in the middle of it.
 *
 * Whatever fails, fails the test. Appends of many threads at once are fine.
 */

#ifndef ACTA_TEST_BASE_H
#define ACTA_TEST_BASE_H

#include <stddef.h>
#include <stdint.h>

#include "core.h"
#include "database.h"

/* What a process of base_killed() ends with when the database cannot go on. */
#define BASE_FATAL_STATUS 33

struct base {
    struct tempdir dir;
    char path[300]; /* Of the database, in dir. */
    struct database_options options;
    struct database *database; /* NULL: closed. */
};

/* A directory, and options with the smallest journal segments, no reserve and
 * an address space that sanitizers bear with. The database is not there yet.
 */
void base_init(struct base *base);

/* The same for a database at @path, whose directory is the caller's:
 * base_fini() is not for it.
 */
void base_init_at(struct base *base, const char *path);

/* Close, and remove the directory. */
void base_fini(struct base *base);

void base_open(struct base *base);
void base_close(struct base *base);

/* What opening fails with; OK: it did not, and is closed again. */
enum acta_code base_try(struct base *base, struct acta_err *err);

/* Run @work in a process of its own, with the database open there, and let it
 * die without closing. It must be closed here. Returns its exit status: that of
 * the database's end, 0, or what @work ended it with.
 */
int base_killed(struct base *base, void (*work)(struct base *base));

/* Submit @append and wait until it has come back. Returns the outcome's code,
 * or what submitting was refused with. It stays the caller's.
 */
enum acta_code base_decide(struct base *base, struct job *job);

/* Append to one stream, with any version expected if @expected says so. */
enum acta_code base_append(struct base *base, const char *stream,
                           int64_t expected, const struct draft *drafts,
                           size_t count);

/* Append @count events with ids @first_id and on, one after the other, each
 * with @size bytes of data.
 */
void base_append_many(struct base *base, const char *stream, uint64_t first_id,
                      size_t count, size_t size);

uint64_t base_version(struct base *base, const char *stream);

/* Read everything, and check that positions, versions and times are in order
 * and without gaps. Each event is shown to @visit, which may be NULL. Returns
 * how many there are.
 */
uint64_t base_check(struct base *base,
                    void (*visit)(void *user, const struct event *event),
                    void *user);

/* Files in the journal's directory whose name begins with @prefix. */
size_t base_journal_files(struct base *base, const char *prefix);

#endif

/* Verifying a database that is open, and changes meanwhile.
 *
 * It is done in small steps, each of which sees the store as of its own moment,
 * so that nothing is kept from being used again for longer than a step; only
 * the first, which looks through those pages of the store that name others,
 * takes as long as these are many. What is held against each other is about the
 * events that the store had at the beginning (verify_contents.h), and about the
 * entries that the journal had. How many entries tables have is compared with
 * what the store says of them only if nothing was committed meanwhile.
 *
 * Files are read by offset and past the page cache, where the file system can
 * do that: what counts is what the disk has, and a page that it does not give
 * is a finding like others. LMDB is asked for nothing but the moment.
 *
 * One thread at a time.
 */

#ifndef ACTA_VERIFY_LIVE_H
#define ACTA_VERIFY_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "verify.h"

struct rooms;
struct verify_live;

/* Begin with the database in @options->dir, whose rooms are @rooms and outlive
 * it. @options is borrowed as well; map_size is of no use.
 */
enum acta_code verify_live_new(struct verify_live **live, struct rooms *rooms,
                               const struct verify_options *options,
                               struct acta_err *err) ACTA_CHECKED;
void verify_live_free(struct verify_live *live); /* May be NULL. */

/* Read on, about @bytes of the files. *@done is true when all was gone through.
 *
 * CORRUPT     What LMDB needs of the store to see a moment is damaged.
 * IO, MEMORY  It can be called again, or not.
 */
enum acta_code verify_live_step(struct verify_live *live, uint64_t bytes,
                                bool *done, struct acta_err *err) ACTA_CHECKED;

/* What was found so far. */
const struct verify_report *verify_live_report(const struct verify_live *live);

/* Bytes that were read, and about as many as there are. */
uint64_t verify_live_read(const struct verify_live *live);
uint64_t verify_live_size(const struct verify_live *live);

#endif

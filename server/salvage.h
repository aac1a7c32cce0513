/* What can be read of a damaged database, in a new one.
 *
 * The source is read by offset, page by page, never through LMDB and never
 * mapped, and is not changed: what is damaged, or cannot be read, costs what it
 * is in. Everything that is taken has proved what it is by its own checksum:
 * records of events, wherever a block or an entry of the journal has them;
 * heads and postings of lists, and ids, which say of an event that is lost in
 * which stream it was, under which version, type, tags and id; and rows.
 *
 * In the new database every event has the position and the version that it had.
 * One that is lost keeps its place like one that was erased: without data and
 * metadata, under the tag SALVAGE_LOST_TAG, with what else is known of it. If
 * not even its stream is known it is put where versions are missing, or into
 * the stream SALVAGE_LOST_NAME.
 */

#ifndef ACTA_SALVAGE_H
#define ACTA_SALVAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "slice.h"

#define SALVAGE_LOST_TAG  "acta:lost"
#define SALVAGE_LOST_NAME "acta.lost" /* Stream and type, if not known. */

/* An event that is lost. */
struct salvage_lost {
    uint64_t position;
    uint64_t version; /* Where it has its place now, */
    struct slice stream;
    struct slice type;
    bool is_known; /* and had it before: else that is a guess. */
};

struct salvage_options {
    const char *from; /* Directory of the damaged database, */
    const char *to;   /* and of the new one, which must not be there. */

    /* Told of each event that is lost, and of all else that is missing, or not
     * as it was, as a sentence.
     */
    void (*lost)(void *user, const struct salvage_lost *lost);
    void (*note)(void *user, const char *text);
    void *user;
};

struct salvage_report {
    uint64_t head;   /* Of the new database. */
    uint64_t events; /* That are whole, erased ones included, */
    uint64_t swept;  /* of which only their place was left before, */
    uint64_t lost;   /* and that are lost. */
    uint64_t rows;   /* That were taken. */
    uint64_t notes;  /* 0, and no event is lost: all is there. */
};

/* OK         @to is there, whole and on disk, with all that could be read.
 * IN_USE     A server has one of the two open.
 * NOT_FOUND  There is no database at @from, or nothing in it can be read.
 * EXISTS     There is something at @to.
 * FULL, IO, MEMORY
 */
enum acta_code salvage(const struct salvage_options *options,
                       struct salvage_report *report,
                       struct acta_err *err) ACTA_CHECKED;

#endif

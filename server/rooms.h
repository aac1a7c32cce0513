/* The rooms of a database, for those who work in more than one of them: the
 * writer, the checkpoint and the readers. Internal to the database.
 */

#ifndef ACTA_ROOMS_H
#define ACTA_ROOMS_H

#include "database.h"
#include "journal.h"
#include "marks.h"
#include "store.h"
#include "tail.h"

struct rooms {
    struct journal *journal;
    struct tail tail;
    struct store *store;
    uint32_t without;   /* What the store does without. */
    struct marks marks; /* Of streams that have rows. */

    /* Erasures that were acknowledged and are not carried out yet: never fewer
     * than there are. The writer adds, the checkpoint thread takes away.
     */
    _Atomic uint64_t erasures_pending;
};

/* Valid as long as the database is open. */
struct rooms *database_rooms(struct database *database);

#endif

/* The rooms of a database, for those who work in more than one of them: the
 * writer, the checkpoint and the readers. Internal to the database.
 */

#ifndef ACTA_ROOMS_H
#define ACTA_ROOMS_H

#include <stdatomic.h>

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

    /* Told by the writer, after the commit, of every consumer that was changed,
     * and of groups that are waited for. It does not block. Set before
     * the writer's threads begin.
     */
    struct {
        void (*changed)(void *user, struct slice name); /* NULL: nobody. */
        void *user;
        _Atomic uint64_t changes; /* See database_consumer_changes(). */
    } consumers;

    _Atomic uint64_t now_us; /* See rooms_see_time(). */

    /* Erasures that were acknowledged and are not carried out yet: never fewer
     * than there are. The writer adds, the checkpoint thread takes away.
     */
    _Atomic uint64_t erasures_pending;

    _Atomic bool is_backed_up; /* A backup is under way: see backup.h. */
};

/* The clock says @now_us. Returns the latest time that it ever said here: by
 * that ages are judged, so that what was too old once stays so, whatever
 * becomes of the clock. Any thread.
 */
static inline uint64_t
rooms_see_time(struct rooms *rooms, uint64_t now_us)
{
    uint64_t latest = atomic_load(&rooms->now_us);

    while (latest < now_us &&
           !atomic_compare_exchange_weak(&rooms->now_us, &latest, now_us)) {
    }
    return latest > now_us ? latest : now_us;
}

/* Valid as long as the database is open. */
struct rooms *database_rooms(struct database *database);

struct database_options;
const struct database_options *
database_options(const struct database *database);

#endif

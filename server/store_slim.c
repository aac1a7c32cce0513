/* Giving back the memory that LMDB keeps.
 *
 * LMDB has each page that a transaction changes in memory of its own, and keeps
 * that for the transactions to come, until the environment is closed: up to a
 * hundred megabytes and more after appends to many streams. So it is closed
 * while nothing is to be written and nobody reads, and opened again.
 */

#include <malloc.h>
#include <time.h>

#include "store.h"
#include "store_lmdb.h"

/* Lists of a checkpoint, each of which has changed a page or less, that leave
 * so much behind that it is worth the trouble: 16 MiB.
 */
#define LISTS_WORTH 4096

/* Descriptors or memory may be short for a moment. It is tried so many times,
 * with such a pause.
 */
#define TRIES    50
#define PAUSE_NS 20000000

/* Give the system what nothing is in. */
static void
trim(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

/* Nobody has begun to read: with the lock. */
static enum acta_code
open_anew(struct store *store, struct acta_err *err)
{
    enum acta_code code;

    for (struct store_view *v = store->views; v != NULL; v = v->next) {
        store_view_let_go(v);
    }
    mdb_env_close(store->env);
    store->env = NULL;
    store->most_lists = 0;
    code = store_open_again(store, err);
    for (unsigned i = 1; code != ACTA_OK && i < TRIES; i++) {
        const struct timespec pause = {.tv_nsec = PAUSE_NS};

        mdb_env_close(store->env);
        store->env = NULL;
        (void)nanosleep(&pause, NULL);
        code = store_open_again(store, err);
    }
    if (code != ACTA_OK) {
        mdb_env_close(store->env);
        store->env = NULL;
        return acta_wrap(err, code, "open store again");
    }
    return ACTA_OK;
}

enum acta_code
store_slim(struct store *store, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    bool is_closed;

    if (store->most_lists < LISTS_WORTH) {
        return ACTA_OK;
    }
    pthread_mutex_lock(&store->lock);
    is_closed = store->readers == 0;
    if (is_closed) {
        code = open_anew(store, err);
    }
    pthread_mutex_unlock(&store->lock);
    if (is_closed) {
        trim();
    }
    return code;
}

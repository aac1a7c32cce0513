/* Snapshots: the state of a stream, kept by the server, and what came behind
 * it.
 *
 * acta_load() brings the snapshot and the events after it at once; or only the
 * events behind the version that the caller has the state of already. This
 * program counts the events of a stream, and reads each once:
 *
 *     #include <acta/acta_snapshot.h>
 *     #include <acta/acta_sync.h>
 *     #include <stdio.h>
 *     #include <stdlib.h>
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         struct acta_load load = acta_load_of("order-42");
 *         struct acta_append *append = acta_append_new();
 *         const struct acta_loaded *loaded;
 *         struct acta_err err = {ACTA_OK, ""};
 *         struct acta_sync *sync = NULL;
 *         char state[24] = "0"; // how many events there are
 *         int size;
 *
 *         load.has_schema = true; // what this program can read
 *         load.schema = 1;
 *         if (acta_sync_open(&sync, &options, &err) == ACTA_OK &&
 *             acta_sync_load(sync, &load, &loaded, &err) == ACTA_OK &&
 *             loaded->page->events_count > 0) {
 *             size =
 *                 snprintf(state, sizeof(state), "%zu",
 *                          loaded->page->events_count +
 *                              (loaded->snapshot == NULL
 *                                   ? 0
 *                                   : (size_t)atol(loaded->snapshot->data)));
 *             printf("%zu new, %s in all\n", loaded->page->events_count,
 *                    state);
 *             acta_append_snapshot(append, "order-42", loaded->page->version,
 *                                  1, state, (size_t)size);
 *             acta_sync_append(sync, append, NULL, &err);
 *         }
 *         acta_sync_close(sync);
 *         acta_append_free(append);
 *         return err.code == ACTA_OK ? 0 : 1;
 *     }
 *
 * The same in a loop of one's own:
 *
 *     struct acta_load load = acta_load_of("order-42");
 *
 *     load.has_schema = true;   // what this program can read
 *     load.schema = 3;
 *     acta_load(client, &load, 0, on_loaded, user, &err);
 *
 * A snapshot is kept by acta_append_snapshot(), with events or alone, and
 * removed by acta_append_remove_snapshot(). It is never the only place where
 * something is: it is removed with its stream, and when an event that went into
 * it is erased.
 *
 * What is said of connections, errors, memory, threads and compatibility in
 * acta.h, which this header includes, holds here.
 */

#ifndef ACTA_ACTA_SNAPSHOT_H
#define ACTA_ACTA_SNAPSHOT_H

#include "acta.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What to load: made by acta_load_of(). */
struct acta_load {
    size_t size; /* Of this struct. */
    const char *stream;
    bool has_version; /* The caller has the state as of version: no snapshot is
                         wanted. */
    uint64_t version;
    bool has_schema; /* A snapshot of another schema is of no use. */
    uint64_t schema;
    size_t events_max; /* 0: as many as the server gives. */
    size_t bytes_max;  /* The same. */
};

static inline struct acta_load
acta_load_of(const char *stream)
{
    struct acta_load load;

    memset(&load, 0, sizeof(load));
    load.size = sizeof(load);
    load.stream = stream;
    return load;
}

struct acta_snapshot {
    uint64_t version; /* Of the stream, when it was in this state. */
    uint64_t schema;
    uint64_t time_us; /* When it was stored, since 1970. */
    const void *data; /* Ends with a zero byte that does not count. */
    size_t data_size;
};

struct acta_loaded {
    const struct acta_snapshot *snapshot; /* NULL: there is none of use. */
    bool not_modified; /* The caller gave the version that the stream has. */

    /* The events behind the snapshot, behind the caller's version, or from the
     * start; page->version is the stream's. If it is not at its end read on
     * with acta_read(), from page->next. Never NULL.
     */
    const struct acta_page *page;
};

/* INVALID: the version given is above the stream's. */
typedef void acta_on_loaded(void *user, const struct acta_err *err,
                            const struct acta_loaded *loaded);
ACTA_API uint64_t acta_load(struct acta_client *client,
                            const struct acta_load *load, uint64_t timeout_ms,
                            acta_on_loaded *done, void *user,
                            struct acta_err *err);

/* ---- the same, waited for: see acta_sync.h ---- */

struct acta_sync;

ACTA_API enum acta_code acta_sync_load(struct acta_sync *sync,
                                       const struct acta_load *load,
                                       const struct acta_loaded **loaded,
                                       struct acta_err *err);

#ifdef __cplusplus
}
#endif

#endif

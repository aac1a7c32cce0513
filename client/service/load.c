/* Loading an instance: what is new behind the state in the cache, or a snapshot
 * and what came behind it, or all events.
 *
 * A state is only ever continued by the event of the next version. Where one is
 * missing, since the stream was deleted or cut off in between, it is made anew.
 */

#include <acta/acta_snapshot.h>
#include <stdio.h>
#include <string.h>

#include "handler.h"
#include "name.h"

enum acta_code
handler_stream(const struct acta_handler *handler, const char *target,
               char stream[ACTA_STREAM_SIZE_MAX + 1], struct acta_err *err)
{
    int size;

    if (target[0] == '\0') {
        return acta_fail(err, ACTA_INVALID, "a target is needed by %s",
                         handler->decider->category);
    }
    size = snprintf(stream, ACTA_STREAM_SIZE_MAX + 1, "%s-%s",
                    handler->decider->category, target);
    if (size > ACTA_STREAM_SIZE_MAX) {
        return acta_fail(err, ACTA_TOO_LARGE,
                         "name of a stream of %d bytes, the limit is %d", size,
                         ACTA_STREAM_SIZE_MAX);
    }
    return name_check(slice_of(stream), ACTA_STREAM_SIZE_MAX, "stream", err);
}

/* @is_gap: the page does not go on where the state ends. */
static enum acta_code
fold_page(struct acta_handler *handler, struct instance *instance,
          const struct acta_page *page, bool *is_gap, struct acta_err *err)
{
    const struct acta_decider *decider = handler->decider;
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; code == ACTA_OK && i < page->events_count; i++) {
        const struct acta_event *event = page->events[i];

        if (instance->version > 0 && event->version != instance->version + 1) {
            *is_gap = true;
            return ACTA_OK;
        }
        code = fold_event(&decider->fold, instance->state, handler->upcast,
                          decider->ruling.upcasters, event,
                          &handler->counts.events, err);
        instance->version = event->version;
    }
    return code;
}

/* Fold the page that was loaded and those behind it. */
static enum acta_code
fold_pages(struct acta_handler *handler, struct instance *instance,
           const struct acta_page *page, bool *is_gap, struct acta_err *err)
{
    struct acta_read read = acta_read_of_stream(instance->stream);
    uint64_t before = instance->version;
    enum acta_code code = fold_page(handler, instance, page, is_gap, err);

    while (code == ACTA_OK && !*is_gap && !page->at_end) {
        read.from = page->next;
        code = acta_sync_read(handler->sync, &read, &page, err);
        if (code == ACTA_OK) {
            code = fold_page(handler, instance, page, is_gap, err);
        }
    }
    /* None may be left of a stream that was deleted: a version is expected of
     * it all the same.
     */
    if (code == ACTA_OK && !*is_gap && instance->version != page->version) {
        *is_gap = before > 0;
        instance->version = page->version;
    }
    return code;
}

/* A snapshot that cannot be read is passed over. */
static enum acta_code
take_snapshot(struct acta_handler *handler, struct instance *instance,
              const struct acta_snapshot *snapshot, bool *is_unreadable,
              struct acta_err *err)
{
    if (handler->decider->decode(instance->state, snapshot->data,
                                 snapshot->data_size)) {
        instance->version = snapshot->version;
        instance->snapshot_version = snapshot->version;
        return ACTA_OK;
    }
    *is_unreadable = true;
    return cache_reset(&handler->cache, instance)
               ? ACTA_OK
               : acta_fail(err, ACTA_MEMORY, "state of %s", instance->stream);
}

/* Ask for what is behind the state, or for all if that is none. */
static enum acta_code
load(struct acta_handler *handler, struct instance *instance,
     bool with_snapshot, bool *is_gap, struct acta_err *err)
{
    struct acta_load wanted = acta_load_of(instance->stream);
    const struct acta_loaded *loaded;
    bool is_unreadable = false;
    enum acta_code code;

    wanted.has_version = !with_snapshot;
    wanted.version = instance->version;
    wanted.has_schema = with_snapshot;
    wanted.schema = handler->decider->schema;
    code = acta_sync_load(handler->sync, &wanted, &loaded, err);
    if (code == ACTA_INVALID && instance->version > 0) {
        *is_gap = true; /* The stream has fewer: it is another database's. */
        return ACTA_OK;
    }
    if (code != ACTA_OK) {
        return code;
    }
    if (loaded->snapshot != NULL) {
        code = take_snapshot(handler, instance, loaded->snapshot,
                             &is_unreadable, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    return is_unreadable
               ? load(handler, instance, false, is_gap, err)
               : fold_pages(handler, instance, loaded->page, is_gap, err);
}

static enum acta_code
load_it(struct acta_handler *handler, const char *stream,
        struct instance **instance, struct acta_err *err)
{
    bool has_snapshots = handler->decider->every > 0;
    struct instance *found = cache_find(&handler->cache, stream);
    bool is_known = found != NULL;
    bool is_gap = false;
    enum acta_code code;

    handler->counts.hits += is_known;
    handler->counts.misses += !is_known;
    if (found == NULL) {
        found = cache_add(&handler->cache, stream);
    }
    if (found == NULL) {
        return acta_fail(err, ACTA_MEMORY, "state of %s", stream);
    }
    code = load(handler, found, has_snapshots && found->version == 0, &is_gap,
                err);
    if (code == ACTA_OK && is_gap) {
        is_gap = false;
        code = cache_reset(&handler->cache, found)
                   ? load(handler, found, false, &is_gap, err)
                   : acta_fail(err, ACTA_MEMORY, "state of %s", stream);
    }
    if (code == ACTA_OK && is_gap) {
        code = acta_fail(err, ACTA_CORRUPT, "events of stream %s are missing",
                         stream);
    }
    if (code != ACTA_OK) {
        cache_drop(&handler->cache, found);
        return code;
    }
    *instance = found;
    return ACTA_OK;
}

bool
handler_is_elsewhere(struct acta_handler *handler)
{
    const struct acta_server *server = acta_sync_server(handler->sync);
    bool is_elsewhere;

    if (server == NULL) {
        return false;
    }
    is_elsewhere =
        handler->has_database && memcmp(&handler->database, server->database_id,
                                        sizeof(handler->database)) != 0;
    if (is_elsewhere) {
        cache_clear(&handler->cache);
    }
    handler->database = *server->database_id;
    handler->has_database = true;
    return is_elsewhere;
}

enum acta_code
handler_load(struct acta_handler *handler, const char *stream,
             struct instance **instance, struct acta_err *err)
{
    enum acta_code code;

    do {
        code = load_it(handler, stream, instance, err);
    } while (handler_is_elsewhere(handler));
    return code;
}

/* The blocking calls that list and describe what there is, and that change
 * streams.
 */

#include "client.h"
#include "sync.h"

static void
on_streams(void *user, const struct acta_err *err,
           const struct acta_streams *streams)
{
    (void)streams;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_list(struct acta_sync *sync, const char *prefix, const char *after,
               size_t count_max, const struct acta_streams **streams,
               struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_list(client, prefix, after, count_max, 0, on_streams,
                            &call, &call.err);

    *streams = &sync->answer.streams;
    return sync_wait(sync, id, &call, err);
}

static void
on_description(void *user, const struct acta_err *err,
               const struct acta_description *description)
{
    (void)description;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_describe_stream(struct acta_sync *sync, const char *stream,
                          const struct acta_description **description,
                          struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_describe_stream(client, stream, 0, on_description, &call,
                                       &call.err);

    *description = &sync->answer.description;
    return sync_wait(sync, id, &call, err);
}

/* ---- names ---- */

static void
on_names(void *user, const struct acta_err *err, const struct acta_names *names)
{
    (void)names;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_list_categories(struct acta_sync *sync, const char *prefix,
                          const char *after, size_t count_max,
                          const struct acta_names **names, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_list_categories(client, prefix, after, count_max, 0,
                                       on_names, &call, &call.err);

    *names = &sync->answer.names;
    return sync_wait(sync, id, &call, err);
}

enum acta_code
acta_sync_list_types(struct acta_sync *sync, const char *prefix,
                     const char *after, size_t count_max,
                     const struct acta_names **names, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_list_types(client, prefix, after, count_max, 0, on_names,
                                  &call, &call.err);

    *names = &sync->answer.names;
    return sync_wait(sync, id, &call, err);
}

enum acta_code
acta_sync_list_tags(struct acta_sync *sync, const char *prefix,
                    const char *after, size_t count_max,
                    const struct acta_names **names, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_list_tags(client, prefix, after, count_max, 0, on_names,
                                 &call, &call.err);

    *names = &sync->answer.names;
    return sync_wait(sync, id, &call, err);
}

/* ---- changes ---- */

static void
on_changed(void *user, const struct acta_err *err,
           const struct acta_changed *changed)
{
    (void)changed;
    sync_call_done(user, err);
}

/* What all changes end with. */
static enum acta_code
wait_for_change(struct acta_sync *sync, uint64_t id, struct sync_call *call,
                const struct acta_changed **changed, struct acta_err *err)
{
    if (changed != NULL) {
        *changed = &sync->answer.changed;
    }
    return sync_wait(sync, id, call, err);
}

enum acta_code
acta_sync_set_stream(struct acta_sync *sync, const char *stream,
                     int64_t expected, const struct acta_settings *settings,
                     const struct acta_changed **changed, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_set_stream(client, stream, expected, settings, 0,
                                  on_changed, &call, &call.err);

    return wait_for_change(sync, id, &call, changed, err);
}

enum acta_code
acta_sync_delete_stream(struct acta_sync *sync, const char *stream,
                        int64_t expected, const struct acta_changed **changed,
                        struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_delete_stream(client, stream, expected, 0, on_changed,
                                     &call, &call.err);

    return wait_for_change(sync, id, &call, changed, err);
}

enum acta_code
acta_sync_tombstone_stream(struct acta_sync *sync, const char *stream,
                           int64_t expected,
                           const struct acta_changed **changed,
                           struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_tombstone_stream(client, stream, expected, 0, on_changed,
                                        &call, &call.err);

    return wait_for_change(sync, id, &call, changed, err);
}

enum acta_code
acta_sync_erase_event(struct acta_sync *sync, const char *stream,
                      uint64_t version, const struct acta_changed **changed,
                      struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_erase_event(client, stream, version, 0, on_changed,
                                   &call, &call.err);

    return wait_for_change(sync, id, &call, changed, err);
}

enum acta_code
acta_sync_erase_stream(struct acta_sync *sync, const char *stream,
                       int64_t expected, const struct acta_changed **changed,
                       struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_erase_stream(client, stream, expected, 0, on_changed,
                                    &call, &call.err);

    return wait_for_change(sync, id, &call, changed, err);
}

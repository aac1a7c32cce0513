/* The calls of acta_consumer.h that wait. */

#include "client.h"
#include "sync.h"

static void
on_changed(void *user, const struct acta_err *err,
           const struct acta_consumer_changed *changed)
{
    (void)changed;
    sync_call_done(user, err);
}

/* What all changes end with. */
static enum acta_code
wait_for_change(struct acta_sync *sync, uint64_t id, struct sync_call *call,
                const struct acta_consumer_changed **changed,
                struct acta_err *err)
{
    if (changed != NULL) {
        *changed = &sync->answer.consumer_changed;
    }
    return sync_wait(sync, id, call, err);
}

enum acta_code
acta_sync_claim(struct acta_sync *sync, const char *consumer,
                const struct acta_query *query, uint64_t position,
                const struct acta_consumer_changed **changed,
                struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_claim(client, consumer, query, position, 0, on_changed,
                             &call, &call.err);

    return wait_for_change(sync, id, &call, changed, err);
}

enum acta_code
acta_sync_create_group(struct acta_sync *sync, const char *name,
                       const struct acta_group *group,
                       const struct acta_consumer_changed **changed,
                       struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id =
        acta_create_group(client, name, group, 0, on_changed, &call, &call.err);

    return wait_for_change(sync, id, &call, changed, err);
}

enum acta_code
acta_sync_alter_group(struct acta_sync *sync, const char *name,
                      const struct acta_group *group,
                      const struct acta_consumer_changed **changed,
                      struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id =
        acta_alter_group(client, name, group, 0, on_changed, &call, &call.err);

    return wait_for_change(sync, id, &call, changed, err);
}

enum acta_code
acta_sync_pause_group(struct acta_sync *sync, const char *name,
                      const struct acta_consumer_changed **changed,
                      struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id =
        acta_pause_group(client, name, 0, on_changed, &call, &call.err);

    return wait_for_change(sync, id, &call, changed, err);
}

enum acta_code
acta_sync_resume_group(struct acta_sync *sync, const char *name,
                       const struct acta_consumer_changed **changed,
                       struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id =
        acta_resume_group(client, name, 0, on_changed, &call, &call.err);

    return wait_for_change(sync, id, &call, changed, err);
}

enum acta_code
acta_sync_reset_consumer(struct acta_sync *sync, const char *name,
                         uint64_t position,
                         const struct acta_consumer_changed **changed,
                         struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_reset_consumer(client, name, position, 0, on_changed,
                                      &call, &call.err);

    return wait_for_change(sync, id, &call, changed, err);
}

enum acta_code
acta_sync_delete_consumer(struct acta_sync *sync, const char *name,
                          const struct acta_consumer_changed **changed,
                          struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id =
        acta_delete_consumer(client, name, 0, on_changed, &call, &call.err);

    return wait_for_change(sync, id, &call, changed, err);
}

enum acta_code
acta_sync_note_consumer(struct acta_sync *sync, const char *name,
                        uint64_t epoch, const char *text, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_note_consumer(client, name, epoch, text, 0, on_changed,
                                     &call, &call.err);

    return sync_wait(sync, id, &call, err);
}

enum acta_code
acta_sync_wait_for(struct acta_sync *sync, const char *name, uint64_t position,
                   uint64_t wait_ms, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_wait_for(client, name, position, wait_ms, on_changed,
                                &call, &call.err);

    return sync_wait(sync, id, &call, err);
}

/* ---- what there is ---- */

static void
on_consumers(void *user, const struct acta_err *err,
             const struct acta_consumers *consumers)
{
    (void)consumers;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_list_consumers(struct acta_sync *sync, const char *prefix,
                         const char *after, size_t count_max,
                         const struct acta_consumers **consumers,
                         struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_list_consumers(client, prefix, after, count_max, 0,
                                      on_consumers, &call, &call.err);

    *consumers = &sync->answer.consumers;
    return sync_wait(sync, id, &call, err);
}

static void
on_description(void *user, const struct acta_err *err,
               const struct acta_consumer_description *description)
{
    (void)description;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_describe_consumer(
    struct acta_sync *sync, const char *name,
    const struct acta_consumer_description **description, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_describe_consumer(client, name, 0, on_description, &call,
                                         &call.err);

    *description = &sync->answer.described;
    return sync_wait(sync, id, &call, err);
}

/* ---- parked events ---- */

static void
on_parked(void *user, const struct acta_err *err,
          const struct acta_parked_page *page)
{
    (void)page;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_list_parked(struct acta_sync *sync, const char *group, uint64_t after,
                      size_t count_max, const struct acta_parked_page **page,
                      struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_list_parked(client, group, after, count_max, 0,
                                   on_parked, &call, &call.err);

    *page = &sync->answer.parked;
    return sync_wait(sync, id, &call, err);
}

static void
on_count(void *user, const struct acta_err *err, uint64_t count)
{
    (void)count;
    sync_call_done(user, err);
}

static enum acta_code
wait_for_count(struct acta_sync *sync, uint64_t id, struct sync_call *call,
               uint64_t *count, struct acta_err *err)
{
    enum acta_code code = sync_wait(sync, id, call, err);

    if (count != NULL) {
        *count = code == ACTA_OK ? sync->answer.number : 0;
    }
    return code;
}

enum acta_code
acta_sync_replay_parked(struct acta_sync *sync, const char *group,
                        const uint64_t *positions, size_t positions_count,
                        uint64_t *count, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_replay_parked(client, group, positions, positions_count,
                                     0, on_count, &call, &call.err);

    return wait_for_count(sync, id, &call, count, err);
}

enum acta_code
acta_sync_drop_parked(struct acta_sync *sync, const char *group,
                      const uint64_t *positions, size_t positions_count,
                      uint64_t *count, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_drop_parked(client, group, positions, positions_count, 0,
                                   on_count, &call, &call.err);

    return wait_for_count(sync, id, &call, count, err);
}

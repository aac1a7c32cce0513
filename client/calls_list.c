/* The requests of acta.h that list and describe what there is. */

#include "client.h"
#include "limit.h"
#include "msg_lease.h"
#include "name.h"

/* Prefix and after are names, or the beginnings of some, which are equally long
 * of whatever they are.
 */
#define NAME_SIZE_MAX ACTA_STREAM_SIZE_MAX

_Static_assert(ACTA_TYPE_SIZE_MAX == NAME_SIZE_MAX, "types are as long");
_Static_assert(ACTA_TAG_SIZE_MAX == NAME_SIZE_MAX, "tags are as long");
_Static_assert(ACTA_NAME_SIZE_MAX == NAME_SIZE_MAX, "all others are, too");

/* Take the range of a list: names begin with @prefix and come behind @after,
 * both of which may be NULL.
 */
static enum acta_code
take_range(const char *prefix, const char *after, struct slice *prefix_taken,
           struct slice *after_taken, struct acta_err *err)
{
    *prefix_taken = slice_of(prefix == NULL ? "" : prefix);
    *after_taken = slice_of(after == NULL ? "" : after);
    if (prefix_taken->size > NAME_SIZE_MAX ||
        after_taken->size > NAME_SIZE_MAX) {
        return acta_fail(err, ACTA_TOO_LARGE,
                         "prefix and after are limited to %d bytes",
                         NAME_SIZE_MAX);
    }
    return ACTA_OK;
}

uint64_t
acta_list(struct acta_client *client, const char *prefix, const char *after,
          size_t count_max, uint64_t timeout_ms, acta_on_streams *done,
          void *user, struct acta_err *err)
{
    struct msg_list_streams message = {.count_max = count_max};
    struct buf *buf;
    uint64_t id;

    if (take_range(prefix, after, &message.prefix, &message.after, err) !=
        ACTA_OK) {
        return 0;
    }
    buf = core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    msg_list_streams_encode(buf, id, &message);
    return client_submit(client, OP_LIST_STREAMS, timeout_ms,
                         (union request_done){.streams = done}, user, err);
}

uint64_t
acta_describe_stream(struct acta_client *client, const char *stream,
                     uint64_t timeout_ms, acta_on_description *done, void *user,
                     struct acta_err *err)
{
    struct slice name = slice_of(stream == NULL ? "" : stream);
    struct buf *buf;
    uint64_t id;

    if (name_check(name, ACTA_STREAM_SIZE_MAX, "stream", err) != ACTA_OK) {
        return 0;
    }
    buf = core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    msg_describe_stream_encode(buf, id, name);
    return client_submit(client, OP_DESCRIBE_STREAM, timeout_ms,
                         (union request_done){.description = done}, user, err);
}

static uint64_t
list_names(struct acta_client *client, enum msg_name_kind kind,
           const char *prefix, const char *after, size_t count_max,
           uint64_t timeout_ms, acta_on_names *done, void *user,
           struct acta_err *err)
{
    struct msg_list_names message = {.kind = kind, .count_max = count_max};
    struct buf *buf;
    uint64_t id;

    if (take_range(prefix, after, &message.prefix, &message.after, err) !=
        ACTA_OK) {
        return 0;
    }
    buf = core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    msg_list_names_encode(buf, id, &message);
    return client_submit(client, OP_LIST_NAMES, timeout_ms,
                         (union request_done){.names = done}, user, err);
}

uint64_t
acta_list_categories(struct acta_client *client, const char *prefix,
                     const char *after, size_t count_max, uint64_t timeout_ms,
                     acta_on_names *done, void *user, struct acta_err *err)
{
    return list_names(client, MSG_NAME_CATEGORY, prefix, after, count_max,
                      timeout_ms, done, user, err);
}

uint64_t
acta_list_types(struct acta_client *client, const char *prefix,
                const char *after, size_t count_max, uint64_t timeout_ms,
                acta_on_names *done, void *user, struct acta_err *err)
{
    return list_names(client, MSG_NAME_TYPE, prefix, after, count_max,
                      timeout_ms, done, user, err);
}

uint64_t
acta_list_tags(struct acta_client *client, const char *prefix,
               const char *after, size_t count_max, uint64_t timeout_ms,
               acta_on_names *done, void *user, struct acta_err *err)
{
    return list_names(client, MSG_NAME_TAG, prefix, after, count_max,
                      timeout_ms, done, user, err);
}

/* ---- leases and schedules ---- */

uint64_t
client_list(struct acta_client *client, enum opcode kind, const char *prefix,
            const char *after, size_t count_max, uint64_t timeout_ms,
            union request_done done, void *user, struct acta_err *err)
{
    struct msg_list message = {.count_max = count_max};
    struct buf *buf;
    uint64_t id;

    if (take_range(prefix, after, &message.prefix, &message.after, err) !=
        ACTA_OK) {
        return 0;
    }
    buf = core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    msg_list_encode(buf, (uint8_t)kind, id, &message);
    return client_submit(client, kind, timeout_ms, done, user, err);
}

uint64_t
acta_list_leases(struct acta_client *client, const char *prefix,
                 const char *after, size_t count_max, uint64_t timeout_ms,
                 acta_on_leases *done, void *user, struct acta_err *err)
{
    return client_list(client, OP_LIST_LEASES, prefix, after, count_max,
                       timeout_ms, (union request_done){.leases = done}, user,
                       err);
}

uint64_t
acta_list_schedules(struct acta_client *client, const char *prefix,
                    const char *after, size_t count_max, uint64_t timeout_ms,
                    acta_on_schedules *done, void *user, struct acta_err *err)
{
    return client_list(client, OP_LIST_SCHEDULES, prefix, after, count_max,
                       timeout_ms, (union request_done){.schedules = done},
                       user, err);
}

/* The requests of acta.h that change a stream. */

#include "append.h"
#include "client.h"
#include "given.h"
#include "msg.h"

#define SETTINGS_ALL                                                           \
    (ACTA_SET_TRUNCATE_BEFORE | ACTA_SET_MAX_COUNT | ACTA_SET_MAX_AGE)

_Static_assert((unsigned)MSG_HAS_TRUNCATE_BEFORE == ACTA_SET_TRUNCATE_BEFORE &&
                   (unsigned)MSG_HAS_MAX_COUNT == ACTA_SET_MAX_COUNT &&
                   (unsigned)MSG_HAS_MAX_AGE == ACTA_SET_MAX_AGE,
               "the same bits say what is given");

/* Do what @change says to @stream; its other fields are set by the caller. */
static uint64_t
change_stream(struct acta_client *client, const char *stream,
              struct msg_change *change, uint64_t timeout_ms,
              acta_on_changed *done, void *user, struct acta_err *err)
{
    struct buf *buf;
    uint64_t id;

    change->stream = slice_of(stream == NULL ? "" : stream);
    if (expected_check(change->stream, change->expected, err) != ACTA_OK) {
        return 0;
    }
    buf = core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    msg_change_encode(buf, id, change);
    return client_submit(client, OP_CHANGE_STREAM, timeout_ms,
                         (union request_done){.changed = done}, user, err);
}

uint64_t
acta_set_stream(struct acta_client *client, const char *stream,
                int64_t expected, const struct acta_settings *settings,
                uint64_t timeout_ms, acta_on_changed *done, void *user,
                struct acta_err *err)
{
    struct acta_settings known;
    struct msg_change change;

    if (!given_copy(&known, sizeof(known), settings)) {
        acta_fail(err, ACTA_INVALID, "settings are not of acta_settings_of()");
        return 0;
    }
    if (known.given == 0) {
        acta_fail(err, ACTA_INVALID, "no setting is given");
        return 0;
    }
    if ((known.given & ~SETTINGS_ALL) != 0) {
        acta_fail(err, ACTA_UNSUPPORTED,
                  "settings 0x%x are given, this library knows 0x%x",
                  known.given, SETTINGS_ALL);
        return 0;
    }
    change = (struct msg_change){
        .kind = MSG_SET,
        .expected = expected,
        .given = known.given,
        .settings = {known.truncate_before, known.max_count, known.max_age_us},
    };
    return change_stream(client, stream, &change, timeout_ms, done, user, err);
}

uint64_t
acta_delete_stream(struct acta_client *client, const char *stream,
                   int64_t expected, uint64_t timeout_ms, acta_on_changed *done,
                   void *user, struct acta_err *err)
{
    struct msg_change change = {.kind = MSG_DELETE, .expected = expected};

    return change_stream(client, stream, &change, timeout_ms, done, user, err);
}

uint64_t
acta_tombstone_stream(struct acta_client *client, const char *stream,
                      int64_t expected, uint64_t timeout_ms,
                      acta_on_changed *done, void *user, struct acta_err *err)
{
    struct msg_change change = {.kind = MSG_TOMBSTONE, .expected = expected};

    return change_stream(client, stream, &change, timeout_ms, done, user, err);
}

uint64_t
acta_erase_event(struct acta_client *client, const char *stream,
                 uint64_t version, uint64_t timeout_ms, acta_on_changed *done,
                 void *user, struct acta_err *err)
{
    struct msg_change change = {
        .kind = MSG_ERASE,
        .expected = ACTA_EXPECT_ANY,
        .version = version,
    };

    /* On the wire it means every event. */
    if (version == 0) {
        acta_fail(err, ACTA_INVALID, "no event has version 0");
        return 0;
    }
    return change_stream(client, stream, &change, timeout_ms, done, user, err);
}

uint64_t
acta_erase_stream(struct acta_client *client, const char *stream,
                  int64_t expected, uint64_t timeout_ms, acta_on_changed *done,
                  void *user, struct acta_err *err)
{
    struct msg_change change = {.kind = MSG_ERASE, .expected = expected};

    return change_stream(client, stream, &change, timeout_ms, done, user, err);
}

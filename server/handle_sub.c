/* subscribe, credit, unsubscribe. */

#include "handle.h"

#include <inttypes.h>
#include <stdio.h>

#include "consumer.h"
#include "limit.h"
#include "msg.h"
#include "row.h"

/* What only the server can know to be wrong; NULL if nothing is. */
static enum acta_code
check_subscribe(const struct session *session, const struct frame *frame,
                const struct msg_subscribe *subscribe, struct acta_err *err)
{
    uint64_t head = database_head(session->host->database);

    if (session->subs.count >= ACTA_SUBSCRIPTIONS_MAX) {
        return acta_fail(err, ACTA_TOO_LARGE,
                         "connection has %d subscriptions, the limit",
                         ACTA_SUBSCRIPTIONS_MAX);
    }
    if (sub_set_find(&session->subs, frame->request_id) != NULL) {
        return acta_fail(err, ACTA_INVALID,
                         "request id is that of an open subscription");
    }
    /* Waiting for it would pass over whatever else comes to stand there. */
    if (subscribe->after > head) {
        return acta_fail(err, ACTA_INVALID,
                         "position %" PRIu64 " is after the head, %" PRIu64
                         ": it is from another database, or from a newer state "
                         "of this one",
                         subscribe->after, head);
    }
    return ACTA_OK;
}

/* A group has an epoch, too, but hands its events out to members. */
static enum acta_code
check_kind(const struct session *session, struct slice name,
           struct acta_err *err)
{
    struct consumer consumer;
    struct buf value;
    bool found;
    enum acta_code code;

    buf_init(&value, SIZE_MAX);
    code = reader_get_row(session->host->reader, ROW_CONSUMER, name, &value,
                          &found, err);
    if (code == ACTA_OK && found) {
        code = consumer_decode(&consumer, buf_slice(&value), err);
        if (code == ACTA_OK && consumer.kind == MSG_CONSUMER_GROUP) {
            code = acta_fail(err, ACTA_INVALID,
                             "\"%.*s\" is a group: it is joined, and not "
                             "subscribed to",
                             (int)name.size, (const char *)name.data);
        }
    }
    buf_fini(&value);
    return code;
}

static enum acta_code
check_consumer(const struct session *session, const struct sub *sub,
               struct acta_err *err)
{
    enum acta_code code = sub_check(sub, session->host->reader, err);

    if (code == ACTA_OK && sub->consumer.size > 0) {
        code = check_kind(session, sub->consumer, err);
    }
    return code;
}

static enum acta_code
open_sub(struct session *session, const struct frame *frame,
         struct msg_subscribe *subscribe, struct acta_err *err)
{
    struct sub *sub = sub_new(frame->request_id, subscribe,
                              database_named(session->host->database));
    enum acta_code code;

    if (sub == NULL) {
        return acta_fail(err, ACTA_MEMORY, "subscribe");
    }
    code = check_consumer(session, sub, err);
    if (code == ACTA_OK && sub_set_add(&session->subs, sub) != ACTA_OK) {
        code = acta_fail(err, ACTA_MEMORY, "subscribe");
    }
    if (code != ACTA_OK) {
        sub_free(sub);
    }
    return code;
}

void
handle_subscribe(struct session *session, const struct frame *frame)
{
    struct msg_subscribe subscribe;
    struct acta_err err;
    enum acta_code code = msg_subscribe_decode(&subscribe, frame->body, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    code = check_subscribe(session, frame, &subscribe, &err);
    if (code == ACTA_OK) {
        code = open_sub(session, frame, &subscribe, &err);
    }
    query_fini(&subscribe.query);
    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    counter_add(&session->host->counters->subscriptions, 1);
    msg_number_encode(session->out, OP_SUBSCRIBED, frame->request_id,
                      database_head(session->host->database));
}

/* Credit has the id of its subscription, and no answer. It may cross with the
 * end of the subscription, so there being none is not an error.
 */
void
handle_credit(struct session *session, const struct frame *frame)
{
    struct acta_err err;
    struct sub *sub;
    uint64_t credit;
    enum acta_code code =
        msg_number_decode(&credit, OP_CREDIT, frame->body, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    sub = sub_set_find(&session->subs, frame->request_id);
    if (sub != NULL) {
        sub_add_credit(sub, credit);
        sub_set_make_ready(&session->subs, sub);
    }
}

/* The answer has the request's own id; what ends the subscription has that of
 * the subscription.
 */
void
handle_unsubscribe(struct session *session, const struct frame *frame)
{
    struct acta_err err;
    struct sub *sub;
    uint64_t id;
    enum acta_code code =
        msg_number_decode(&id, OP_UNSUBSCRIBE, frame->body, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    sub = sub_set_find(&session->subs, id);
    if (sub == NULL) {
        char text[64];

        snprintf(text, sizeof(text), "there is no subscription %" PRIu64, id);
        session_error(session, frame->request_id, ACTA_NOT_FOUND, text);
        return;
    }
    sub_tell_end(sub, ACTA_OK, "", session->out);
    sub_set_remove(&session->subs, sub);
    counter_subtract(&session->host->counters->subscriptions, 1);
}

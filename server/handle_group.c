/* join, settle, leave; list-consumers, describe-consumer, list-parked,
 * change-parked: what is for the groups' thread to do.
 */

#include "handle.h"

/* When the peer goes, its memberships are to go with it. */
void
handle_join(struct session *session, const struct frame *frame)
{
    struct acta_err err;
    enum acta_code code =
        session_leave_farewell(session, JOB_FORGET_MEMBERS, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    (void)session_hand_over(session, frame, JOB_JOIN);
}

void
handle_settle(struct session *session, const struct frame *frame)
{
    (void)session_hand_over(session, frame, JOB_SETTLE);
}

void
handle_leave(struct session *session, const struct frame *frame)
{
    (void)session_hand_over(session, frame, JOB_LEAVE);
}

void
handle_list_consumers(struct session *session, const struct frame *frame)
{
    (void)session_hand_over(session, frame, JOB_LIST_CONSUMERS);
}

void
handle_describe_consumer(struct session *session, const struct frame *frame)
{
    (void)session_hand_over(session, frame, JOB_DESCRIBE_CONSUMER);
}

void
handle_list_parked(struct session *session, const struct frame *frame)
{
    (void)session_hand_over(session, frame, JOB_LIST_PARKED);
}

void
handle_change_parked(struct session *session, const struct frame *frame)
{
    (void)session_hand_over(session, frame, JOB_CHANGE_PARKED);
}

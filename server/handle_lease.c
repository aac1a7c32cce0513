/* change-lease, await, list-leases: what the writer has in memory. */

#include "handle.h"

/* It may wait for longer than its connection lives. */
static void
hand_over_with_farewell(struct session *session, const struct frame *frame,
                        enum job_kind kind)
{
    struct acta_err err;
    enum acta_code code = session_leave_farewell(session, JOB_FORGET, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    session_hand_over(session, frame, kind);
}

void
handle_change_lease(struct session *session, const struct frame *frame)
{
    hand_over_with_farewell(session, frame, JOB_LEASE);
}

void
handle_await(struct session *session, const struct frame *frame)
{
    hand_over_with_farewell(session, frame, JOB_AWAIT);
}

void
handle_list_leases(struct session *session, const struct frame *frame)
{
    session_hand_over(session, frame, JOB_LIST_LEASES);
}

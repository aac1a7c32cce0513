/* change-lease, list-leases: the writer has them in memory. */

#include "handle.h"

/* An acquire may wait for longer than its connection lives. */
void
handle_change_lease(struct session *session, const struct frame *frame)
{
    struct acta_err err;
    enum acta_code code = session_leave_farewell(session, JOB_FORGET, &err);

    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    session_hand_over(session, frame, JOB_LEASE);
}

void
handle_list_leases(struct session *session, const struct frame *frame)
{
    session_hand_over(session, frame, JOB_LIST_LEASES);
}

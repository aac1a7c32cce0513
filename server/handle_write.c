/* append, change-stream, change-consumer: what is for the writer to decide. */

#include "handle.h"

void
handle_append(struct session *session, const struct frame *frame)
{
    session_hand_over(session, frame, JOB_APPEND);
}

void
handle_change_stream(struct session *session, const struct frame *frame)
{
    session_hand_over(session, frame, JOB_CHANGE);
}

void
handle_change_consumer(struct session *session, const struct frame *frame)
{
    session_hand_over(session, frame, JOB_CONSUMER);
}

/* From a frame to the handler of its kind. What is the same for all requests is
 * checked here, once: that hello came first, that the kind is known, that the
 * server is not stopping.
 */

#ifndef ACTA_DISPATCH_H
#define ACTA_DISPATCH_H

#include <stdbool.h>

#include "frame.h"
#include "session.h"

/* Handle @frame: whatever is wrong with it, an answer is written. False: not
 * now, since the writer's queue is full, or the session has read enough for
 * one turn; give it again later.
 */
bool dispatch(struct session *session, const struct frame *frame) ACTA_CHECKED;

#endif

/* The answers to jobs that have come back from the writer: what was done, or
 * why it was refused; and with a refused append, if it asked for that, the
 * events that it has not seen.
 */

#ifndef ACTA_ANSWER_H
#define ACTA_ANSWER_H

#include <stdbool.h>

#include "job.h"
#include "session.h"

/* True if the answer brings events along, which takes a read's time. */
bool answer_takes_read(const struct job *job);

/* Write the answer to @session's output. */
void answer_job(struct session *session, struct job *job);

#endif

/* The thread that verifies a database while it is open (verify_live.h), for
 * clients that ask for it: one verification at a time, in steps, and no faster
 * than it may read.
 *
 * It goes on while a request of it waits here, for up to half a second each,
 * and rests in between. One that nobody has asked for a while gives way to
 * another, and no thread but this one ever waits for any of it.
 */

#ifndef ACTA_VERIFIER_H
#define ACTA_VERIFIER_H

#include "err.h"
#include "job.h"
#include "rooms.h"

struct verifier;

/* Start the thread. The database in @dir has @rooms, which outlive it. */
enum acta_code verifier_start(struct verifier **verifier, struct rooms *rooms,
                              const char *dir,
                              struct acta_err *err) ACTA_CHECKED;

/* Refuse what waits, and what comes from now on; the one that is looked at is
 * answered with what was found so far. Returns at once. Any thread.
 */
void verifier_refuse(struct verifier *verifier);

/* The same, and wait until it is done; then free it. May be NULL. */
void verifier_stop(struct verifier *verifier);

/* Hand over a JOB_VERIFY: it comes back through its completions. STOPPING: it
 * is still the caller's. Any thread.
 */
enum acta_code verifier_submit(struct verifier *verifier,
                               struct job *job) ACTA_CHECKED;

#endif

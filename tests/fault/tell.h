/* Everything that a database shows, as text, a line each. */

#ifndef ACTA_TEST_TELL_H
#define ACTA_TEST_TELL_H

#include "base.h"
#include "buf.h"

/* Write the events in their order, and behind them the rows, to @text, with a
 * zero at its end. What comes and goes by itself, in the background, is left
 * out: of a group what is told is what it has to do and has parked, not how
 * often that was handed out and under what fences. False, and why in @err, if
 * something cannot be read, or if positions have a gap that nothing hides.
 */
bool tell(struct base *base, struct buf *text, struct acta_err *err);

/* How many events are there for @group to hand out? That is what its rows say,
 * of its query they are the events of the category SCRIPT_WORK.
 */
enum acta_code tell_work(struct base *base, const char *group, size_t *count);

#endif

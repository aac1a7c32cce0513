/* Samples of appends that do more than add events: rows of the table in
 * sample.c.
 */

#ifndef ACTA_TEST_SAMPLE_EFFECTS_H
#define ACTA_TEST_SAMPLE_EFFECTS_H

#include "buf.h"

void sample_append_effects(struct buf *buf);
void sample_append_checkpoint(struct buf *buf);
void sample_append_cancel(struct buf *buf);
void sample_appended_cancelled(struct buf *buf);
void sample_error_effects(struct buf *buf);

#endif

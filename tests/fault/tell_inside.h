/* What tell.c and tell_group.c have in common. */

#ifndef ACTA_TEST_TELL_INSIDE_H
#define ACTA_TEST_TELL_INSIDE_H

#include "reader.h"
#include "row.h"
#include "script.h"
#include "tell.h"

/* Positions of what groups hand out. */
struct work_events {
    uint64_t positions[SCRIPT_WORK_MAX];
    size_t count;
};

void tell_line(struct buf *text, const char *format, ...) ACTA_PRINTF(2, 3);

enum acta_code work_events_read(struct work_events *events,
                                struct reader *reader, struct acta_err *err);

/* Is it the checkpoint of a group? */
bool is_of_group(const struct row *row);

/* What such a row says is to be done. */
enum acta_code tell_checkpoint(struct buf *text, const struct row *row,
                               const struct work_events *events,
                               struct acta_err *err);

enum acta_code tell_parked(struct buf *text, const struct row *row,
                           struct acta_err *err);

#endif

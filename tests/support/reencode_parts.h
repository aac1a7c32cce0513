/* What the parts of reencode.c share. */

#ifndef ACTA_TEST_REENCODE_PARTS_H
#define ACTA_TEST_REENCODE_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "event.h"
#include "slice.h"

/* Write an event's content from its fields. */
void reencode_content(struct buf *buf, const struct event *event);

/* Write @count records anew field by field, in the shortest forms, except for
 * the three numbers of fixed size; and check what is behind them.
 */
enum acta_code reencode_records(struct buf *buf, struct slice events,
                                size_t count, size_t fields_left,
                                struct acta_err *err);

/* reencode() for messages about consumers, groups, leases and schedules, and
 * for loading.
 */
enum acta_code reencode_named(struct buf *buf, uint8_t kind, uint64_t id,
                              struct slice body, struct acta_err *err);

#endif

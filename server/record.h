/* What the server does with records besides storing and handing them on: look
 * at the numbers in front, and make less of them.
 *
 * A record is one event (proto/event.h). A stub is what is left of one whose
 * space was taken back: an array of its position, version and time alone, in
 * the same bytes. No reader gets to see it. An erased record has all but the
 * data and the metadata.
 *
 * All functions but record_position() want a record that has a position. No
 * I/O. Any thread.
 */

#ifndef ACTA_RECORD_H
#define ACTA_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "pack.h"
#include "slice.h"

#define RECORD_STUB_SIZE (1 + 3 * PACK_FIXED_SIZE)

/* The position of a record or a stub; 0 if it is neither. */
uint64_t record_position(struct slice record);

uint64_t record_version(struct slice record);
uint64_t record_time(struct slice record);
bool record_is_stub(struct slice record);

/* The stream of a record that is no stub; empty if it cannot be read. */
struct slice record_stream(struct slice record);

/* Write the stub of @record. */
void record_write_stub(uint8_t to[static RECORD_STUB_SIZE],
                       struct slice record);

/* Put @record, which is no stub, at the end of @buf as it is when erased.
 * CORRUPT, MEMORY.
 */
enum acta_code record_erase(struct buf *buf, struct slice record,
                            struct acta_err *err) ACTA_CHECKED;

#endif

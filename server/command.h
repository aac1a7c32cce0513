/* A command: the answer to the append that was made under its id, kept for
 * those who send the command again.
 *
 * The key of the row is the command's id, the value a msgpack array of runs,
 * each an array of write, first version, first position, count. No I/O. Any
 * thread.
 */

#ifndef ACTA_COMMAND_H
#define ACTA_COMMAND_H

#include <stddef.h>

#include "buf.h"
#include "err.h"
#include "msg.h"
#include "slice.h"

void command_encode(struct buf *buf, const struct msg_run *runs, size_t count);

/* OK: *@runs is the caller's to free(). CORRUPT, MEMORY. */
enum acta_code command_decode(struct msg_run **runs, size_t *count,
                              struct slice value,
                              struct acta_err *err) ACTA_CHECKED;

#endif

/* Memory that is given back all at once: what a command's handling copies and
 * makes lives here until the next command. Steady work allocates nothing.
 *
 * One thread at a time. An arena that is all zero is empty. After a call that
 * found no memory `failed` is set, until it is cleared; it is looked at once,
 * at the end.
 */

#ifndef ACTA_SERVICE_SCRATCH_H
#define ACTA_SERVICE_SCRATCH_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "err.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* owned; the first is filled. */
    bool failed;
};

void arena_fini(struct arena *arena);

/* Give everything back, and keep one block for what comes next. */
void arena_clear(struct arena *arena);

/* @size bytes, aligned for anything, all 0. NULL: there is no memory. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy that ends with a zero byte that does not count; of nothing if @bytes
 * is NULL. NULL: there is no memory.
 */
void *arena_copy(struct arena *arena, const void *bytes, size_t size);

/* Copies of texts; NULL for NULL, or if there is no memory. */
char *arena_text(struct arena *arena, const char *text);
char *arena_vformat(struct arena *arena, const char *format, va_list args)
    ACTA_PRINTF(2, 0);

#endif

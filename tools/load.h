/* Arguments that stand for bytes from elsewhere. One thread. */

#ifndef ACTA_LOAD_H
#define ACTA_LOAD_H

#include <stdbool.h>
#include <stddef.h>

/* What @argument stands for: itself, stdin for -, a file for @FILE. *@owned is
 * set to memory that is the caller's to free where some was needed. False if
 * it cannot be read or is larger than an event may be, or if stdin is given a
 * second time: that is told.
 */
bool load_argument(const char *argument, char **owned, const void **bytes,
                   size_t *size);

#endif

/* Does any event behind a position match a query? The question behind the
 * conditions of dynamic consistency boundaries (DCB, dcb.events).
 *
 * It is answered from lists, in the room where the events behind the position
 * are; mostly by the lists' heads alone. What a stream hides does not match.
 * The writer's thread.
 */

#ifndef ACTA_CONDITION_H
#define ACTA_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "heads.h"
#include "query.h"
#include "search.h"

struct match {
    bool is_decided;   /* False: the steps were used up. */
    uint64_t position; /* Decided: of the first event behind @after that
                          matches, or 0 if none does. Else: nothing up to here
                          matches. */
};

/* Look for the first match behind @after, with what is decided already counted
 * as there. What is left of *@steps is the caller's.
 */
enum acta_code condition_find(struct heads *heads, struct search *search,
                              const struct query *query, uint64_t after,
                              size_t *steps, struct match *match,
                              struct acta_err *err) ACTA_CHECKED;

#endif

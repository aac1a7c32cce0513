/* The query of a consumer as the options that make it: what acta query and
 * --if-none take. Any thread.
 */

#ifndef ACTA_QUERY_TEXT_H
#define ACTA_QUERY_TEXT_H

#include <acta/acta.h>
#include <stddef.h>

/* "--category order --type 'Order*' --or --tag customer:7", or "--all". On the
 * heap, the caller's to free; NULL: there is no memory.
 */
char *query_text(const struct acta_query_text *const *texts, size_t count);

/* The same query again, the caller's to free. NULL: there is no memory, or no
 * texts, which are all events.
 */
struct acta_query *query_again(const struct acta_query_text *const *texts,
                               size_t count);

#endif

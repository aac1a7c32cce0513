/* The names of a model's tables, copied: what the keepers of SQLite and of
 * PostgreSQL, which are libraries of their own, have in common. Any thread.
 */

#ifndef ACTA_CLIENT_TABLES_H
#define ACTA_CLIENT_TABLES_H

#include <stdlib.h>
#include <string.h>

/* NULL is no list. */
static inline void
tables_free(char **tables)
{
    for (char **table = tables; table != NULL && *table != NULL; table++) {
        free(*table);
    }
    free(tables);
}

/* @tables ends with NULL, and so does the copy, which is the caller's. NULL:
 * there is no memory.
 */
static inline char **
tables_copy(const char *const *tables)
{
    size_t count = 0;
    char **copy;

    while (tables[count] != NULL) {
        count++;
    }
    copy = calloc(count + 1, sizeof(*copy));
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = strdup(tables[i]);
        if (copy[i] == NULL) {
            tables_free(copy);
            return NULL;
        }
    }
    return copy;
}

#endif

/* What follows from an event, as a kit for process managers has it: one by one,
 * kept, expected, compared and shown. Memory is the arena's that it is given.
 */

#ifndef ACTA_SERVICE_KIT_FACTS_H
#define ACTA_SERVICE_KIT_FACTS_H

#include <acta/acta_event.h>

#include "scratch.h"

enum fact_kind {
    FACT_EVENT,
    FACT_DEADLINE,
    FACT_CANCEL,
};

struct fact {
    struct fact *next;
    enum fact_kind kind;
    const char *where; /* The stream, "" if it is the own; or the deadline. */
    const char *type;  /* NULL: there is none. */
    const char *data;
    size_t data_size;
    enum acta_format format;
    uint64_t due_us;
};

struct facts {
    struct fact *first;
};

struct fact fact_of_draft(enum fact_kind kind, const char *where,
                          const struct acta_draft *draft);
struct fact fact_of_json(enum fact_kind kind, const char *where,
                         const char *type, const char *json);

/* JSON is compared without regard to white space. */
bool fact_is_same(const struct fact *a, const struct fact *b);

/* Add a copy behind the others. Without memory arena->failed says so. */
void facts_add(struct arena *arena, struct facts *facts, struct fact fact);

/* Where the first one of @where is; *link is NULL: there is none. */
struct fact **facts_find(struct facts *facts, const char *where);

struct fact_shown {
    char text[400];
};

/* "RequestPayment 5 to command-42", say. */
struct fact_shown fact_show(const struct fact *fact);

#endif

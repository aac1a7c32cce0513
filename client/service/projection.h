/* A projection as it was told, and one event put to its handler: what a
 * projector and the kit for tests have in common.
 */

#ifndef ACTA_CLIENT_PROJECTION_H
#define ACTA_CLIENT_PROJECTION_H

#include <acta/acta_projection.h>

#define PROJECTION_NAME_MAX  200
#define PROJECTION_TYPES_MAX 200

struct projection_handler {
    char *type; /* owned; NULL: of all others. */
    acta_project_fn *handle;
    void *user;
};

struct acta_projection {
    char *name;                          /* owned */
    struct projection_handler *handlers; /* owned; sorted by type. */
    size_t handlers_count;
    struct projection_handler fallback; /* handle is NULL: there is none. */
    const struct acta_query *query;     /* NULL: that of the types. */
    const struct acta_upcasters *upcasters;
    struct acta_keeper keeper;
    bool has_keeper;
    struct acta_err err; /* What was wrong first. */
};

struct acta_context {
    const struct acta_event *event; /* As it is stored. */
    void *model;
    bool is_replaying;
    uint64_t attempt;
    struct acta_append *append; /* For what is emitted; NULL: nothing can. */
    /* Is told what is emitted, in place of the append. NULL: nobody is. */
    void (*on_emit)(void *user, const char *stream,
                    const struct acta_draft *draft);
    void *emit_user;
    bool emits_nothing;       /* What is emitted is passed over. */
    const char *emit_refused; /* Why nothing can be emitted. */
    struct acta_err emit_err; /* Of what was emitted. */
    uint64_t delay_ms;        /* Of a retry, if has_delay. */
    bool has_delay;
    bool is_unreadable; /* It could not be upcast: see text. */
    char text[240];     /* What is wrong; "" if nothing was said. */
};

/* The query of the events that it wants, which is the caller's to free; *@query
 * is NULL if that is all. MEMORY, and what is wrong with it.
 */
enum acta_code projection_query_new(const struct acta_projection *projection,
                                    struct acta_query **query,
                                    struct acta_err *err) ACTA_CHECKED;

/* Put the event of @context, which is filled but for what comes of it, to its
 * handler. An event that cannot be upcast is one to be parked. MEMORY; INVALID:
 * what was emitted is wrong.
 */
enum acta_code projection_handle(const struct acta_projection *projection,
                                 struct acta_upcast *upcast,
                                 struct acta_context *context,
                                 enum acta_verdict *verdict,
                                 struct acta_err *err) ACTA_CHECKED;

#endif

/* Projections: read models that are made from events, and kept up with them.
 *
 * A projection has a name, handlers by type of event, and a place where its
 * checkpoint is kept. This one counts the orders of each customer in SQLite,
 * each exactly once, whatever is killed when:
 *
 *     #include <acta/acta_projection.h>
 *     #include <acta/acta_sqlite.h>
 *     #include <stdio.h>
 *
 *     static enum acta_verdict
 *     on_placed(void *user, struct acta_context *context,
 *               const struct acta_event *event)
 *     {
 *         sqlite3 *db = acta_context_model(context);
 *         char sql[400];
 *
 *         (void)user;
 *         sqlite3_snprintf(sizeof(sql), sql,
 *                          "INSERT INTO orders VALUES (%Q, 1) ON CONFLICT "
 *                          "DO UPDATE SET count = count + 1", event->data);
 *         if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
 *             return acta_context_fail(context, ACTA_VERDICT_RETRY, "%s",
 *                                      sqlite3_errmsg(db));
 *         }
 *         return ACTA_VERDICT_OK;
 *     }
 *
 *     int
 *     main(void)
 *     {
 *         static const char *const tables[] = {"orders", NULL};
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         struct acta_projection *orders = acta_projection_new("orders");
 *         struct acta_projector *projector = NULL;
 *         struct acta_sqlite *model = NULL;
 *         struct acta_sync *sync = NULL;
 *         struct acta_err err = {ACTA_OK, ""};
 *         sqlite3 *db = NULL;
 *
 *         sqlite3_open("orders.db", &db);
 *         if (acta_sqlite_open(&model, db,
 *                              "CREATE TABLE IF NOT EXISTS orders"
 *                              "(customer TEXT PRIMARY KEY, count INTEGER)",
 *                              tables, &err) != ACTA_OK) {
 *             goto done;
 *         }
 *         acta_projection_on(orders, "OrderPlaced", on_placed, NULL);
 *         acta_projection_keep(orders, acta_sqlite_keeper(model));
 *         if (acta_sync_open(&sync, &options, &err) == ACTA_OK &&
 *             acta_projector_new(&projector, orders, sync, NULL, &err) ==
 *                 ACTA_OK) {
 *             acta_projector_run(projector, &err);
 *         }
 *     done:
 *         fprintf(stderr, "%s\n", err.text);
 *         acta_projector_free(projector);
 *         acta_sync_close(sync);
 *         acta_sqlite_close(model);
 *         acta_projection_free(orders);
 *         sqlite3_close(db);
 *         return 1;
 *     }
 *
 * Where the checkpoint is kept says what is promised:
 *
 *     in the model   acta_projection_keep(): what handlers do to the model and
 *                    the checkpoint are one transaction. Each event has its
 *                    effect on the model exactly once.
 *     in the server  The default: the checkpoint moves behind the handlers. An
 *                    event comes at least once, and seldom twice.
 *     with events    acta_context_emit(): what handlers emit and the checkpoint
 *                    are one append. Each event has its effect exactly once.
 *
 * A commit is shared by all events that have come in when a batch begins, up to
 * options.batch_max: one that comes alone is committed at once, and who falls
 * behind commits more at a time.
 *
 * In all of them the projection is a consumer of its name on the server
 * (acta_consumer.h), whose checkpoint is moved when the model's is committed.
 * So its lag is known there, and whoever has written can wait until the model
 * has it, before reading from it:
 *
 *     acta_sync_append(sync, append, &appended, &err);
 *     acta_sync_wait_for(sync, "orders", appended->position, 1000, &err);
 *
 * Poison. A handler that cannot handle an event says so by its verdict, and
 * why. By default the event is tried a few times, then parked: it is noted in
 * the stream "acta.parked-NAME" by an event Parked, whose JSON has position,
 * stream, type, attempts and text, and the projection goes on behind it.
 * Everything else that was handled stays. Events of which no version is known
 * (acta_upcast.h), and those that cannot be upcast, are treated like that too.
 *
 * One or many. Of instances without a lease the last one that came is active,
 * and the others end with FENCED. With one (options.lease_ms) others stand by
 * until the first is gone, and then go on where it was. Members of a group
 * (options.is_group) share events by key; then the server keeps the checkpoint,
 * each event is a transaction of the model, and comes at least once. A model
 * that keeps its checkpoint refuses whoever is late.
 *
 * Rebuild. acta_projector_rebuild() makes the model anew beside the one that is
 * in use, then puts it in its place at once.
 *
 * What it does is told to `acta projection ls`, as a note on its consumer, by
 * the instance that is active; `acta lease ls` tells who stands by for it. A
 * group has no note: `acta consumer ls` tells of it, and each member knows what
 * it did itself (acta_projector_status()).
 *
 * Threads. A projection is filled by one thread, and then shared by any number
 * of projectors if its handlers and keeper allow it. A projector, like its
 * acta_sync, is used by one thread at a time; acta_projector_interrupt() is
 * called by any.
 */

#ifndef ACTA_ACTA_PROJECTION_H
#define ACTA_ACTA_PROJECTION_H

#include "acta_consumer.h"
#include "acta_sync.h"
#include "acta_upcast.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- handlers ---- */

/* What became of an event. */
enum acta_verdict {
    ACTA_VERDICT_OK = 0,
    ACTA_VERDICT_RETRY = 1, /* Not now: try it again. */
    ACTA_VERDICT_PARK = 2,  /* Never: lay it aside. */
    ACTA_VERDICT_SKIP = 3,  /* It need not be handled: like OK, but counted. */
    ACTA_VERDICT_STOP = 4,  /* Nothing behind it may be handled: end. */
};

/* What a handler is told besides the event, and says besides the verdict. Valid
 * until it returns.
 */
struct acta_context;

/* Handle @event, which is of the newest version that is known, with the type
 * named without one: see acta_upcast.h. With any verdict but OK and SKIP, what
 * the model was told for it is rolled back, if it can be, and so is the rest of
 * its batch: that is handled again, without it. So what a handler keeps outside
 * of the model may see an event more than once.
 */
typedef enum acta_verdict acta_project_fn(void *user,
                                          struct acta_context *context,
                                          const struct acta_event *event);

/* The model that the keeper has open, in a transaction: sqlite3 * or PGconn *
 * with the ready-made ones. NULL: there is no keeper. Handlers use what they
 * are given here, which in a rebuild is another one.
 */
ACTA_API void *acta_context_model(const struct acta_context *context);

/* The event was handled before, and only the model is made anew: in a rebuild;
 * and when the model is behind the consumer, since it was lost or is an older
 * copy. What is no part of the model is not to be done again: mails were sent.
 */
ACTA_API bool acta_context_is_replaying(const struct acta_context *context);

/* How often the event was given to a handler: 1, 2, ... Counted anew when the
 * projector is started again, except in groups.
 */
ACTA_API uint64_t acta_context_attempt(const struct acta_context *context);

/* Say what is wrong, which is kept with the error. Returns @verdict. */
ACTA_API enum acta_verdict acta_context_fail(struct acta_context *context,
                                             enum acta_verdict verdict,
                                             const char *format, ...)
    ACTA_PRINTF(3, 4);

/* Let RETRY come after this time. Returns ACTA_VERDICT_RETRY. */
ACTA_API enum acta_verdict
acta_context_retry_after(struct acta_context *context, uint64_t delay_ms);

/* Append an event to @stream, at whatever version it is, together with the
 * checkpoint. Correlation is that of the event that is handled, or its id, and
 * causation its id, where @draft has none. Copied; what is wrong with it ends
 * the projector. INVALID then, too: a projection with a keeper or of a group.
 * In a rebuild nothing is emitted.
 */
ACTA_API void acta_context_emit(struct acta_context *context,
                                const char *stream,
                                const struct acta_draft *draft);

/* ---- keepers: models that keep the checkpoint ---- */

/* What a model's store does for a projection. Functions return ACTA_OK or say
 * what failed in @err, which is not NULL. A batch that fails is tried again
 * like an event whose handler does, then ends the projector; what fails before
 * the first one, or in a rebuild as it takes over, ends it at once. All are
 * called by the projector's thread.
 *
 * SQLite and PostgreSQL have theirs ready: acta_sqlite.h, acta_postgres.h.
 */
struct acta_keeper {
    size_t size; /* Of this struct. */
    void *user;  /* Passed to all of the functions: */

    /* Set *@position to the checkpoint of @projection; 0: the model is new. Is
     * called in and out of transactions.
     */
    enum acta_code (*load)(void *user, const char *projection,
                           uint64_t *position, struct acta_err *err);

    /* Begin a transaction, in which nobody else moves the checkpoint. */
    enum acta_code (*begin)(void *user, const char *projection,
                            struct acta_err *err);

    /* Move the checkpoint, in the transaction. */
    enum acta_code (*save)(void *user, const char *projection,
                           uint64_t position, struct acta_err *err);
    /* The transaction is over, also if it fails. */
    enum acta_code (*commit)(void *user, struct acta_err *err);
    void (*rollback)(void *user);

    /* What acta_context_model() returns. May be NULL: then it is @user. */
    void *(*model)(void *user);

    /* For rebuilds; NULL: there are none. */

    /* Make an empty model beside the one that is in use, and set @beside to its
     * keeper. One that was begun before is removed.
     */
    enum acta_code (*open_beside)(void *user, const char *projection,
                                  struct acta_keeper *beside,
                                  struct acta_err *err);
    /* Put the model of @beside, all committed, in the place of this one, within
     * a transaction of this one. The checkpoint stays.
     */
    enum acta_code (*take_over)(void *user, const struct acta_keeper *beside,
                                struct acta_err *err);
    /* Remove the model beside, in use or not. */
    void (*close_beside)(void *user, const struct acta_keeper *beside);
};

static inline struct acta_keeper
acta_keeper_of(void *user)
{
    struct acta_keeper keeper;

    memset(&keeper, 0, sizeof(keeper));
    keeper.size = sizeof(keeper);
    keeper.user = user;
    return keeper;
}

/* ---- projections ---- */

/* Filling never fails on its own: what is wrong first is told by
 * acta_projection_check() and by acta_projector_new(). Names and types are
 * copied, all else is borrowed. acta_projection_new() returns NULL if there is
 * no memory; given NULL, calls that fill do nothing and the check says MEMORY.
 *
 * @name is that of the consumer: like those of streams, 200 bytes at most.
 */
struct acta_projection;

ACTA_API struct acta_projection *acta_projection_new(const char *name);
ACTA_API void acta_projection_free(struct acta_projection *projection);

/* Events of @type, named without a version, are for @handler: once a type, 200
 * types at most. The projection gets events of these types only.
 */
ACTA_API void acta_projection_on(struct acta_projection *projection,
                                 const char *type, acta_project_fn *handler,
                                 void *user);

/* All other events are for @handler, so the projection gets all. */
ACTA_API void acta_projection_on_default(struct acta_projection *projection,
                                         acta_project_fn *handler, void *user);

/* Get these events, in place of those of the types: borrowed. Types in it are
 * named with their versions. Events that no handler is for are passed over.
 */
ACTA_API void acta_projection_query(struct acta_projection *projection,
                                    const struct acta_query *query);

ACTA_API void acta_projection_upcasters(struct acta_projection *projection,
                                        const struct acta_upcasters *upcasters);

/* The model keeps the checkpoint. @keeper is copied. */
ACTA_API void acta_projection_keep(struct acta_projection *projection,
                                   const struct acta_keeper *keeper);

/* INVALID: there is no handler, a name is wrong, a type comes twice or has a
 * version, the keeper lacks a function. MEMORY.
 */
ACTA_API enum acta_code
acta_projection_check(const struct acta_projection *projection,
                      struct acta_err *err);

/* ---- projectors: projections that run ---- */

/* What becomes of an event whose attempts are used up. */
enum acta_on_poison {
    ACTA_POISON_PARKS = 0,
    ACTA_POISON_STOPS = 1, /* The projector ends, with ACTA_INVALID. */
};

struct acta_projector_options {
    size_t size; /* Of this struct. */

    uint64_t position; /* 0: a projection that is new begins behind it. */
    size_t batch_max;  /* 1,000: events that are committed at once, at most. */

    uint64_t attempts_max; /* 5: of each event. */
    uint64_t retry_ms; /* 100: pause before the second; doubles, up to 10 s. */
    enum acta_on_poison on_poison; /* ACTA_POISON_PARKS */

    /* 0: without. The lease "projection.NAME" says who is active; others stand
     * by. It is renewed between batches and while waiting, so it must outlast
     * the handling of one batch.
     */
    uint64_t lease_ms;

    bool is_group;       /* Share the events with others of this name. */
    const char *key_tag; /* Of a group that is new: see acta_group. */

    bool is_once; /* Return when all that is stored has been handled. */

    uint64_t note_ms; /* 2,000: between notes about progress, at least. */
};

/* Options with the defaults named above. */
static inline struct acta_projector_options
acta_projector_options_of(void)
{
    struct acta_projector_options options;

    memset(&options, 0, sizeof(options));
    options.size = sizeof(options);
    options.batch_max = 1000;
    options.attempts_max = 5;
    options.retry_ms = 100;
    options.note_ms = 2000;
    return options;
}

struct acta_projector;

/* Both @projection and @sync are borrowed, and @sync is used for nothing else
 * while the projector runs. @options may be NULL: the defaults. Nothing is
 * asked of the server yet. INVALID, MEMORY, IO; TOO_LARGE: the query.
 */
ACTA_API enum acta_code acta_projector_new(
    struct acta_projector **projector, const struct acta_projection *projection,
    struct acta_sync *sync, const struct acta_projector_options *options,
    struct acta_err *err);
ACTA_API void acta_projector_free(struct acta_projector *projector);

/* Run, until interrupted (OK), or, if options.is_once, done (OK). It may be run
 * again, whatever it ended with, and goes on where the checkpoint is.
 *
 * FENCED: another instance, without a lease, has begun.
 * CANCELLED: a handler said STOP. INVALID: an event is poison, and is to stop
 *     it.
 * EXISTS: there is a group of this name; or with options.is_group, a consumer
 *     that is none.
 * others: the server's, or the keeper's.
 */
ACTA_API enum acta_code acta_projector_run(struct acta_projector *projector,
                                           struct acta_err *err);

/* Make the model anew, beside the one in use, from the first event on, up to
 * where that one is; then put it in its place, in one transaction. Meanwhile
 * another projector, of another process or thread, with its own connections to
 * server and model, keeps the old one up to date, and goes on with the new one.
 *
 * It is a consumer NAME.rebuild, which is removed in the end, with state and
 * progress in its note. Handlers are told that they are replaying. Events that
 * are poison are parked. One that was interrupted (CANCELLED) or failed leaves
 * the model in use as it was, and the next one begins anew.
 *
 * UNSUPPORTED: the keeper cannot, or there is none.
 */
ACTA_API enum acta_code acta_projector_rebuild(struct acta_projector *projector,
                                               struct acta_err *err);

/* Let the run or rebuild that is under way end, or else the next one. What was
 * begun of a batch is finished before. Any thread, and signal handlers too.
 */
ACTA_API void acta_projector_interrupt(struct acta_projector *projector);

enum acta_projector_state {
    ACTA_PROJECTOR_STOPPED = 0,
    ACTA_PROJECTOR_STANDBY = 1, /* Another one has the lease. */
    ACTA_PROJECTOR_RUNNING = 2,
    ACTA_PROJECTOR_REBUILDING = 3,
};

/* How it goes, since it was made. */
struct acta_projector_status {
    enum acta_projector_state state;
    uint64_t position; /* The checkpoint. */
    uint64_t head;     /* The database's last position, when last told. */
    uint64_t handled;  /* Events, with those that were skipped. */
    uint64_t skipped;
    uint64_t parked;
    uint64_t errors;         /* Verdicts other than OK and SKIP, and failures of
                                the keeper. */
    uint64_t error_position; /* Of the last one; 0: there was none. */
    const char *error_stream;
    const char *error_text;
    uint64_t left_ms; /* Of a rebuild, as estimated; 0: not known. */
};

/* Valid until the projector is used again. */
ACTA_API const struct acta_projector_status *
acta_projector_status(struct acta_projector *projector);

#ifdef __cplusplus
}
#endif

#endif

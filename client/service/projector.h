/* What the parts of a projector share: running alone, in a group, rebuilding;
 * batches, and what is told of it.
 */

#ifndef ACTA_CLIENT_PROJECTOR_H
#define ACTA_CLIENT_PROJECTOR_H

#include <acta/acta_lease.h>

#include "projection.h"

/* Characters of a name that is made of a projection's. */
#define PROJECTOR_NAME_SIZE (PROJECTION_NAME_MAX + 32)

/* Of texts in a status, with the end. */
#define PROJECTOR_STREAM_SIZE 256
#define PROJECTOR_TEXT_SIZE   240

struct acta_projector;

typedef enum acta_code projector_work(struct acta_projector *projector,
                                      const struct acta_event *const *events,
                                      size_t count, uint64_t position,
                                      struct acta_err *err);

struct acta_projector {
    const struct acta_projection *projection;
    struct acta_sync *sync;
    struct acta_projector_options options; /* key_tag: owned. */
    char *key_tag;                         /* owned */
    struct acta_query *query_made;         /* owned; NULL: none was. */
    const struct acta_query *query;        /* NULL: all events. */
    struct acta_upcast *upcast;            /* owned */
    struct acta_append *append;            /* owned: what is emitted. */
    int interrupt_fd;

    /* What handles events: projector_handle(), or another that promises the
     * same, for @work.
     */
    projector_work *handle;
    void *work;

    /* What is worked on: the model in use, or in a rebuild the one beside. */
    char consumer[PROJECTOR_NAME_SIZE];
    struct acta_keeper keeper; /* If projection->has_keeper. */
    struct acta_follower *follower;
    uint64_t epoch;           /* Of the consumer; 0: it is not claimed. */
    uint64_t position;        /* All up to here is handled, and committed. */
    uint64_t saved;           /* The model's checkpoint, as it was seen last. */
    uint64_t committing;      /* Where a commit was to bring it. */
    bool is_in_doubt;         /* It is not known if that was done. */
    bool model_failed;        /* The last failure is that of the keeper. */
    uint64_t replay_until;    /* Events up to here were handled before. */
    struct acta_lease *lease; /* NULL: it is not held, and not waited for. */
    char lease_name[PROJECTOR_NAME_SIZE];
    bool lease_is_held;
    struct acta_err lease_err; /* Why it is lost. */

    /* The event that could not be handled last. */
    struct {
        uint64_t position; /* 0: there was none. */
        uint64_t attempts;
        enum acta_verdict verdict; /* Of the last attempt. */
        bool is_known;  /* The verdict is to be acted on, before it is tried. */
        bool is_poison; /* There is no use in trying again. */
        uint64_t delay_ms;
        char text[PROJECTOR_TEXT_SIZE];
    } tried;

    struct acta_projector_status status; /* Its texts are: */
    char error_stream[PROJECTOR_STREAM_SIZE];
    char error_text[PROJECTOR_TEXT_SIZE];

    bool is_interrupted; /* That is why it ended. */
    bool is_blamed;      /* Why it ends is told as an error already. */
    uint64_t noted_ms;   /* When the last note was made. */
    bool note_is_due;    /* Something has changed since. */
    uint64_t started_ms; /* Of a rebuild. */
    uint64_t goal;       /* Position that a rebuild has to reach. */
};

/* ---- projector.c ---- */

/* Wait for what comes, @timeout_ms at most (negative: as long as it takes).
 * CANCELLED: it was interrupted. FENCED: the lease is lost.
 */
enum acta_code projector_turn(struct acta_projector *projector, int timeout_ms,
                              struct acta_err *err) ACTA_CHECKED;

/* True if a call that failed so may go well later, as after an outage, unless
 * it is interrupted: then *@code becomes CANCELLED.
 */
bool projector_can_go_on(struct acta_projector *projector, enum acta_code *code,
                         struct acta_err *err);

/* Claim the consumer, or begin with it at @position, and follow it. */
enum acta_code projector_follow(struct acta_projector *projector,
                                uint64_t position,
                                struct acta_err *err) ACTA_CHECKED;
void projector_unfollow(struct acta_projector *projector);

/* Move the consumer's checkpoint, through outages. */
enum acta_code projector_checkpoint(struct acta_projector *projector,
                                    uint64_t position,
                                    struct acta_err *err) ACTA_CHECKED;

/* It has ended with @code: that is told as an error, unless it was already, and
 * noted.
 */
void projector_stopped(struct acta_projector *projector, enum acta_code code,
                       const struct acta_err *err);

/* The next news, waited for. */
enum acta_code projector_next(struct acta_projector *projector,
                              const struct acta_news **news,
                              struct acta_err *err) ACTA_CHECKED;

/* ---- projector_batch.c ---- */

/* Handle these events and commit, in one batch or more, then be at @position,
 * which is that of the last event or beyond it. projector->position says how
 * far it came.
 */
enum acta_code projector_handle(struct acta_projector *projector,
                                const struct acta_event *const *events,
                                size_t count, uint64_t position,
                                struct acta_err *err) ACTA_CHECKED;

/* Do about the event that was tried what is to be done: wait until it is tried
 * again, or lay it aside, so that projector->position is behind it. CANCELLED,
 * INVALID: it is what stops the projector.
 */
enum acta_code projector_settle(struct acta_projector *projector,
                                const struct acta_event *event,
                                struct acta_err *err) ACTA_CHECKED;

/* ---- projector_try.c ---- */

/* Let one event be handled, and remember what came of it in tried, if that is
 * neither OK nor SKIP.
 */
enum acta_code projector_try(struct acta_projector *projector,
                             const struct acta_event *event,
                             struct acta_context *context,
                             enum acta_verdict *verdict,
                             struct acta_err *err) ACTA_CHECKED;

/* What is to be done about the event that was tried: RETRY after
 * tried.delay_ms, PARK or STOP.
 */
enum acta_verdict projector_judge(const struct acta_projector *projector);

/* That was STOP: CANCELLED if the handler said so, INVALID if it is poison. */
enum acta_code projector_stop_at(struct acta_projector *projector,
                                 const struct acta_event *event,
                                 struct acta_err *err) ACTA_CHECKED;

/* How long to wait when it has failed so often. */
uint64_t projector_pause_ms(const struct acta_projector *projector,
                            uint64_t attempts);

/* An error is counted, and told. @event may be NULL. */
void projector_blame(struct acta_projector *projector,
                     const struct acta_event *event, const char *text);

/* Put the event Parked about @event, for the reason in tried, in @append, which
 * it makes one that counts once, whoever sends it.
 */
enum acta_code projector_put_parked(struct acta_projector *projector,
                                    const struct acta_event *event,
                                    struct acta_append *append,
                                    struct acta_err *err) ACTA_CHECKED;

/* ---- projector_note.c ---- */

/* Keep the status as a note on the consumer: now, or if it is time. Only FENCED
 * is told: all else is no reason to stop.
 */
enum acta_code projector_note(struct acta_projector *projector,
                              struct acta_err *err);
enum acta_code projector_note_if_due(struct acta_projector *projector,
                                     struct acta_err *err) ACTA_CHECKED;

/* Up to where events were being replayed, as a note says; 0: nowhere. */
uint64_t projector_noted_replay(const char *note);

/* @text as the inside of a JSON string, cut to what is whole within @size; what
 * is no text, as the server takes them, is made visible.
 */
void projector_json_text(char *to, size_t size, const char *text);

/* ---- projector_group.c ---- */

enum acta_code projector_run_group(struct acta_projector *projector,
                                   struct acta_err *err) ACTA_CHECKED;

#endif

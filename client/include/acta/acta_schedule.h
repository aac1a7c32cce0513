/* Schedules: appends that take place later, and what there is of them.
 *
 * A schedule is made, moved and cancelled by an append, with events or alone:
 *
 *     append = acta_append_new();
 *     acta_append_schedule_in(append, "order-42-unpaid", 1800000, reminder);
 *     acta_append(client, append, 0, on_appended, user, &err);
 *
 * See acta_append_schedule() and those behind it. It takes place exactly once,
 * when it is due by the server's clock or as soon after as the server runs, in
 * the order of due times; and it is gone then. One that is refused when it is
 * due, since a stream is not at the version that it expects or is closed for
 * ever, stays as one that has failed, until it is moved, to be tried again, or
 * cancelled.
 *
 * What is said of connections, errors, memory, names, threads and compatibility
 * in acta.h, which this header includes, holds here. The names of schedules are
 * like those of streams. There are a million at most.
 */

#ifndef ACTA_ACTA_SCHEDULE_H
#define ACTA_ACTA_SCHEDULE_H

#include "acta.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_schedule {
    const char *name;
    uint64_t due_us;     /* Since 1970. */
    uint64_t created_us; /* The same. */
    bool has_failed;     /* It was due, and was refused. */
    const char *reason;  /* Why; "" if it has not failed. */
    const char *stream;  /* Of its first write. */
    const char *type;    /* Of its first event. */
    uint64_t events_count;
};

struct acta_schedules {
    const struct acta_schedule *const *schedules;
    size_t schedules_count;
    bool at_end; /* Else list again, after the last name here. */
};

/* List schedules by name, as acta_list() does streams: 1,000 at most at once.
 */
typedef void acta_on_schedules(void *user, const struct acta_err *err,
                               const struct acta_schedules *schedules);
ACTA_API uint64_t acta_list_schedules(struct acta_client *client,
                                      const char *prefix, const char *after,
                                      size_t count_max, uint64_t timeout_ms,
                                      acta_on_schedules *done, void *user,
                                      struct acta_err *err);

/* ---- the same, waited for: see acta_sync.h ---- */

struct acta_sync;

ACTA_API enum acta_code
acta_sync_list_schedules(struct acta_sync *sync, const char *prefix,
                         const char *after, size_t count_max,
                         const struct acta_schedules **schedules,
                         struct acta_err *err);

#ifdef __cplusplus
}
#endif

#endif

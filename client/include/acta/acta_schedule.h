/* Schedules: appends that take place later, and what there is of them.
 *
 * A schedule is made, moved and cancelled by an append, with events or alone:
 *
 *     #include <acta/acta_schedule.h>
 *     #include <acta/acta_sync.h>
 *     #include <stdio.h>
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         struct acta_draft draft = acta_draft_of("PaymentLate", NULL, 0);
 *         struct acta_append *reminder = acta_append_new();
 *         struct acta_append *append = acta_append_new();
 *         const struct acta_schedules *schedules;
 *         struct acta_err err = {ACTA_OK, ""};
 *         struct acta_sync *sync = NULL;
 *
 *         acta_append_stream(reminder, "order-42", ACTA_EXPECT_ANY);
 *         acta_append_event(reminder, &draft);
 *         acta_append_schedule_in(append, "order-42-unpaid", 1800000,
 *                                 reminder);
 *         if (acta_sync_open(&sync, &options, &err) == ACTA_OK &&
 *             acta_sync_append(sync, append, NULL, &err) == ACTA_OK &&
 *             acta_sync_list_schedules(sync, "order-42", NULL, 100, &schedules,
 *                                      &err) == ACTA_OK) {
 *             for (size_t i = 0; i < schedules->schedules_count; i++) {
 *                 printf("%s: %s\n", schedules->schedules[i]->name,
 *                        schedules->schedules[i]->type);
 *             }
 *         }
 *         acta_sync_close(sync);
 *         acta_append_free(append);
 *         acta_append_free(reminder);
 *         return err.code == ACTA_OK ? 0 : 1;
 *     }
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

/* Replies about leases and schedules, and what load brings. */

#include <stdlib.h>

#include "answer.h"

/* Fill in one lease; the pointers to its waiters go to *@waiters. */
static struct acta_lease_info
lease_of(uint8_t *body, struct slice base, const struct msg_lease *lease,
         const char ***waiters)
{
    struct acta_lease_info info = {
        .name = view_terminate(body, base, lease->name),
        .holder = view_terminate(body, base, lease->holder),
        .fence = lease->fence,
        .duration_us = lease->duration_us,
        .remaining_us = lease->remaining_us,
        .since_us = lease->since_us,
        .waiters_count = lease->waiters_count,
        .waiters = *waiters,
        .waiters_named = lease->waiters_named,
    };

    for (size_t i = 0; i < lease->waiters_named; i++) {
        *(*waiters)++ = answer_terminate(body, base, lease->waiters[i]);
    }
    return info;
}

enum acta_code
answer_read_leases(struct answer *answer, uint8_t *body, struct slice base,
                   struct acta_err *err)
{
    struct acta_lease_info *leases;
    struct msg_leases packed;
    const char **waiters;
    enum acta_code code = msg_leases_decode(&packed, base, err);

    if (code != ACTA_OK) {
        return code;
    }
    leases = answer_make_list(answer, packed.leases_count, sizeof(*leases));
    free(answer->more);
    answer->more =
        calloc(packed.leases_count + 1, MSG_WAITERS_MAX * sizeof(const char *));
    waiters = answer->more;
    if (leases == NULL || waiters == NULL) {
        return acta_fail(err, ACTA_MEMORY, "list of leases");
    }
    for (size_t i = 0; i < packed.leases_count; i++) {
        struct msg_lease lease = msg_next_lease(&packed.leases);

        leases[i] = lease_of(body, base, &lease, &waiters);
    }
    answer->leases = (struct acta_leases){
        .leases = answer->list,
        .leases_count = packed.leases_count,
        .at_end = packed.at_end,
    };
    return ACTA_OK;
}

enum acta_code
answer_read_schedules(struct answer *answer, uint8_t *body, struct slice base,
                      struct acta_err *err)
{
    struct acta_schedule *schedules;
    struct msg_schedules packed;
    enum acta_code code = msg_schedules_decode(&packed, base, err);

    if (code != ACTA_OK) {
        return code;
    }
    schedules =
        answer_make_list(answer, packed.schedules_count, sizeof(*schedules));
    if (schedules == NULL) {
        return acta_fail(err, ACTA_MEMORY, "list of schedules");
    }
    for (size_t i = 0; i < packed.schedules_count; i++) {
        struct msg_scheduled next = msg_next_scheduled(&packed.schedules);

        schedules[i] = (struct acta_schedule){
            .name = view_terminate(body, base, next.name),
            .due_us = next.due_us,
            .created_us = next.created_us,
            .has_failed = next.state == MSG_SCHEDULE_FAILED,
            .reason = view_terminate(body, base, next.text),
            .stream = view_terminate(body, base, next.stream),
            .type = view_terminate(body, base, next.type),
            .events_count = next.events_count,
        };
    }
    answer->schedules = (struct acta_schedules){
        .schedules = answer->list,
        .schedules_count = packed.schedules_count,
        .at_end = packed.at_end,
    };
    return ACTA_OK;
}

enum acta_code
answer_read_loaded(struct answer *answer, uint8_t *body, struct slice base,
                   struct acta_err *err)
{
    struct msg_loaded loaded;
    const struct msg_page *page = &loaded.page;
    enum acta_code code = msg_loaded_decode(&loaded, base, err);
    size_t used = 0;

    if (code == ACTA_OK) {
        code = answer_read_events(answer, body, base, page->events,
                                  page->events_count, &used, err);
    }
    if (code == ACTA_OK) {
        code = msg_events_end(
            slice_make(page->events.data + used, page->events.size - used),
            page->fields_left, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    answer->page = (struct acta_page){
        .events = answer->view.pointers,
        .events_count = page->events_count,
        .next = page->next,
        .at_end = page->at_end,
        .head = page->head,
        .version = page->version,
    };
    if (loaded.has_snapshot) {
        answer->snapshot = (struct acta_snapshot){
            .version = loaded.snapshot_version,
            .schema = loaded.snapshot_schema,
            .time_us = loaded.snapshot_time_us,
            .data = view_terminate(body, base, loaded.snapshot),
            .data_size = loaded.snapshot.size,
        };
        answer->loaded.snapshot = &answer->snapshot;
    }
    return ACTA_OK;
}

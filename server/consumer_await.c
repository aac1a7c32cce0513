/* Waiting until a consumer has handled an event: for those who read what they
 * have written from a model that follows.
 */

#include "awaits.h"
#include "consumer.h"
#include "decider.h"
#include "group.h"

static void
answer(struct job *job, uint64_t position, uint64_t epoch)
{
    job->outcome.consumer_changed =
        (struct msg_consumer_changed){.position = position, .epoch = epoch};
}

/* Up to where it has handled all, whichever kind it is: the checkpoint of one
 * that follows alone has no pending events.
 */
static enum acta_code
position_of(const struct checkpoint_row *row, uint64_t *position,
            struct acta_err *err)
{
    if (row->pending.size == 0) {
        *position = row->position;
        return ACTA_OK;
    }
    return group_row_position(row, position, err);
}

/* Who waits for a group is told by its saves. One that has passed over events
 * that it does not want saves that in its own time, or has not even looked at
 * them: it is to do so now.
 */
static void
urge(struct decider *decider, const struct checkpoint_row *row,
     struct slice name)
{
    struct rooms *rooms = decider->heads->rooms;

    if (row->pending.size > 0 && rooms->consumers.changed != NULL) {
        rooms->consumers.changed(rooms->consumers.user, name);
    }
}

enum acta_code
await_consumer(struct decider *decider, struct job *job, bool *waits)
{
    const struct msg_await *wanted = &job->await;
    struct checkpoint_row row;
    struct acta_err err;
    enum acta_code code;
    struct slice value;
    uint64_t position = 0;
    bool found;

    code = heads_row(decider->heads, ROW_CHECKPOINT, wanted->consumer, &value,
                     &found, &err);
    if (code == ACTA_OK && !found) {
        return job_refuse(job, ACTA_NOT_FOUND, "there is no consumer %.*s",
                          (int)wanted->consumer.size,
                          (const char *)wanted->consumer.data);
    }
    if (code == ACTA_OK) {
        code = checkpoint_decode(&row, value, &err);
    }
    if (code == ACTA_OK) {
        code = position_of(&row, &position, &err);
    }
    if (code != ACTA_OK) {
        return job_refuse(job, code, "%s", err.text);
    }
    if (position >= wanted->position) {
        answer(job, position, row.epoch);
        return ACTA_OK;
    }
    if (wanted->timeout_us == 0) {
        return job_refuse(job, ACTA_TIMEOUT, "it is at position %ju",
                          (uintmax_t)position);
    }
    *waits = awaits_keep(&decider->awaits, wanted->consumer, wanted->position,
                         decider->mono_us + wanted->timeout_us, job);
    if (!*waits) {
        return job_refuse(job, ACTA_MEMORY, "wait");
    }
    urge(decider, &row, wanted->consumer);
    return ACTA_OK;
}

enum acta_code
consumer_has_moved(struct decider *decider, const struct row *row,
                   struct acta_err *err)
{
    struct checkpoint_row at;
    uint64_t position;
    enum acta_code code;
    struct job *job;

    if (decider->awaits.by_name.count == 0) {
        return ACTA_OK; /* As nearly always. */
    }
    if (row->value.size == 0) {
        while ((job = awaits_reached(&decider->awaits, row->key, UINT64_MAX)) !=
               NULL) {
            job_refuse(job, ACTA_NOT_FOUND, "the consumer was deleted");
            decider_is_done(decider, job);
        }
        return ACTA_OK;
    }
    code = checkpoint_decode(&at, row->value, err);
    if (code == ACTA_OK) {
        code = position_of(&at, &position, err);
    }
    while (code == ACTA_OK && (job = awaits_reached(&decider->awaits, row->key,
                                                    position)) != NULL) {
        answer(job, position, at.epoch);
        decider_is_done(decider, job);
    }
    return code;
}

void
end_awaits(struct decider *decider)
{
    struct job *job;

    while ((job = awaits_tired(&decider->awaits, decider->mono_us)) != NULL) {
        job_refuse(job, ACTA_TIMEOUT,
                   "consumer %.*s has not come to position %ju",
                   (int)job->await.consumer.size,
                   (const char *)job->await.consumer.data,
                   (uintmax_t)job->await.position);
        decider_is_done(decider, job);
    }
}

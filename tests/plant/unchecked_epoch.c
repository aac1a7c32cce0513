/* Moves of checkpoints are taken whatever their epoch is. */

#include "consumer.h"
#include "decider.h"

enum acta_code __real_judge_effects(struct decider *decider, struct job *job,
                                    struct acta_err *err);
enum acta_code __wrap_judge_effects(struct decider *decider, struct job *job,
                                    struct acta_err *err);

enum acta_code
__wrap_judge_effects(struct decider *decider, struct job *job,
                     struct acta_err *err)
{
    const struct msg_append_more *more = &job->append.more;

    for (size_t i = 0; i < more->checkpoints_count; i++) {
        /* It is the job's: it may be changed. */
        struct msg_checkpoint *move =
            (struct msg_checkpoint *)(uintptr_t)&more->checkpoints[i];
        struct checkpoint_row row;
        struct slice value;
        bool found;

        if (heads_row(decider->heads, ROW_CHECKPOINT, move->consumer, &value,
                      &found, err) == ACTA_OK &&
            found && checkpoint_decode(&row, value, err) == ACTA_OK) {
            move->epoch = row.epoch;
        }
    }
    return __real_judge_effects(decider, job, err);
}

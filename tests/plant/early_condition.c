/* A condition that looks for matches at >= its position instead of behind it.
 */

#include "decider.h"

bool __real_judge(struct decider *decider, struct job *job);
bool __wrap_judge(struct decider *decider, struct job *job);

/* A condition and the positions are the job's: they may be changed. */
static void
move(const struct msg_append_more *more, int by)
{
    for (size_t c = 0; c < more->conditions_count; c++) {
        struct msg_condition *condition =
            (struct msg_condition *)(uintptr_t)&more->conditions[c];

        condition->after += (uint64_t)by;
    }
}

bool
__wrap_judge(struct decider *decider, struct job *job)
{
    const struct msg_append_more *more = &job->append.more;
    bool taken;

    for (size_t c = 0; c < more->conditions_count; c++) {
        if (more->conditions[c].after == 0) {
            return __real_judge(decider, job);
        }
    }
    move(more, -1);
    taken = __real_judge(decider, job);
    move(more, 1);
    for (size_t i = 0; i < job->outcome.failures_count; i++) {
        struct msg_failure *failure = &job->outcome.failures[i];

        if (failure->kind == MSG_FAILED_CONDITION &&
            failure->expected != INT64_MAX) {
            failure->expected++;
        }
    }
    return taken;
}

/* Appends are taken, and the checkpoints that are to move with them stay. */

#include "decider.h"

enum acta_code __real_judge_effects(struct decider *decider, struct job *job,
                                    struct acta_err *err);
enum acta_code __wrap_judge_effects(struct decider *decider, struct job *job,
                                    struct acta_err *err);

enum acta_code
__wrap_judge_effects(struct decider *decider, struct job *job,
                     struct acta_err *err)
{
    job->append.more.checkpoints_count = 0;
    return __real_judge_effects(decider, job, err);
}

/* Appends are taken whatever became of the leases that they name. */

#include "decider.h"

enum acta_code __real_judge_effects(struct decider *decider, struct job *job,
                                    struct acta_err *err);
enum acta_code __wrap_judge_effects(struct decider *decider, struct job *job,
                                    struct acta_err *err);

enum acta_code
__wrap_judge_effects(struct decider *decider, struct job *job,
                     struct acta_err *err)
{
    job->append.more.leases_count = 0;
    return __real_judge_effects(decider, job, err);
}

/* Where jobs come back to who handed them in, and waits. One thread takes. */

#ifndef ACTA_TEST_ANSWERS_H
#define ACTA_TEST_ANSWERS_H

#include <pthread.h>
#include <stdbool.h>

#include "job.h"

struct answers {
    struct completions completions; /* For job->completions. */
    pthread_mutex_t lock;           /* Guards has_some. */
    pthread_cond_t came;
    bool has_some;
};

void answers_init(struct answers *answers);
void answers_fini(struct answers *answers);

/* Wait until some are back, and take these: linked by next, at least one. */
struct job *answers_take(struct answers *answers);

#endif

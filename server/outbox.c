#include "outbox.h"

#include <assert.h>
#include <stddef.h>

void
outbox_init(struct outbox *outbox)
{
    *outbox = (struct outbox){0};
}

void
outbox_fini(struct outbox *outbox)
{
    while (outbox->first != NULL) {
        struct job *job = outbox->first;

        outbox->first = job->next;
        job_free(job);
    }
    outbox_init(outbox);
}

void
outbox_put(struct outbox *outbox, struct job *job)
{
    job->next = NULL;
    if (outbox->first == NULL) {
        outbox->first = job;
    } else {
        outbox->last->next = job;
    }
    outbox->last = job;
}

static void
put_back(struct outbox *outbox, struct job *job)
{
    job->next = outbox->first;
    if (outbox->first == NULL) {
        outbox->last = job;
    }
    outbox->first = job;
}

void
outbox_flush(struct outbox *outbox, struct database *database)
{
    outbox->blocked = false;
    while (outbox->first != NULL) {
        struct job *job = outbox->first;
        enum acta_code code;

        /* While it is handed over, its link is not ours. */
        outbox->first = job->next;
        code = database_submit(database, job);
        if (code == ACTA_BUSY) {
            put_back(outbox, job);
            outbox->blocked = true;
            return;
        }
        if (code != ACTA_OK) {
            assert(code == ACTA_STOPPING);
            job->next = NULL;
            job_refuse(job, code, "server is stopping");
            completions_give(job->completions, job, job);
        }
    }
}

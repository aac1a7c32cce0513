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
        struct append *append = outbox->first;

        outbox->first = append->next;
        append_free(append);
    }
    outbox_init(outbox);
}

void
outbox_put(struct outbox *outbox, struct append *append)
{
    append->next = NULL;
    if (outbox->first == NULL) {
        outbox->first = append;
    } else {
        outbox->last->next = append;
    }
    outbox->last = append;
}

static void
put_back(struct outbox *outbox, struct append *append)
{
    append->next = outbox->first;
    if (outbox->first == NULL) {
        outbox->last = append;
    }
    outbox->first = append;
}

void
outbox_flush(struct outbox *outbox, struct database *database)
{
    outbox->blocked = false;
    while (outbox->first != NULL) {
        struct append *append = outbox->first;
        enum acta_code code;

        /* While it is handed over, its link is not ours. */
        outbox->first = append->next;
        code = database_submit(database, append);
        if (code == ACTA_BUSY) {
            put_back(outbox, append);
            outbox->blocked = true;
            return;
        }
        if (code != ACTA_OK) {
            assert(code == ACTA_STOPPING);
            append->next = NULL;
            append_refuse(append, code, "server is stopping");
            completions_give(append->completions, append, append);
        }
    }
}

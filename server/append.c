#include "append.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum acta_code
append_new(struct append **out, struct slice body, struct acta_err *err)
{
    struct append *append;
    enum acta_code code;

    *out = NULL;
    append = malloc(sizeof(*append) + body.size);
    if (append == NULL) {
        return acta_fail(err, ACTA_MEMORY, "append");
    }
    *append = (struct append){.size = sizeof(*append) + body.size};
    if (body.size > 0) {
        memcpy(append->body, body.data, body.size);
    }
    code = msg_append_decode(&append->request,
                             slice_make(append->body, body.size), err);
    if (code != ACTA_OK) {
        free(append);
        return code;
    }
    append->size +=
        append->request.writes_count * sizeof(*append->request.writes) +
        append->request.events_count * sizeof(*append->request.events);
    *out = append;
    return ACTA_OK;
}

void
append_free(struct append *append)
{
    if (append == NULL) {
        return;
    }
    msg_append_fini(&append->request);
    free(append->outcome.runs);
    free(append->outcome.failures);
    free(append);
}

enum acta_code
append_refuse(struct append *append, enum acta_code code, const char *fmt, ...)
{
    va_list args;

    assert(code != ACTA_OK);

    append->outcome.code = code;
    va_start(args, fmt);
    vsnprintf(append->outcome.text, sizeof(append->outcome.text), fmt, args);
    va_end(args);
    return code;
}

void
append_add_failure(struct append *append, const struct msg_failure *failure)
{
    struct outcome *outcome = &append->outcome;

    if (outcome->failures == NULL) {
        outcome->failures =
            malloc(MSG_FAILURES_MAX * sizeof(*outcome->failures));
    }
    /* Without memory the code and the text still tell what is wrong. */
    if (outcome->failures != NULL &&
        outcome->failures_count < MSG_FAILURES_MAX) {
        outcome->failures[outcome->failures_count++] = *failure;
    }
}

void
completions_init(struct completions *completions, void (*wake)(void *user),
                 void *user)
{
    *completions = (struct completions){.wake = wake, .user = user};
    pthread_mutex_init(&completions->lock, NULL);
}

void
completions_fini(struct completions *completions)
{
    pthread_mutex_destroy(&completions->lock);
}

void
completions_give(struct completions *completions, struct append *first,
                 struct append *last)
{
    bool was_empty;

    assert(last->next == NULL);

    pthread_mutex_lock(&completions->lock);
    was_empty = completions->first == NULL;
    if (was_empty) {
        completions->first = first;
    } else {
        completions->last->next = first;
    }
    completions->last = last;
    pthread_mutex_unlock(&completions->lock);
    if (was_empty) {
        completions->wake(completions->user);
    }
}

struct append *
completions_take(struct completions *completions)
{
    struct append *first;

    pthread_mutex_lock(&completions->lock);
    first = completions->first;
    completions->first = NULL;
    completions->last = NULL;
    pthread_mutex_unlock(&completions->lock);
    return first;
}

/* Drafts of events whose data is JSON in a text, or nothing. */

#ifndef ACTA_SERVICE_DRAFT_H
#define ACTA_SERVICE_DRAFT_H

#include <acta/acta_event.h>
#include <string.h>

/* Borrows from both; @json may be NULL: then it has no data. */
static inline struct acta_draft
draft_of_json(const char *type, const char *json)
{
    struct acta_draft draft =
        acta_draft_of(type, json, json == NULL ? 0 : strlen(json));

    draft.format = json == NULL ? ACTA_FORMAT_BINARY : ACTA_FORMAT_JSON;
    return draft;
}

#endif

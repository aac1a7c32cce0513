#include "kit_facts.h"

#include <stdio.h>

#include "kit.h"

struct fact
fact_of_draft(enum fact_kind kind, const char *where,
              const struct acta_draft *draft)
{
    return (struct fact){
        .kind = kind,
        .where = where,
        .type = draft->type,
        .data = draft->data,
        .data_size = draft->data_size,
        .format = draft->format,
    };
}

struct fact
fact_of_json(enum fact_kind kind, const char *where, const char *type,
             const char *json)
{
    return (struct fact){
        .kind = kind,
        .where = where,
        .type = type,
        .data = json,
        .data_size = json == NULL ? 0 : strlen(json),
        .format = json == NULL ? ACTA_FORMAT_BINARY : ACTA_FORMAT_JSON,
    };
}

bool
fact_is_same(const struct fact *a, const struct fact *b)
{
    if (a->kind != b->kind || strcmp(a->where, b->where) != 0 ||
        a->due_us != b->due_us || (a->type == NULL) != (b->type == NULL)) {
        return false;
    }
    return a->type == NULL ||
           (strcmp(a->type, b->type) == 0 &&
            kit_same_json(a->data, a->data_size, b->data, b->data_size));
}

void
facts_add(struct arena *arena, struct facts *facts, struct fact fact)
{
    struct fact **link = &facts->first;
    struct fact *added = arena_alloc(arena, sizeof(*added));

    fact.next = NULL;
    fact.where = arena_text(arena, fact.where);
    fact.type = arena_text(arena, fact.type);
    fact.data = arena_copy(arena, fact.data, fact.data_size);
    if (arena->failed) {
        return;
    }
    *added = fact;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = added;
}

struct fact **
facts_find(struct facts *facts, const char *where)
{
    struct fact **link = &facts->first;

    while (*link != NULL && strcmp((*link)->where, where) != 0) {
        link = &(*link)->next;
    }
    return link;
}

struct fact_shown
fact_show(const struct fact *fact)
{
    const char *space = fact->data_size == 0 ? "" : " ";
    struct fact_shown shown;

    switch (fact->kind) {
    case FACT_CANCEL:
        snprintf(shown.text, sizeof(shown.text), "the end of deadline %.200s",
                 fact->where);
        break;
    case FACT_DEADLINE:
        snprintf(shown.text, sizeof(shown.text),
                 "deadline %.80s after %ju ms: %.80s%s%.150s", fact->where,
                 (uintmax_t)(fact->due_us / 1000), fact->type, space,
                 fact->data);
        break;
    case FACT_EVENT:
        snprintf(shown.text, sizeof(shown.text), "%.80s%s%.150s%s%.100s",
                 fact->type, space, fact->data,
                 fact->where[0] == '\0' ? "" : " to ", fact->where);
        break;
    }
    return shown;
}

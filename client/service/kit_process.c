/* An event is handled when it is told, and what follows is compared when the
 * next one comes, or the story ends: until then it is said what to expect.
 */

#include <acta/acta_kit_process.h>
#include <stdio.h>
#include <stdlib.h>

#include "draft.h"
#include "kit.h"
#include "kit_facts.h"
#include "process.h"

#define TIME_US UINT64_C(946684800000000) /* 2000-01-01 00:00 UTC */

/* What follows from one event. */
struct outcome {
    struct facts events;
    struct facts deadlines; /* And what is cancelled. */
    bool ends;
    bool is_ignored;
    enum acta_verdict verdict;
};

struct acta_kit_process {
    const struct acta_process *process;
    struct acta_upcast *upcast;    /* owned */
    struct acta_append *append;    /* owned: what would be stored. */
    struct acta_reaction reaction; /* owned */

    /* The story; all of it is in the arena. */
    struct arena arena;  /* owned */
    struct facts own;    /* Events of instances' streams. */
    struct facts future; /* Deadlines, by the server's names. */
    uint64_t position;   /* Of the event that came last; 0: there was none. */
    struct outcome is, should;
    char reason[240];

    struct kit_problem problem;
};

struct acta_kit_process *
acta_kit_of_process(const struct acta_process *process)
{
    struct acta_kit_process *kit =
        process == NULL ? NULL : calloc(1, sizeof(*kit));
    struct acta_err err;

    if (kit == NULL) {
        return NULL;
    }
    kit->process = process;
    kit->upcast = acta_upcast_new();
    kit->append = acta_append_new();
    reaction_init(&kit->reaction, process);
    if (kit->upcast == NULL || kit->append == NULL) {
        acta_kit_process_free(kit);
        return NULL;
    }
    if (acta_process_check(process, &err) != ACTA_OK) {
        kit_say(&kit->problem, "%s", err.text);
    }
    return kit;
}

void
acta_kit_process_free(struct acta_kit_process *kit)
{
    if (kit != NULL) {
        reaction_fini(&kit->reaction);
        arena_fini(&kit->arena);
        acta_append_free(kit->append);
        acta_upcast_free(kit->upcast);
        free(kit);
    }
}

/* ---- what came of an event ---- */

static void
compare_facts(struct acta_kit_process *kit, const struct fact *is,
              const struct fact *should)
{
    uintmax_t number = kit->position;

    while (is != NULL && should != NULL && fact_is_same(is, should)) {
        is = is->next;
        should = should->next;
    }
    if (is != NULL && should != NULL) {
        kit_say(&kit->problem, "from event %ju follows %s, expected is %s",
                number, fact_show(is).text, fact_show(should).text);
    } else if (is != NULL) {
        kit_say(&kit->problem,
                "from event %ju follows %s, which is not expected", number,
                fact_show(is).text);
    } else if (should != NULL) {
        kit_say(&kit->problem, "from event %ju does not follow %s", number,
                fact_show(should).text);
    }
}

/* Be done with the event that came last. */
static void
compare(struct acta_kit_process *kit)
{
    const struct outcome *is = &kit->is;
    const struct outcome *should = &kit->should;
    uintmax_t number = kit->position;

    if (kit->arena.failed) {
        kit_say(&kit->problem, "there is no memory");
    }
    if (is->verdict != should->verdict) {
        kit_say(&kit->problem, "event %ju: %s%s%s, expected is %s", number,
                kit_verdict_name(is->verdict),
                kit->reason[0] == '\0' ? "" : ", ", kit->reason,
                kit_verdict_name(should->verdict));
    }
    if (is->is_ignored && !should->is_ignored &&
        (should->events.first != NULL || should->deadlines.first != NULL ||
         should->ends)) {
        kit_say(&kit->problem, "event %ju is ignored", number);
    }
    if (should->is_ignored && !is->is_ignored) {
        kit_say(&kit->problem, "event %ju is not ignored", number);
    }
    compare_facts(kit, is->events.first, should->events.first);
    compare_facts(kit, is->deadlines.first, should->deadlines.first);
    if (is->ends != should->ends) {
        kit_say(&kit->problem, "with event %ju the instance %s", number,
                is->ends ? "ends" : "does not end");
    }
    kit->is = (struct outcome){.verdict = ACTA_VERDICT_OK};
    kit->should = kit->is;
    kit->reason[0] = '\0';
}

/* ---- handling ---- */

static enum acta_code
fold_own(struct acta_kit_process *kit, void *state, struct acta_err *err)
{
    static const struct acta_id no_id;
    const struct acta_decider *states = kit->process->states;
    enum acta_code code = ACTA_OK;
    uint64_t version = 0;

    for (const struct fact *fact = kit->own.first;
         code == ACTA_OK && fact != NULL; fact = fact->next) {
        struct acta_event event = {
            .position = kit->position,
            .version = version + 1,
            .time_us = TIME_US,
            .stream = fact->where,
            .type = fact->type,
            .id = &no_id,
            .data = fact->data,
            .data_size = fact->data_size,
            .metadata = "",
            .format = fact->format,
        };

        if (strcmp(fact->where, kit->reaction.stream) == 0) {
            version++;
            code = fold_event(&states->fold, state, kit->upcast,
                              states->ruling.upcasters, &event, NULL, err);
        }
    }
    return code;
}

/* What would be stored must be valid. */
static enum acta_code
check_append(struct acta_kit_process *kit, struct acta_err *err)
{
    if (!reaction_has_effects(&kit->reaction)) {
        return ACTA_OK;
    }
    acta_append_clear(kit->append);
    reaction_write(&kit->reaction, kit->append, 0);
    return acta_append_check(kit->append, err);
}

static enum acta_code
ask(struct acta_kit_process *kit, enum acta_verdict *verdict,
    struct acta_err *err)
{
    const struct state_kind *kind = &kit->process->states->ruling.state;
    void *state = state_new(kind);
    enum acta_code code = state == NULL ? acta_fail(err, ACTA_MEMORY, "state")
                                        : fold_own(kit, state, err);

    if (code == ACTA_OK) {
        code = reaction_ask(&kit->reaction, state, verdict, err);
    }
    state_free(kind, state);
    return code == ACTA_OK ? check_append(kit, err) : code;
}

/* Deadlines that are pending are known by the server's names. */
static void
keep_deadline(struct acta_kit_process *kit, const struct deadline *deadline)
{
    struct fact **link = facts_find(&kit->future, deadline->schedule);
    struct fact said = {.kind = FACT_CANCEL, .where = deadline->name};

    if (*link != NULL) {
        *link = (*link)->next;
    }
    if (deadline->what != NULL) {
        facts_add(&kit->arena, &kit->future,
                  fact_of_draft(FACT_DEADLINE, deadline->schedule,
                                &deadline->what->draft));
        said = fact_of_draft(FACT_DEADLINE, deadline->name,
                             &deadline->what->draft);
        said.due_us = deadline->due_us - TIME_US;
    }
    facts_add(&kit->arena, &kit->is.deadlines, said);
}

/* What followed is so from now on. */
static void
keep(struct acta_kit_process *kit)
{
    const struct acta_reaction *reaction = &kit->reaction;
    const struct decided *started =
        reaction->starts ? reaction->decision.first : NULL;
    const struct decided *ended =
        reaction->ends ? reaction->decision.last : NULL;

    for (const struct decided *decided = reaction->decision.first;
         decided != NULL; decided = decided->next) {
        bool is_own = decided->stream == NULL;
        const char *stream = is_own ? reaction->stream : decided->stream;
        struct fact fact = fact_of_draft(FACT_EVENT, stream, &decided->draft);

        if (is_own) {
            facts_add(&kit->arena, &kit->own, fact);
        }
        if (decided != started && decided != ended) {
            fact.where = is_own ? "" : stream;
            facts_add(&kit->arena, &kit->is.events, fact);
        }
    }
    for (const struct deadline *deadline = reaction->deadlines;
         deadline != NULL; deadline = deadline->next) {
        keep_deadline(kit, deadline);
    }
    kit->is.ends = reaction->ends;
    kit->is.is_ignored = reaction->is_ignored;
}

/* From @event, as it is stored, to what follows. */
static enum acta_code
react(struct acta_kit_process *kit, const struct acta_event *event,
      struct acta_context *context, struct acta_err *err)
{
    const struct acta_event *newest;
    enum acta_code code =
        acta_upcast_event(kit->upcast, kit->process->states->ruling.upcasters,
                          event, &newest, err);

    if (code == ACTA_OK) {
        code = reaction_begin(&kit->reaction, context, newest, err);
    }
    if (code == ACTA_OK && kit->reaction.route == NULL) {
        kit->is.is_ignored = true;
        return ACTA_OK;
    }
    return code == ACTA_OK ? ask(kit, &kit->is.verdict, err) : code;
}

static void
handle(struct acta_kit_process *kit, const char *stream,
       const struct acta_draft *draft)
{
    struct acta_id id = {{0}};
    struct acta_event event = {
        .position = ++kit->position,
        .version = kit->position,
        .time_us = TIME_US,
        .stream = stream,
        .type = draft->type,
        .id = draft->id == NULL ? &id : draft->id,
        .correlation_id = draft->correlation_id,
        .causation_id = draft->causation_id,
        .tags = draft->tags,
        .tags_count = draft->tags_count,
        .metadata =
            arena_copy(&kit->arena, draft->metadata, draft->metadata_size),
        .metadata_size = draft->metadata_size,
        .data = arena_copy(&kit->arena, draft->data, draft->data_size),
        .data_size = draft->data_size,
        .format = draft->format,
    };
    struct acta_context context = {.event = &event, .attempt = 1};
    struct acta_err err;
    enum acta_code code;

    memcpy(id.bytes, &kit->position, sizeof(kit->position));
    code = kit->arena.failed ? acta_fail(&err, ACTA_MEMORY, "story")
                             : react(kit, &event, &context, &err);
    if (code == ACTA_MEMORY) {
        kit_say(&kit->problem, "there is no memory");
    } else if (code != ACTA_OK) {
        kit->is.verdict =
            acta_context_fail(&context, ACTA_VERDICT_PARK, "%s", err.text);
    } else if (!kit->is.is_ignored) {
        keep(kit);
    }
    memcpy(kit->reason, context.text, sizeof(kit->reason));
}

/* ---- given ---- */

void
acta_kit_process_given(struct acta_kit_process *kit, const char *stream,
                       const char *type, const char *json)
{
    struct acta_draft draft = draft_of_json(type, json);

    if (kit == NULL) {
        return;
    }
    compare(kit);
    if (kit_is_wrong(&kit->problem)) {
        return;
    }
    handle(kit, stream, &draft);
    if (kit->is.verdict != ACTA_VERDICT_OK &&
        kit->is.verdict != ACTA_VERDICT_SKIP) {
        kit_say(&kit->problem, "event %ju, which is given: %s, %s",
                (uintmax_t)kit->position, kit_verdict_name(kit->is.verdict),
                kit->reason);
    }
    kit->is = (struct outcome){.verdict = ACTA_VERDICT_OK};
    kit->reason[0] = '\0';
}

void
acta_kit_process_given_own(struct acta_kit_process *kit, const char *key,
                           const char *type, const char *json)
{
    char stream[2 * ACTA_STREAM_SIZE_MAX];

    if (kit == NULL) {
        return;
    }
    compare(kit);
    snprintf(stream, sizeof(stream), "%s-%s", kit->process->name, key);
    if (*facts_find(&kit->own, stream) == NULL) {
        facts_add(&kit->arena, &kit->own,
                  fact_of_json(FACT_EVENT, stream, PROCESS_STARTED, NULL));
    }
    facts_add(&kit->arena, &kit->own,
              fact_of_json(FACT_EVENT, stream, type, json));
}

/* ---- when ---- */

void
acta_kit_process_when_event(struct acta_kit_process *kit, const char *stream,
                            const struct acta_draft *draft)
{
    if (kit == NULL) {
        return;
    }
    compare(kit);
    if (!kit_is_wrong(&kit->problem)) {
        handle(kit, stream, draft);
    }
}

void
acta_kit_process_when(struct acta_kit_process *kit, const char *stream,
                      const char *type, const char *json)
{
    struct acta_draft draft = draft_of_json(type, json);

    acta_kit_process_when_event(kit, stream, &draft);
}

void
acta_kit_process_when_deadline(struct acta_kit_process *kit, const char *key,
                               const char *name)
{
    char stream[2 * ACTA_STREAM_SIZE_MAX];
    char schedule[3 * ACTA_STREAM_SIZE_MAX];
    struct acta_draft draft;
    struct fact **link, *due;

    if (kit == NULL) {
        return;
    }
    compare(kit);
    snprintf(stream, sizeof(stream), "%s-%s", kit->process->name, key);
    snprintf(schedule, sizeof(schedule), "%s/%s", stream, name);
    link = facts_find(&kit->future, schedule);
    due = *link;
    if (due == NULL) {
        kit_say(&kit->problem, "there is no deadline %s of %s", name, stream);
        return;
    }
    *link = due->next;
    facts_add(&kit->arena, &kit->own,
              (struct fact){
                  .kind = FACT_EVENT,
                  .where = stream,
                  .type = due->type,
                  .data = due->data,
                  .data_size = due->data_size,
                  .format = due->format,
              });
    draft = acta_draft_of(due->type, due->data, due->data_size);
    draft.format = due->format;
    acta_kit_process_when_event(kit, stream, &draft);
}

/* ---- then ---- */

void
acta_kit_process_sends(struct acta_kit_process *kit, const char *stream,
                       const char *type, const char *json)
{
    if (kit != NULL) {
        facts_add(&kit->arena, &kit->should.events,
                  fact_of_json(FACT_EVENT, stream, type, json));
    }
}

void
acta_kit_process_own(struct acta_kit_process *kit, const char *type,
                     const char *json)
{
    acta_kit_process_sends(kit, "", type, json);
}

void
acta_kit_process_deadline(struct acta_kit_process *kit, const char *name,
                          uint64_t delay_ms, const char *type, const char *json)
{
    struct fact fact = fact_of_json(FACT_DEADLINE, name, type, json);

    fact.due_us = delay_ms * 1000;
    if (kit != NULL) {
        facts_add(&kit->arena, &kit->should.deadlines, fact);
    }
}

void
acta_kit_process_cancels(struct acta_kit_process *kit, const char *name)
{
    struct fact fact = {.kind = FACT_CANCEL, .where = name};

    if (kit != NULL) {
        facts_add(&kit->arena, &kit->should.deadlines, fact);
    }
}

void
acta_kit_process_ends(struct acta_kit_process *kit)
{
    if (kit != NULL) {
        kit->should.ends = true;
    }
}

void
acta_kit_process_ignores(struct acta_kit_process *kit)
{
    if (kit != NULL) {
        kit->should.is_ignored = true;
    }
}

void
acta_kit_process_then(struct acta_kit_process *kit, enum acta_verdict verdict)
{
    if (kit != NULL) {
        kit->should.verdict = verdict;
    }
}

/* ---- the end of a story ---- */

const char *
acta_kit_process_end(struct acta_kit_process *kit)
{
    if (kit == NULL) {
        return "there is no memory";
    }
    compare(kit);
    kit->position = 0;
    kit->own.first = NULL;
    kit->future.first = NULL;
    arena_clear(&kit->arena);
    return kit_tell(&kit->problem);
}

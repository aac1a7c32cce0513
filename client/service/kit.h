/* A story that is told to a kit: what was given, what was done, what was
 * expected of it; and the comparison of what came of it.
 *
 * What is tested is run when something is done, by the kit's own function.
 */

#ifndef ACTA_SERVICE_KIT_H
#define ACTA_SERVICE_KIT_H

#include <acta/acta_kit.h>
#include <acta/acta_projection.h>

#include "decider_inside.h"
#include "decision.h"

/* What is not as it should be: what was said first. */
struct kit_problem {
    char text[4096]; /* "": nothing yet. */
    char told[4096]; /* That of the story before. */
};

/* Say what is not as it should be, if nothing was said before. */
void kit_say(struct kit_problem *problem, const char *format, ...)
    ACTA_PRINTF(2, 3);

static inline bool
kit_is_wrong(const struct kit_problem *problem)
{
    return problem->text[0] != '\0';
}

/* The story ends. Returns what was said, or "": a copy, valid until the next
 * one ends.
 */
const char *kit_tell(struct kit_problem *problem);

/* An event that was given, or is expected. */
struct kit_event {
    struct kit_event *next;
    const char *stream; /* NULL: of no matter. */
    struct acta_draft draft;
    const char **tags;     /* Those of the draft, room for ACTA_TAGS_MAX. */
    bool is_of_any_format; /* JSON or nothing. */
};

struct kit_events {
    struct kit_event *first, *last;
};

struct acta_kit {
    const struct acta_decider *decider; /* One of these, */
    const struct acta_model *model;     /* the other is NULL. */
    struct acta_upcast *upcast;         /* owned */
    struct acta_scope scope;            /* Of a model. */

    /* The story. */
    struct arena arena; /* owned: what follows. */
    struct kit_events given;
    struct kit_events expected;
    struct kit_event *named; /* The last one, of either. */
    bool expects_refusal;
    bool expects_nothing;
    const char *code;  /* Of the refusal that is expected. */
    const char *field; /* NULL: of no matter. */
    const char *own;   /* The instance's stream. */
    bool was_done;     /* There was a command. */
    struct context context;
    struct acta_decision decision; /* What came of it. */

    struct kit_problem problem;
};

/* Two texts of JSON are the same, but for white space. */
bool kit_same_json(const char *a, size_t a_size, const char *b, size_t b_size);

/* "PARK" */
const char *kit_verdict_name(enum acta_verdict verdict);

/* Compare what came of it with what was expected. */
void kit_compare(struct acta_kit *kit);

/* Two decisions about the same are the same. @what is the second. */
void kit_compare_decisions(struct acta_kit *kit,
                           const struct acta_decision *first,
                           const struct acta_decision *second,
                           const char *what);

#endif

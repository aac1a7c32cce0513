/* What came of a command against what was expected, event by event. */

#include <stdio.h>

#include "kit.h"

/* Bytes of data that are shown. */
#define SHOWN 200

/* ---- comparing ---- */

/* Where the next character of JSON is that counts: white space does not, but in
 * texts. @in_text is changed by quotes that are passed.
 */
static const char *
next_of(const char *at, const char *end, bool in_text)
{
    while (at < end && !in_text &&
           (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')) {
        at++;
    }
    return at;
}

bool
kit_same_json(const char *a, size_t a_size, const char *b, size_t b_size)
{
    const char *a_end = a + a_size;
    const char *b_end = b + b_size;
    bool in_text = false;

    for (;;) {
        bool is_escape;

        a = next_of(a, a_end, in_text);
        b = next_of(b, b_end, in_text);
        if (a == a_end || b == b_end || *a != *b) {
            return a == a_end && b == b_end;
        }
        is_escape = in_text && *a == '\\' && a + 1 < a_end && b + 1 < b_end;
        if (is_escape && a[1] != b[1]) {
            return false;
        }
        in_text ^= *a == '"';
        a += is_escape ? 2 : 1;
        b += is_escape ? 2 : 1;
    }
}

static bool
same_data(const struct acta_draft *a, const struct acta_draft *b)
{
    if (a->format == ACTA_FORMAT_JSON && b->format == ACTA_FORMAT_JSON) {
        return kit_same_json(a->data, a->data_size, b->data, b->data_size);
    }
    return a->data_size == b->data_size &&
           (a->data_size == 0 || memcmp(a->data, b->data, a->data_size) == 0);
}

static bool
has_tag(const struct acta_draft *draft, const char *tag)
{
    for (size_t i = 0; i < draft->tags_count; i++) {
        if (strcmp(draft->tags[i], tag) == 0) {
            return true;
        }
    }
    return false;
}

static bool
same_tags(const struct acta_draft *a, const struct acta_draft *b)
{
    bool same = a->tags_count == b->tags_count;

    for (size_t i = 0; same && i < a->tags_count; i++) {
        same = has_tag(b, a->tags[i]);
    }
    return same;
}

/* In any order of their tags. What is not expected in particular is as it may
 * be.
 */
static bool
is_as_expected(const struct acta_kit *kit, const struct kit_event *expected,
               const struct decided *decided)
{
    const struct acta_draft *want = &expected->draft;
    const struct acta_draft *is = &decided->draft;
    const char *stream = decided->stream == NULL ? kit->own : decided->stream;

    return strcmp(want->type, is->type) == 0 && same_data(want, is) &&
           (expected->is_of_any_format || want->format == is->format) &&
           (want->tags_count == 0 || same_tags(want, is)) &&
           (expected->stream == NULL ||
            strcmp(expected->stream, stream) == 0) &&
           (want->metadata == NULL ||
            (is->metadata_size == want->metadata_size &&
             memcmp(is->metadata, want->metadata, want->metadata_size) == 0));
}

/* ---- telling ---- */

struct shown {
    char text[1024];
};

static struct shown
show(const char *stream, const struct acta_draft *draft)
{
    struct shown shown;
    size_t size = draft->data_size < SHOWN ? draft->data_size : SHOWN;
    bool is_text = draft->format == ACTA_FORMAT_JSON;
    size_t end = 0;

    end += (size_t)snprintf(shown.text, sizeof(shown.text), "%s", draft->type);
    if (end < sizeof(shown.text) && is_text) {
        end += (size_t)snprintf(shown.text + end, sizeof(shown.text) - end,
                                " %.*s", (int)size, (const char *)draft->data);
    } else if (end < sizeof(shown.text) && draft->data_size > 0) {
        end += (size_t)snprintf(shown.text + end, sizeof(shown.text) - end,
                                " (%zu bytes)", draft->data_size);
    }
    for (size_t i = 0; end < sizeof(shown.text) && i < draft->tags_count; i++) {
        end += (size_t)snprintf(shown.text + end, sizeof(shown.text) - end,
                                " #%s", draft->tags[i]);
    }
    if (end < sizeof(shown.text) && stream != NULL) {
        snprintf(shown.text + end, sizeof(shown.text) - end, " in %s", stream);
    }
    return shown;
}

static void
compare_events(struct acta_kit *kit)
{
    const struct kit_event *expected = kit->expected.first;
    const struct decided *decided = kit->decision.first;
    size_t number = 1;

    while (expected != NULL && decided != NULL &&
           is_as_expected(kit, expected, decided)) {
        expected = expected->next;
        decided = decided->next;
        number++;
    }
    if (expected != NULL && decided != NULL) {
        kit_say(&kit->problem, "event %zu is\n    %s\nand not\n    %s", number,
                show(decided->stream, &decided->draft).text,
                show(expected->stream, &expected->draft).text);
    } else if (expected != NULL) {
        kit_say(&kit->problem, "there is no event %zu:\n    %s", number,
                show(expected->stream, &expected->draft).text);
    } else if (decided != NULL) {
        kit_say(&kit->problem, "there is one more event:\n    %s",
                show(decided->stream, &decided->draft).text);
    }
}

static void
compare_refusal(struct acta_kit *kit)
{
    const struct acta_refusal *refusal = &kit->decision.refusal;

    if (!kit->decision.is_refused) {
        kit_say(&kit->problem, "it is accepted, and not refused: %s",
                kit->code);
    } else if (strcmp(refusal->code, kit->code) != 0) {
        kit_say(&kit->problem, "it is refused: %s (%s)\nand not: %s",
                refusal->code, refusal->text, kit->code);
    } else if (kit->field != NULL && strcmp(refusal->field, kit->field) != 0) {
        kit_say(&kit->problem, "to blame is \"%s\" and not \"%s\"",
                refusal->field, kit->field);
    }
}

void
kit_compare(struct acta_kit *kit)
{
    const struct acta_refusal *refusal = &kit->decision.refusal;
    bool expects = kit->expects_refusal || kit->expects_nothing ||
                   kit->expected.first != NULL;

    if (!expects) {
        kit_say(&kit->problem,
                "nothing is expected, not even that nothing happens");
    } else if (kit->expects_refusal) {
        compare_refusal(kit);
    } else if (kit->decision.is_refused) {
        kit_say(&kit->problem, "it is refused: %s (%s)", refusal->code,
                refusal->text);
    } else {
        compare_events(kit);
    }
}

void
kit_compare_decisions(struct acta_kit *kit, const struct acta_decision *first,
                      const struct acta_decision *second, const char *what)
{
    const struct decided *a = first->first;
    const struct decided *b = second->first;

    if (first->is_refused || second->is_refused) {
        if (first->is_refused != second->is_refused ||
            strcmp(first->refusal.code, second->refusal.code) != 0) {
            kit_say(&kit->problem, "%s, it is %s%s", what,
                    second->is_refused ? "refused: " : "not refused",
                    second->is_refused ? second->refusal.code : "");
        }
        return;
    }
    for (; a != NULL && b != NULL; a = a->next, b = b->next) {
        if (strcmp(a->draft.type, b->draft.type) != 0 ||
            !same_data(&a->draft, &b->draft)) {
            break;
        }
    }
    if (a != NULL || b != NULL) {
        kit_say(&kit->problem, "%s, an event is\n    %s\nand not\n    %s", what,
                b == NULL ? "none" : show(b->stream, &b->draft).text,
                a == NULL ? "none" : show(a->stream, &a->draft).text);
    }
}

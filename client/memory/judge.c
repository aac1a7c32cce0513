/* What an append expects. Everything is judged as it was before the append, and
 * all that fails is named.
 */

#include "verdict.h"

bool
memory_expects(const struct memory_stream *stream, int64_t expected)
{
    uint64_t version = stream == NULL ? 0 : stream->version;
    bool is_empty = version == 0 || stream->is_deleted || stream->is_tombstoned;

    switch (expected) {
    case MSG_EXPECT_ANY:
        return true;
    case MSG_EXPECT_EXISTS:
        return !is_empty;
    default:
        /* A stream that was deleted is empty, and has its version all the same:
         * either may be expected.
         */
        return (uint64_t)expected == version || (expected == 0 && is_empty);
    }
}

/* Judge a write or a check. */
static void
judge_stream(struct acta_memory *memory, enum msg_failure_kind kind,
             size_t index, struct slice name, int64_t expected,
             struct verdict *verdict)
{
    const struct memory_stream *stream = memory_find_stream(memory, name);
    struct msg_failure failure = {
        .kind = kind,
        .index = index,
        .expected = expected,
        .actual = stream == NULL ? 0 : stream->version,
    };

    if (kind == MSG_FAILED_WRITE && stream != NULL && stream->is_tombstoned) {
        verdict_fail(verdict, ACTA_TOMBSTONED, &failure,
                     "stream %.*s was tombstoned", (int)name.size,
                     (const char *)name.data);
    } else if (!memory_expects(stream, expected)) {
        verdict_fail(verdict, ACTA_CONFLICT, &failure,
                     "stream %.*s: expected version %jd, found %ju",
                     (int)name.size, (const char *)name.data,
                     (intmax_t)expected, (uintmax_t)failure.actual);
    }
}

static void
judge_conditions(const struct acta_memory *memory,
                 const struct msg_append *append, struct verdict *verdict)
{
    for (size_t c = 0; c < append->more.conditions_count; c++) {
        const struct msg_condition *condition = &append->more.conditions[c];
        uint64_t after = condition->after;
        uint64_t match = memory_next(memory, &condition->query, after);

        if (match != 0) {
            verdict_fail(
                verdict, ACTA_CONFLICT,
                &(struct msg_failure){
                    .kind = MSG_FAILED_CONDITION,
                    .index = c,
                    .expected = after < INT64_MAX ? (int64_t)after : INT64_MAX,
                    .actual = match,
                },
                "condition %zu: the event at position %ju matches", c,
                (uintmax_t)match);
        }
    }
}

void
memory_judge(struct acta_memory *memory, const struct msg_append *append,
             struct verdict *verdict)
{
    for (size_t w = 0; w < append->writes_count; w++) {
        judge_stream(memory, MSG_FAILED_WRITE, w, append->writes[w].stream,
                     append->writes[w].expected, verdict);
    }
    for (size_t c = 0; c < append->more.checks_count; c++) {
        judge_stream(memory, MSG_FAILED_CHECK, c, append->more.checks[c].stream,
                     append->more.checks[c].expected, verdict);
    }
    memory_judge_effects(memory, append, verdict);
    judge_conditions(memory, append, verdict);
}

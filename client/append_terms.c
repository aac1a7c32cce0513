/* The terms on which an append is made, besides the versions of the streams
 * that it writes. They are kept as the wire's encoder takes them.
 */

#include <stdlib.h>

#include "append.h"
#include "limit.h"
#include "query_build.h"

/* What a check and a condition add to a frame besides names and texts. */
#define CHECK_HEAD_SIZE     8
#define CONDITION_HEAD_SIZE 16

void
terms_clear(struct append_terms *terms)
{
    for (size_t i = 0; i < terms->checks_count; i++) {
        free((void *)(uintptr_t)terms->checks[i].stream.data);
    }
    for (size_t i = 0; i < terms->conditions_count; i++) {
        query_fini(&terms->conditions[i].query);
    }
    terms->checks_count = 0;
    terms->conditions_count = 0;
    terms->has_command_id = false;
    terms->unseen = (struct msg_bounds){0};
    terms->size = 0;
}

static bool
is_right_so_far(const struct acta_append *append)
{
    return append != NULL && append->err.code == ACTA_OK;
}

static enum acta_code
add_check(struct append_terms *terms, struct slice stream, int64_t expected,
          struct acta_err *err)
{
    enum acta_code code = expected_check(stream, expected, err);
    uint8_t *name;

    if (code != ACTA_OK) {
        return code;
    }
    name = malloc(stream.size);
    if (name == NULL ||
        !append_grow((void **)&terms->checks, terms->checks_count,
                     &terms->checks_capacity, sizeof(*terms->checks))) {
        free(name);
        return acta_fail(err, ACTA_MEMORY, "append");
    }
    memcpy(name, stream.data, stream.size);
    terms->checks[terms->checks_count++] = (struct msg_check){
        .stream = slice_make(name, stream.size),
        .expected = expected,
    };
    terms->size += CHECK_HEAD_SIZE + stream.size;
    return ACTA_OK;
}

void
acta_append_check_stream(struct acta_append *append, const char *stream,
                         int64_t expected)
{
    struct append_terms *terms;

    if (!is_right_so_far(append)) {
        return;
    }
    terms = &append->terms;
    if (terms->checks_count == ACTA_APPEND_CHECKS_MAX) {
        acta_fail(&append->err, ACTA_TOO_LARGE, "append has over %d checks",
                  ACTA_APPEND_CHECKS_MAX);
        return;
    }
    if (add_check(terms, slice_of(stream == NULL ? "" : stream), expected,
                  &append->err) != ACTA_OK) {
        acta_wrap(&append->err, append->err.code, "check %zu",
                  terms->checks_count);
    }
}

static enum acta_code
add_condition(struct append_terms *terms, const struct acta_query *query,
              uint64_t after, struct acta_err *err)
{
    struct msg_condition *condition;
    enum acta_code code;

    if (!append_grow((void **)&terms->conditions, terms->conditions_count,
                     &terms->conditions_capacity, sizeof(*terms->conditions))) {
        return acta_fail(err, ACTA_MEMORY, "append");
    }
    condition = &terms->conditions[terms->conditions_count];
    code = query_build(query, &condition->query, err);
    if (code != ACTA_OK) {
        return code;
    }
    condition->after = after;
    terms->conditions_count++;
    terms->size += CONDITION_HEAD_SIZE + query_wire_size(query);
    return ACTA_OK;
}

void
acta_append_condition(struct acta_append *append,
                      const struct acta_query *query, uint64_t after)
{
    struct append_terms *terms;

    if (!is_right_so_far(append)) {
        return;
    }
    terms = &append->terms;
    if (terms->conditions_count == ACTA_APPEND_CONDITIONS_MAX) {
        acta_fail(&append->err, ACTA_TOO_LARGE, "append has over %d conditions",
                  ACTA_APPEND_CONDITIONS_MAX);
        return;
    }
    if (add_condition(terms, query, after, &append->err) != ACTA_OK) {
        acta_wrap(&append->err, append->err.code, "condition %zu",
                  terms->conditions_count);
    }
}

void
acta_append_command_id(struct acta_append *append, const struct acta_id *id)
{
    if (is_right_so_far(append)) {
        append->terms.command_id = *id;
        append->terms.has_command_id = true;
    }
}

void
acta_append_unseen(struct acta_append *append, size_t events_max,
                   size_t bytes_max)
{
    if (is_right_so_far(append)) {
        append->terms.unseen = (struct msg_bounds){events_max, bytes_max};
    }
}

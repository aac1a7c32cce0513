#include "msg_more.h"

#include "limit.h"
#include "msg_body.h"

/* Those that are not effects. */
#define OWN_FIELDS (MSG_MORE_FIELDS - MSG_EFFECTS_FIELDS)

#define CHECK_FIELDS     2
#define CONDITION_FIELDS 2
#define UNSEEN_FIELDS    2

size_t
msg_more_fields(const struct msg_append_more *more)
{
    size_t effects = msg_effects_fields(more);

    if (effects > 0) {
        return OWN_FIELDS + effects;
    }
    if (more->unseen.events_max > 0) {
        return 4;
    }
    if (more->command_id != NULL) {
        return 3;
    }
    if (more->conditions_count > 0) {
        return 2;
    }
    return more->checks_count > 0 ? 1 : 0;
}

static void
encode_checks(struct buf *buf, const struct msg_append_more *more)
{
    if (more->checks_count == 0) {
        pack_nil(buf);
        return;
    }
    pack_array(buf, more->checks_count);
    for (size_t i = 0; i < more->checks_count; i++) {
        pack_array(buf, CHECK_FIELDS);
        pack_str(buf, more->checks[i].stream);
        pack_int(buf, more->checks[i].expected);
    }
}

static void
encode_conditions(struct buf *buf, const struct msg_append_more *more)
{
    if (more->conditions_count == 0) {
        pack_nil(buf);
        return;
    }
    pack_array(buf, more->conditions_count);
    for (size_t i = 0; i < more->conditions_count; i++) {
        pack_array(buf, CONDITION_FIELDS);
        query_encode(buf, &more->conditions[i].query);
        pack_uint(buf, more->conditions[i].after);
    }
}

void
msg_more_encode(struct buf *buf, const struct msg_append_more *more)
{
    size_t fields = msg_more_fields(more);

    if (fields >= 1) {
        encode_checks(buf, more);
    }
    if (fields >= 2) {
        encode_conditions(buf, more);
    }
    if (fields >= 3 && more->command_id == NULL) {
        pack_nil(buf);
    } else if (fields >= 3) {
        pack_bin(buf, slice_make(more->command_id, UUID_SIZE));
    }
    if (fields >= 4 && more->unseen.events_max == 0) {
        pack_nil(buf);
    } else if (fields >= 4) {
        pack_array(buf, UNSEEN_FIELDS);
        msg_encode_bounds(buf, &more->unseen);
    }
    if (fields > OWN_FIELDS) {
        msg_effects_encode(buf, fields - OWN_FIELDS, more);
    }
}

static size_t
count_list(struct pack_reader *reader, size_t max, const char *what)
{
    size_t count;

    if (pack_skip_nil(reader)) {
        return 0;
    }
    count = pack_get_array_of(reader, 0, max, what);
    return reader->failed ? 0 : count;
}

void
msg_more_count(struct pack_reader *reader, size_t fields,
               struct msg_more_counts *counts)
{
    *counts = (struct msg_more_counts){0};
    if (fields >= 1) {
        counts->checks = count_list(reader, ACTA_APPEND_CHECKS_MAX, "checks");
        msg_take_elements(reader, counts->checks);
    }
    if (fields >= 2) {
        counts->conditions =
            count_list(reader, ACTA_APPEND_CONDITIONS_MAX, "conditions");
        msg_take_elements(reader, counts->conditions);
    }
    if (fields > OWN_FIELDS) {
        msg_take_elements(reader, 2); /* command id, unseen */
        msg_effects_count(reader, fields - OWN_FIELDS, &counts->effects);
    }
}

size_t
msg_more_size(const struct msg_more_counts *counts)
{
    return counts->checks * sizeof(struct msg_check) +
           counts->conditions * sizeof(struct msg_condition) +
           msg_effects_size(&counts->effects);
}

/* Put where it is in front of what is wrong. */
static void
say_where(struct pack_reader *reader, const char *what, size_t index)
{
    if (reader->failed && reader->err != NULL) {
        acta_wrap(reader->err, reader->err->code, "%s %zu", what, index);
    }
}

static void
decode_check(struct pack_reader *reader, struct msg_check *check)
{
    pack_get_array_of(reader, CHECK_FIELDS, CHECK_FIELDS, "check");
    check->stream = pack_get_str(reader, "stream");
    check->expected = pack_get_int(reader, "expected version");
    msg_check_stream(reader, check->stream);
    msg_check_expected(reader, check->expected);
}

static void
decode_condition(struct pack_reader *reader, struct msg_condition *condition)
{
    pack_get_array_of(reader, CONDITION_FIELDS, CONDITION_FIELDS, "condition");
    query_decode(reader, &condition->query);
    condition->after =
        pack_skip_nil(reader) ? 0 : pack_get_uint(reader, "after");
}

static void
decode_checks(struct pack_reader *reader, struct msg_append_more *more,
              struct msg_check *checks)
{
    size_t count = count_list(reader, ACTA_APPEND_CHECKS_MAX, "checks");

    more->checks = checks;
    for (size_t i = 0; i < count && !reader->failed; i++) {
        decode_check(reader, &checks[i]);
        say_where(reader, "check", i);
        more->checks_count++;
    }
}

static void
decode_conditions(struct pack_reader *reader, struct msg_append_more *more,
                  struct msg_condition *conditions)
{
    size_t count = count_list(reader, ACTA_APPEND_CONDITIONS_MAX, "conditions");
    size_t terms_count = 0;

    more->conditions = conditions;
    for (size_t i = 0; i < count && !reader->failed; i++) {
        decode_condition(reader, &conditions[i]);
        terms_count += query_terms_count(&conditions[i].query);
        if (!reader->failed && terms_count > ACTA_APPEND_TERMS_MAX) {
            pack_fail(reader, ACTA_TOO_LARGE,
                      "conditions name more than %d texts",
                      ACTA_APPEND_TERMS_MAX);
        }
        say_where(reader, "condition", i);
        more->conditions_count++;
    }
}

size_t
msg_more_decode(struct pack_reader *reader, size_t fields,
                const struct msg_more_counts *counts, void *memory,
                struct msg_append_more *more)
{
    struct msg_check *checks = memory;
    struct msg_condition *conditions = (void *)(checks + counts->checks);

    *more = (struct msg_append_more){0};
    if (fields >= 1) {
        decode_checks(reader, more, checks);
    }
    if (fields >= 2) {
        decode_conditions(reader, more, conditions);
    }
    if (fields >= 3) {
        more->command_id =
            pack_get_bytes_or_nil(reader, UUID_SIZE, "command id");
    }
    if (fields >= 4 && !pack_skip_nil(reader)) {
        pack_get_array_of(reader, UNSEEN_FIELDS, UNSEEN_FIELDS, "unseen");
        msg_decode_bounds(reader, &more->unseen);
    }
    if (reader->failed || fields <= OWN_FIELDS) {
        return 0;
    }
    return msg_effects_decode(reader, fields - OWN_FIELDS, &counts->effects,
                              conditions + counts->conditions, more);
}

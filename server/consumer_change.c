/* Changes of named consumers: their definitions and, but for plain moves of
 * checkpoints, which are effects of appends, where they are.
 */

#include "consumer.h"
#include "decider.h"
#include "group_pending.h"

#define PENDING_SIZE_MAX 64 /* Of a group that has none. */

/* One change on its way. */
struct consumer_change {
    struct decider *decider;
    struct job *job;
    const struct msg_change_consumer *wanted;
    bool found;
    struct consumer consumer; /* If it was found; else as it will be. */
    struct checkpoint_row at;
};

static enum acta_code
refuse(struct consumer_change *change, enum acta_code code, const char *text)
{
    return job_refuse(change->job, code, "consumer %.*s: %s",
                      (int)change->wanted->name.size,
                      (const char *)change->wanted->name.data, text);
}

/* ---- rows ---- */

static enum acta_code
find(struct decider *decider, struct slice name, struct consumer *consumer,
     struct checkpoint_row *at, bool *found, struct acta_err *err)
{
    struct slice value;
    enum acta_code code;

    code = heads_row(decider->heads, ROW_CONSUMER, name, &value, found, err);
    if (code != ACTA_OK || !*found) {
        return code;
    }
    code = consumer_decode(consumer, value, err);
    if (code == ACTA_OK) {
        code =
            heads_row(decider->heads, ROW_CHECKPOINT, name, &value, found, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    if (!*found) {
        return acta_fail(err, ACTA_CORRUPT, "consumer has no checkpoint");
    }
    return checkpoint_decode(at, value, err);
}

/* Keep what it is, and where: the end of every change that is made. */
static enum acta_code
keep_consumer(struct consumer_change *change, struct acta_err *err)
{
    change->job->outcome.consumer_changed.changed = true;
    consumer_encode(decider_value(change->decider), &change->consumer);
    return decider_set(change->decider, ROW_CONSUMER, change->wanted->name,
                       err);
}

static enum acta_code
keep_checkpoint(struct consumer_change *change, struct acta_err *err)
{
    change->job->outcome.consumer_changed.changed = true;
    checkpoint_encode(decider_value(change->decider), &change->at);
    return decider_set(change->decider, ROW_CHECKPOINT, change->wanted->name,
                       err);
}

static enum acta_code
keep_both(struct consumer_change *change, struct acta_err *err)
{
    enum acta_code code = keep_consumer(change, err);

    return code == ACTA_OK ? keep_checkpoint(change, err) : code;
}

/* ---- the changes ---- */

/* A position that there is not yet would let whatever comes to stand there be
 * passed over.
 */
static bool
may_be_at(struct consumer_change *change)
{
    const struct memtable *active =
        tail_active(&change->decider->heads->rooms->tail);
    uint64_t head =
        memtable_first_position(active) + memtable_count(active) - 1;

    if (change->wanted->position <= head) {
        return true;
    }
    job_refuse(change->job, ACTA_INVALID, "position %ju is after the head, %ju",
               (uintmax_t)change->wanted->position, (uintmax_t)head);
    return false;
}

static enum acta_code
make(struct consumer_change *change, enum msg_consumer_kind kind,
     struct slice query, struct acta_err *err)
{
    const struct msg_change_consumer *wanted = change->wanted;

    change->consumer = (struct consumer){
        .number = decider_number(change->decider),
        .kind = kind,
        .created_us = change->decider->heads->time_us,
        .settings = wanted->settings,
        .query = query,
    };
    change->at = (struct checkpoint_row){
        .epoch = change->consumer.number,
        .position = wanted->position,
    };
    return keep_both(change, err);
}

static enum acta_code
claim(struct consumer_change *change, struct slice query, struct acta_err *err)
{
    if (!change->found) {
        return may_be_at(change) ? make(change, MSG_CONSUMER_PLAIN, query, err)
                                 : ACTA_OK;
    }
    if (change->consumer.kind != MSG_CONSUMER_PLAIN) {
        refuse(change, ACTA_EXISTS, "it is a group, which is joined");
        return ACTA_OK;
    }
    change->consumer.query = query;
    change->at.epoch = decider_number(change->decider);
    return keep_both(change, err);
}

static bool
is_same_group(const struct consumer_change *change, struct slice query)
{
    const struct msg_group_settings *is = &change->consumer.settings;
    const struct msg_group_settings *wanted = &change->wanted->settings;

    return change->consumer.kind == MSG_CONSUMER_GROUP &&
           slice_equal(change->consumer.query, query) &&
           slice_equal(is->key_tag, wanted->key_tag) &&
           is->ack_timeout_us == wanted->ack_timeout_us &&
           is->deliveries_max == wanted->deliveries_max &&
           is->on_park == wanted->on_park;
}

static enum acta_code
create(struct consumer_change *change, struct slice query, struct acta_err *err)
{
    if (!change->found) {
        return may_be_at(change) ? make(change, MSG_CONSUMER_GROUP, query, err)
                                 : ACTA_OK;
    }
    if (!is_same_group(change, query)) {
        refuse(change, ACTA_EXISTS, "there is another one of this name");
    }
    return ACTA_OK;
}

static enum acta_code
alter(struct consumer_change *change, struct slice query, struct acta_err *err)
{
    const struct msg_change_consumer *wanted = change->wanted;
    struct msg_group_settings *settings = &change->consumer.settings;
    struct msg_group_settings old = *settings;
    bool is_same = true;

    if ((wanted->given & MSG_HAS_QUERY) != 0) {
        is_same = slice_equal(change->consumer.query, query);
        change->consumer.query = query;
    }
    if ((wanted->given & MSG_HAS_ACK_TIMEOUT) != 0) {
        settings->ack_timeout_us = wanted->settings.ack_timeout_us;
    }
    if ((wanted->given & MSG_HAS_DELIVERIES_MAX) != 0) {
        settings->deliveries_max = wanted->settings.deliveries_max;
    }
    if ((wanted->given & MSG_HAS_ON_PARK) != 0) {
        settings->on_park = wanted->settings.on_park;
    }
    if (is_same && settings->ack_timeout_us == old.ack_timeout_us &&
        settings->deliveries_max == old.deliveries_max &&
        settings->on_park == old.on_park) {
        return ACTA_OK;
    }
    return keep_consumer(change, err);
}

static enum acta_code
set_paused(struct consumer_change *change, bool is_paused, struct acta_err *err)
{
    if (change->consumer.is_paused == is_paused) {
        return ACTA_OK;
    }
    change->consumer.is_paused = is_paused;
    return keep_consumer(change, err);
}

/* A text that says how it goes, by whoever has claimed it. */
static enum acta_code
set_note(struct consumer_change *change, struct acta_err *err)
{
    const struct msg_change_consumer *wanted = change->wanted;

    if (wanted->epoch != change->at.epoch) {
        refuse(change, ACTA_FENCED, "another has taken over");
        return ACTA_OK;
    }
    if (slice_equal(change->consumer.note, wanted->note)) {
        return ACTA_OK;
    }
    change->consumer.note = wanted->note;
    change->consumer.note_us =
        wanted->note.size > 0 ? change->decider->heads->time_us : 0;
    return keep_consumer(change, err);
}

/* Up to where a group may have given out fences: they grow, also where the wall
 * clock does not. A row that is damaged says nothing, and is mended or removed
 * by this change.
 */
static uint64_t
fences_of(const struct consumer_change *change)
{
    struct group_pending_reader reader;
    struct acta_err ignored;
    uint64_t fences;

    return group_pending_open(&reader, &fences, change->at.pending,
                              change->at.position, &ignored) == ACTA_OK
               ? fences
               : 0;
}

static enum acta_code
reset(struct consumer_change *change, struct acta_err *err)
{
    struct group_pending_writer writer;
    enum acta_code code;
    struct buf pending;

    if (!may_be_at(change)) {
        return ACTA_OK;
    }
    buf_init(&pending, PENDING_SIZE_MAX);
    if (change->consumer.kind == MSG_CONSUMER_GROUP) {
        group_pending_begin(&writer, &pending, fences_of(change));
        group_pending_end(&writer);
    }
    change->at = (struct checkpoint_row){
        .epoch = decider_number(change->decider),
        .position = change->wanted->position,
        .moved_us = change->decider->heads->time_us,
        .pending = buf_slice(&pending),
    };
    code = buf_failed(&pending)
               ? acta_fail(err, ACTA_MEMORY, "no memory for a consumer")
               : keep_checkpoint(change, err);
    buf_fini(&pending);
    return code;
}

/* A group that is made anew under its name begins behind its time, or its
 * number. If the clock was set back since fences were given out, and the time
 * is not there again, the number has to be behind them.
 */
static void
keep_fences(const struct consumer_change *change)
{
    struct decider *decider = change->decider;
    uint64_t fences = fences_of(change);

    if (fences > decider->heads->time_us && fences > decider->number) {
        decider->number = fences;
    }
}

/* What a group has parked may be a lot, and is removed bit by bit. */
static enum acta_code
remove_consumer(struct consumer_change *change, struct acta_err *err)
{
    struct decider *decider = change->decider;
    uint8_t number[8];
    enum acta_code code;

    change->job->outcome.consumer_changed.changed = true;
    code = decider_remove(decider, ROW_CONSUMER, change->wanted->name, err);
    if (code == ACTA_OK) {
        code =
            decider_remove(decider, ROW_CHECKPOINT, change->wanted->name, err);
    }
    if (code != ACTA_OK || change->consumer.kind != MSG_CONSUMER_GROUP) {
        return code;
    }
    keep_fences(change);
    for (size_t i = 0; i < sizeof(number); i++) { /* As in parked_key(). */
        number[i] = (uint8_t)(change->consumer.number >> (56 - 8 * i));
    }
    buf_append(decider_value(decider), (uint8_t[]){1}, 1);
    return decider_set(decider, ROW_LEFT, slice_make(number, sizeof(number)),
                       err);
}

/* ---- all of them ---- */

static bool
may_change(struct consumer_change *change)
{
    enum msg_consumer_change kind = change->wanted->kind;
    bool makes = kind == MSG_CONSUMER_CLAIM || kind == MSG_CONSUMER_CREATE;
    bool is_for_groups = kind == MSG_CONSUMER_ALTER ||
                         kind == MSG_CONSUMER_PAUSE ||
                         kind == MSG_CONSUMER_RESUME;
    bool is_group;

    if (!change->found && kind == MSG_CONSUMER_DELETE) {
        return false; /* It is so already: it may have been sent again. */
    }
    if (!change->found && !makes) {
        refuse(change, ACTA_NOT_FOUND, "there is none of this name");
        return false;
    }
    is_group = change->found && change->consumer.kind == MSG_CONSUMER_GROUP;
    if (is_for_groups && !is_group) {
        refuse(change, ACTA_INVALID,
               "only groups can be altered, paused and resumed");
        return false;
    }
    if (kind == MSG_CONSUMER_NOTE && is_group) {
        refuse(change, ACTA_INVALID, "it is a group, which has no note");
        return false;
    }
    return true;
}

static enum acta_code
carry_out(struct consumer_change *change, struct slice query,
          struct acta_err *err)
{
    switch (change->wanted->kind) {
    case MSG_CONSUMER_CLAIM:
        return claim(change, query, err);
    case MSG_CONSUMER_CREATE:
        return create(change, query, err);
    case MSG_CONSUMER_ALTER:
        return alter(change, query, err);
    case MSG_CONSUMER_DELETE:
        return remove_consumer(change, err);
    case MSG_CONSUMER_PAUSE:
        return set_paused(change, true, err);
    case MSG_CONSUMER_RESUME:
        return set_paused(change, false, err);
    case MSG_CONSUMER_RESET:
        return reset(change, err);
    case MSG_CONSUMER_NOTE:
        return set_note(change, err);
    }
    return ACTA_OK;
}

enum acta_code
change_consumer(struct decider *decider, struct job *job, struct acta_err *err)
{
    struct consumer_change change = {
        .decider = decider, .job = job, .wanted = &job->consumer};
    struct acta_err why;
    enum acta_code code;
    struct buf query;

    code = find(decider, change.wanted->name, &change.consumer, &change.at,
                &change.found, &why);
    buf_init(&query, SIZE_MAX);
    query_encode(&query, &change.wanted->query);
    if (code == ACTA_OK && buf_failed(&query)) {
        code = acta_fail(&why, ACTA_MEMORY, "change consumer");
    }
    if (code != ACTA_OK) {
        job_refuse(job, code, "%s", why.text);
        code = ACTA_OK;
    } else if (may_change(&change)) {
        code = carry_out(&change, buf_slice(&query), err);
        job->outcome.consumer_changed.position = change.at.position;
        job->outcome.consumer_changed.epoch = change.at.epoch;
    }
    buf_fini(&query);
    return code;
}

/* ---- what a group saves of itself ---- */

/* Rows of a group that is no more, or is elsewhere by now, must not be set. */
static bool
is_current(struct decider *decider, struct job *job)
{
    const struct job_save *save = &job->save;
    struct checkpoint_row at;
    struct consumer consumer;
    struct acta_err why;
    enum acta_code code;
    bool found;

    if (save->name.size == 0) { /* They only remove what it has left. */
        return true;
    }
    code = find(decider, save->name, &consumer, &at, &found, &why);
    if (code != ACTA_OK) {
        job_refuse(job, code, "%s", why.text);
        return false;
    }
    if (!found || consumer.number != save->number || at.epoch != save->epoch) {
        job_refuse(job, ACTA_FENCED, "the group was changed");
        return false;
    }
    return true;
}

enum acta_code
save_group(struct decider *decider, struct job *job, struct acta_err *err)
{
    enum acta_code code;
    struct slice rows;
    struct row row;

    if (!is_current(decider, job)) {
        return ACTA_OK;
    }
    code = rows_open(&rows, buf_slice(&job->save.rows), err);
    while (code == ACTA_OK && rows_next(&rows, &row)) {
        code = decider_set_row(decider, &row, err);
    }
    return code;
}

/* list-consumers, describe-consumer, list-parked: what rows say, and what the
 * groups in memory know better.
 */

#include "groups_inside.h"

#include <stdlib.h>

#include "arena.h"
#include "clock.h"
#include "group_pending.h"
#include "msg.h"
#include "msg_consumer.h"
#include "named.h"
#include "outer.h"

/* Time that one list may take, before its page is cut short. */
#define LIST_US 10000

/* Calls of reader_count() for one consumer: in a list, and by itself. */
#define LISTED_COUNTS    4
#define DESCRIBED_COUNTS 16

/* ---- lag ---- */

/* Count the events behind @after that @query wants. */
static enum acta_code
count_behind(struct groups *groups, const struct query *query, uint64_t after,
             unsigned calls, struct msg_consumer *consumer,
             struct acta_err *err)
{
    struct msg_lag *lag = &consumer->lag;
    struct count_result result = {.next = after};

    while (!result.complete && calls > 0) {
        enum acta_code code =
            reader_count(groups->reader, query, result.next, &result, err);

        if (code != ACTA_OK) {
            return code;
        }
        lag->matching += result.count;
        if (lag->time_us == 0 && result.count > 0 &&
            result.first_time_us < groups->wall_us) {
            lag->time_us = groups->wall_us - result.first_time_us;
        }
        calls--;
    }
    lag->is_counted = result.complete;
    consumer->head = result.head;
    return ACTA_OK;
}

/* The age of the first event behind @after that @query wants. */
static enum acta_code
find_oldest(struct groups *groups, const struct query *query, uint64_t after,
            struct msg_lag *lag, struct acta_err *err)
{
    static const struct read_bounds one = {.events_max = 1};
    struct read_result result;
    enum acta_code code;

    buf_clear(&groups->fetched);
    code = reader_read_all(groups->reader, query, after, false, &one,
                           &groups->fetched, &result, err);
    if (code == ACTA_OK && result.events_count > 0) {
        uint64_t time_us = event_record_time(buf_slice(&groups->fetched));

        lag->time_us =
            groups->wall_us > time_us ? groups->wall_us - time_us : 0;
    }
    return code;
}

/* With nothing before it that it wants, a consumer is at the head. */
static void
end_lag(struct msg_consumer *consumer)
{
    if (consumer->lag.is_counted && consumer->lag.matching == 0) {
        consumer->position = consumer->head;
    }
    consumer->lag.events = consumer->head > consumer->position
                               ? consumer->head - consumer->position
                               : 0;
}

/* ---- one consumer ---- */

/* Its rows, decoded. */
struct entry {
    struct slice name;
    struct consumer row;
    struct checkpoint_row checkpoint;
    struct query query;    /* owned */
    struct hosted *hosted; /* NULL: it is no group, or not in memory. */
};

static enum acta_code
count_one(void *user, uint64_t position, const struct parked *parked,
          struct acta_err *err)
{
    uint64_t *count = user;

    (void)position;
    (void)parked;
    (void)err;
    ++*count;
    return ACTA_OK;
}

static struct parked_count *
find_count(struct groups *groups, uint64_t number)
{
    for (size_t i = 0; i < GROUPS_COUNTED; i++) {
        if (groups->counted[i].number == number) {
            return &groups->counted[i];
        }
    }
    return NULL;
}

void
groups_forget_count(struct groups *groups, uint64_t number)
{
    struct parked_count *counted = find_count(groups, number);

    if (counted != NULL) {
        *counted = (struct parked_count){0};
    }
}

static void
keep_count(struct groups *groups, uint64_t number, uint64_t count)
{
    groups->counted[groups->counted_next] =
        (struct parked_count){number, count};
    groups->counted_next = (groups->counted_next + 1) % GROUPS_COUNTED;
}

/* Rows of a group that is not in memory stay as they are: many are counted once
 * only, however often the group is listed.
 */
static enum acta_code
count_parked(struct groups *groups, uint64_t number, uint64_t *count,
             struct acta_err *err)
{
    const struct parked_count *counted = find_count(groups, number);
    struct parked_visit visit = {
        .number = number, .visit = count_one, .user = count};
    enum acta_code code = ACTA_OK;

    if (counted != NULL) {
        *count = counted->count;
        return ACTA_OK;
    }
    while (code == ACTA_OK && !visit.at_end) {
        code = parked_visit_some(groups, &visit, ACTA_PAGE_ROWS_MAX, err);
    }
    if (code == ACTA_OK && *count > ACTA_PAGE_ROWS_MAX) {
        keep_count(groups, number, *count);
    }
    return code;
}

/* A group that is not in memory. Returns behind what position all is still
 * before it; what is pending up to there is counted.
 */
static enum acta_code
measure_rows(struct groups *groups, const struct entry *entry,
             struct msg_consumer *consumer, uint64_t *behind,
             struct acta_err *err)
{
    struct group_pending_reader reader;
    struct group_pending pending;
    uint64_t fences;
    enum acta_code code =
        group_pending_open(&reader, &fences, entry->checkpoint.pending,
                           entry->checkpoint.position, err);

    if (code != ACTA_OK) {
        return code;
    }
    *behind = entry->checkpoint.position;
    consumer->position = *behind;
    if (group_pending_peek(&reader, &pending)) {
        consumer->position = pending.position - 1;
    }
    consumer->lag.matching = group_pending_count(&reader);
    return count_parked(groups, entry->row.number, &consumer->parked, err);
}

/* One that is. */
static void
measure_hosted(const struct entry *entry, struct msg_consumer *consumer,
               uint64_t *behind)
{
    struct group_figures figures = group_figures(entry->hosted->group);

    *behind = group_read_to(entry->hosted->group);
    consumer->position = figures.position;
    consumer->changed_us = figures.moved_us;
    consumer->connected = figures.members;
    consumer->in_hand = figures.in_hand;
    consumer->delayed = figures.delayed;
    consumer->parked = figures.parked;
    consumer->lag.matching =
        figures.in_hand + figures.delayed + figures.waiting + figures.unloaded;
}

static enum acta_code
measure_group(struct groups *groups, const struct entry *entry,
              struct msg_consumer *consumer, uint64_t *behind,
              struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    if (entry->hosted == NULL) {
        code = measure_rows(groups, entry, consumer, behind, err);
    } else {
        measure_hosted(entry, consumer, behind);
    }
    if (code == ACTA_OK && consumer->lag.matching > 0) {
        code = find_oldest(groups, &entry->query, consumer->position,
                           &consumer->lag, err);
    }
    return code;
}

/* All that is told of a consumer. */
static enum acta_code
measure(struct groups *groups, const struct entry *entry, unsigned counts,
        struct msg_consumer *consumer, struct acta_err *err)
{
    uint64_t behind = entry->checkpoint.position;
    enum acta_code code = ACTA_OK;

    *consumer = (struct msg_consumer){.name = entry->name,
                                      .kind = entry->row.kind,
                                      .query = entry->row.query,
                                      .position = entry->checkpoint.position,
                                      .epoch = entry->checkpoint.epoch,
                                      .is_paused = entry->row.is_paused,
                                      .settings = entry->row.settings,
                                      .changed_us = entry->checkpoint.moved_us,
                                      .note = entry->row.note,
                                      .note_us = entry->row.note_us};
    if (entry->row.kind == MSG_CONSUMER_GROUP) {
        code = measure_group(groups, entry, consumer, &behind, err);
    } else {
        consumer->connected =
            named_count(database_named(groups->database), entry->name);
    }
    if (code == ACTA_OK) {
        code =
            count_behind(groups, &entry->query, behind, counts, consumer, err);
    }
    if (code == ACTA_OK) {
        end_lag(consumer);
    }
    return code;
}

/* Make an entry of the value of a ROW_CONSUMER, which it points into, and of
 * the checkpoint, which it reads into @row. After OK, query_fini().
 */
static enum acta_code
make_entry(struct groups *groups, struct slice name, struct slice value,
           struct buf *row, struct entry *entry, bool *found,
           struct acta_err *err)
{
    enum acta_code code;

    *entry = (struct entry){.name = name};
    if ((code = consumer_decode(&entry->row, value, err)) != ACTA_OK ||
        (code = hosted_read_row(groups, ROW_CHECKPOINT, name, row, found,
                                err)) != ACTA_OK ||
        !*found) {
        return code;
    }
    code = checkpoint_decode(&entry->checkpoint, buf_slice(row), err);
    if (code == ACTA_OK) {
        code = hosted_decode_query(&entry->query, entry->row.query, err);
    }
    entry->hosted = hosted_look_up(groups, name);
    return code;
}

/* ---- list-consumers ---- */

/* Rows that were found: the reader cannot look at others while it lists. */
struct found_row {
    struct slice name;
    struct slice value;
};

struct found {
    struct arena arena;
    struct found_row rows[ACTA_PAGE_ROWS_MAX];
    size_t count;
};

static enum acta_code
note_row(void *user, const struct row *row, struct acta_err *err)
{
    struct found *found = user;
    struct found_row *at = &found->rows[found->count];

    if (!arena_copy(&found->arena, row->key, &at->name) ||
        !arena_copy(&found->arena, row->value, &at->value)) {
        return acta_fail(err, ACTA_MEMORY, "list of consumers");
    }
    found->count++;
    return ACTA_OK;
}

static enum acta_code
add_row(struct groups *groups, const struct found_row *found, struct buf *out,
        struct msg_open *open, struct acta_err *err)
{
    struct msg_consumer consumer;
    struct buf row = {0};
    struct entry entry;
    bool is_there = false;
    enum acta_code code = make_entry(groups, found->name, found->value, &row,
                                     &entry, &is_there, err);

    if (code == ACTA_OK && is_there) {
        code = measure(groups, &entry, LISTED_COUNTS, &consumer, err);
        if (code == ACTA_OK) {
            msg_consumers_add(out, open, &consumer);
        }
    }
    query_fini(&entry.query);
    buf_fini(&row);
    return code;
}

/* Describe what was found, as far as the time goes, but one at least. */
static enum acta_code
add_rows(struct groups *groups, const struct found *found, struct buf *out,
         struct msg_open *open, bool *at_end, struct acta_err *err)
{
    struct mono_time start = clock_mono();

    for (size_t i = 0; i < found->count; i++) {
        enum acta_code code;

        if (i > 0 && clock_us_since(start) > LIST_US) {
            *at_end = false;
            return ACTA_OK;
        }
        code = add_row(groups, &found->rows[i], out, open, err);
        if (code != ACTA_OK) {
            return code;
        }
    }
    return ACTA_OK;
}

enum acta_code
groups_list(struct groups *groups, struct job *job, struct acta_err *err)
{
    uint64_t asked = job->list.count_max;
    size_t count_max = asked > 0 && asked < ACTA_PAGE_ROWS_MAX
                           ? (size_t)asked
                           : ACTA_PAGE_ROWS_MAX;
    struct buf *out = &job->outcome.reply;
    struct found *found = calloc(1, sizeof(*found));
    struct msg_open open;
    enum acta_code code;
    bool at_end;

    if (found == NULL) {
        return acta_fail(err, ACTA_MEMORY, "list of consumers");
    }
    code = reader_list_rows(groups->reader, ROW_CONSUMER, job->list.prefix,
                            job->list.after, count_max, note_row, found,
                            &at_end, err);
    if (code == ACTA_OK) {
        open = msg_consumers_begin(out, job->request_id);
        code = add_rows(groups, found, out, &open, &at_end, err);
        msg_consumers_end(out, open, at_end);
    }
    arena_free(&found->arena);
    free(found);
    return code;
}

/* ---- describe-consumer ---- */

static void
write_description(const struct msg_consumer *consumer,
                  const struct hosted *hosted, struct job *job)
{
    struct buf *out = &job->outcome.reply;
    struct msg_open open = msg_consumer_begin(out, job->request_id, consumer);
    struct group_member *member = NULL;

    while (hosted != NULL &&
           (member = group_next_member(hosted->group, member)) != NULL) {
        struct msg_member described = group_describe_member(member);

        msg_consumer_member(out, &open, &described);
    }
    msg_consumer_end(out, open);
}

enum acta_code
groups_describe(struct groups *groups, struct job *job, struct acta_err *err)
{
    struct buf row = {0}, checkpoint = {0};
    struct msg_consumer consumer;
    struct entry entry = {0};
    bool found = false;
    enum acta_code code;

    code = hosted_read_row(groups, ROW_CONSUMER, job->name, &row, &found, err);
    if (code == ACTA_OK && found) {
        code = make_entry(groups, job->name, buf_slice(&row), &checkpoint,
                          &entry, &found, err);
    }
    if (code == ACTA_OK && !found) {
        code =
            acta_fail(err, ACTA_NOT_FOUND, "there is no consumer of this name");
    }
    if (code == ACTA_OK) {
        code = measure(groups, &entry, DESCRIBED_COUNTS, &consumer, err);
    }
    if (code == ACTA_OK) {
        write_description(&consumer, entry.hosted, job);
    }
    query_fini(&entry.query);
    buf_fini(&checkpoint);
    buf_fini(&row);
    return code;
}

/* ---- list-parked ---- */

struct parked_page {
    const struct hosted *hosted; /* NULL: it is not in memory. */
    struct buf *out;
    struct msg_open open;
    size_t count;
};

/* What is in memory is newer than the rows. */
static enum acta_code
add_parked(void *user, uint64_t position, const struct parked *parked,
           struct acta_err *err)
{
    struct parked_page *page = user;
    struct msg_parked added = {.position = position,
                               .key = parked->key,
                               .state = parked->is_behind ? MSG_PARKED_BEHIND
                                                          : MSG_PARKED,
                               .deliveries = parked->deliveries,
                               .time_us = parked->time_us,
                               .reason = parked->reason};

    (void)err;
    if (page->hosted == NULL ||
        group_parked_state(page->hosted->group, position, &added.state)) {
        msg_parked_add(page->out, &page->open, &added);
        page->count++;
    }
    return ACTA_OK;
}

/* The number of a group; NOT_FOUND, INVALID. */
static enum acta_code
number_of(struct groups *groups, struct slice name, uint64_t *number,
          struct acta_err *err)
{
    struct consumer consumer;
    struct buf row = {0};
    bool found = false;
    enum acta_code code =
        hosted_read_row(groups, ROW_CONSUMER, name, &row, &found, err);

    if (code == ACTA_OK && !found) {
        code = acta_fail(err, ACTA_NOT_FOUND, "there is no group of this name");
    }
    if (code == ACTA_OK) {
        code = consumer_decode(&consumer, buf_slice(&row), err);
    }
    if (code == ACTA_OK && consumer.kind != MSG_CONSUMER_GROUP) {
        code =
            acta_fail(err, ACTA_INVALID, "it is a plain consumer, not a group");
    }
    if (code == ACTA_OK) {
        *number = consumer.number;
    }
    buf_fini(&row);
    return code;
}

enum acta_code
groups_list_parked(struct groups *groups, struct job *job, struct acta_err *err)
{
    const struct msg_list_parked *list = &job->list_parked;
    size_t count_max =
        list->count_max > 0 && list->count_max < ACTA_PAGE_ROWS_MAX
            ? (size_t)list->count_max
            : ACTA_PAGE_ROWS_MAX;
    struct parked_page page = {.hosted = hosted_look_up(groups, list->group),
                               .out = &job->outcome.reply};
    struct parked_visit visit = {
        .last = list->after, .visit = add_parked, .user = &page};
    enum acta_code code = number_of(groups, list->group, &visit.number, err);

    if (code != ACTA_OK) {
        return code;
    }
    page.open = msg_parked_begin(page.out, job->request_id);
    /* A page that is not the last has one event at least. */
    while (code == ACTA_OK && !visit.at_end && page.count == 0) {
        code = parked_visit_some(groups, &visit, count_max, err);
    }
    msg_parked_end(page.out, page.open, visit.at_end);
    return code;
}

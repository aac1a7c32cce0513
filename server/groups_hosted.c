/* Groups in memory: how they come there from their rows, and go. */

#include "groups_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "log.h"
#include "outer.h"

/* A definition has a query, whose size the client's frame bounds. */
#define ROW_SIZE_MAX ((size_t)64 << 20)

/* After a failure of the disk or of memory it is tried again so much later. */
#define TROUBLE_US 1000000

/* ---- rows ---- */

enum acta_code
hosted_read_row(struct groups *groups, enum row_kind kind, struct slice name,
                struct buf *row, bool *found, struct acta_err *err)
{
    enum acta_code code;

    buf_fini(row);
    buf_init(row, ROW_SIZE_MAX);
    code = reader_get_row(groups->reader, kind, name, row, found, err);
    if (code == ACTA_OK && buf_failed(row)) {
        code = acta_fail(err, ACTA_MEMORY, "row of a consumer");
    }
    return code;
}

enum acta_code
hosted_decode_query(struct query *query, struct slice bytes,
                    struct acta_err *err)
{
    struct pack_reader reader;

    pack_reader_init(&reader, bytes, err);
    query_decode(&reader, query);
    return pack_code(&reader);
}

/* What its rows say of a group. */
struct definition {
    struct buf row;            /* owned */
    struct consumer consumer;  /* Points into row. */
    struct buf checkpoint_row; /* owned */
    struct checkpoint_row checkpoint;
    struct query query; /* owned */
};

static void
definition_fini(struct definition *definition)
{
    buf_fini(&definition->row);
    buf_fini(&definition->checkpoint_row);
    query_fini(&definition->query);
}

static enum acta_code
decode(struct definition *definition, struct acta_err *err)
{
    enum acta_code code;

    if ((code = consumer_decode(&definition->consumer,
                                buf_slice(&definition->row), err)) != ACTA_OK ||
        (code = checkpoint_decode(&definition->checkpoint,
                                  buf_slice(&definition->checkpoint_row),
                                  err)) != ACTA_OK) {
        return code;
    }
    return hosted_decode_query(&definition->query, definition->consumer.query,
                               err);
}

/* NOT_FOUND; INVALID: it is no group. After OK, definition_fini(). */
static enum acta_code
read_definition(struct groups *groups, struct slice name,
                struct definition *definition, struct acta_err *err)
{
    bool found = false, has_checkpoint = false;
    enum acta_code code;

    *definition = (struct definition){0};
    code = hosted_read_row(groups, ROW_CONSUMER, name, &definition->row, &found,
                           err);
    if (code == ACTA_OK && found) {
        code =
            hosted_read_row(groups, ROW_CHECKPOINT, name,
                            &definition->checkpoint_row, &has_checkpoint, err);
    }
    if (code == ACTA_OK && (!found || !has_checkpoint)) {
        code = acta_fail(err, ACTA_NOT_FOUND, "there is no group of this name");
    }
    if (code == ACTA_OK) {
        code = decode(definition, err);
    }
    if (code == ACTA_OK && definition->consumer.kind != MSG_CONSUMER_GROUP) {
        code =
            acta_fail(err, ACTA_INVALID, "it is a plain consumer, not a group");
    }
    if (code != ACTA_OK) {
        definition_fini(definition);
    }
    return code;
}

/* Make it what @hosted has, instead of what it had. It is empty then. */
static void
adopt(struct hosted *hosted, struct definition *definition)
{
    buf_fini(&hosted->row);
    query_fini(&hosted->query);
    hosted->row = definition->row;
    hosted->query = definition->query;
    hosted->consumer = definition->consumer;
    hosted->epoch = definition->checkpoint.epoch;
    definition->row = (struct buf){0};
    definition->query = QUERY_ALL;
}

/* ---- parked events ---- */

static enum acta_code
visit_row(void *user, const struct row *row, struct acta_err *err)
{
    struct parked_visit *visit = user;
    uint64_t position = parked_position(row->key);
    struct parked parked;
    enum acta_code code = parked_decode(&parked, row->value, err);

    if (code == ACTA_OK) {
        code = visit->visit(visit->user, position, &parked, err);
    }
    if (code == ACTA_OK) {
        visit->last = position;
    }
    return code;
}

enum acta_code
parked_visit_some(struct groups *groups, struct parked_visit *visit,
                  size_t count_max, struct acta_err *err)
{
    uint8_t prefix[PARKED_KEY_SIZE], after[PARKED_KEY_SIZE];

    parked_key(prefix, visit->number, 0);
    return reader_list_rows(groups->reader, ROW_PARKED,
                            slice_make(prefix, sizeof(uint64_t)),
                            parked_key(after, visit->number, visit->last),
                            count_max, visit_row, visit, &visit->at_end, err);
}

static enum acta_code
load_row(void *user, uint64_t position, const struct parked *parked,
         struct acta_err *err)
{
    return group_load_parked(user, position, parked, err);
}

static enum acta_code
load_parked(struct groups *groups, const struct hosted *hosted,
            struct acta_err *err)
{
    struct parked_visit visit = {.number = hosted->consumer.number,
                                 .visit = load_row,
                                 .user = hosted->group};
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && !visit.at_end) {
        code = parked_visit_some(groups, &visit, ACTA_PAGE_ROWS_MAX, err);
    }
    return code;
}

/* ---- coming and going ---- */

static void
free_hosted(struct hosted *hosted)
{
    assert(LIST_EMPTY(&hosted->seats));
    assert(hosted->waiting_first == NULL);
    assert(!hosted->is_saving);

    waiter_fini(&hosted->waiter);
    group_free(hosted->group);
    query_fini(&hosted->query);
    buf_fini(&hosted->row);
    free(hosted);
}

static enum acta_code
fill(struct hosted *hosted, struct definition *definition, struct acta_err *err)
{
    struct groups *groups = hosted->groups;
    struct group_ports ports = hosted_ports(hosted);
    enum acta_code code;

    adopt(hosted, definition);
    code = group_new(&hosted->group, &hosted->consumer, &definition->checkpoint,
                     &ports, err);
    if (code != ACTA_OK) {
        return code;
    }
    code = load_parked(groups, hosted, err);
    if (code != ACTA_OK) {
        return code;
    }
    /* Any of them may have a timer later, when nothing may fail. */
    if (!name_map_reserve(&groups->hosted, 1) ||
        !heap_reserve(&groups->timers,
                      groups->hosted.count + 1 - groups->timers.count)) {
        return acta_fail(err, ACTA_MEMORY, "group");
    }
    return ACTA_OK;
}

static enum acta_code
host(struct groups *groups, struct slice name, struct definition *definition,
     struct hosted **out, struct acta_err *err)
{
    struct hosted *hosted = calloc(1, sizeof(*hosted));
    enum acta_code code;

    if (hosted == NULL) {
        return acta_fail(err, ACTA_MEMORY, "group");
    }
    assert(name.size <= sizeof(hosted->name));
    hosted->groups = groups;
    memcpy(hosted->name, name.data, name.size);
    hosted->node.name = slice_make(hosted->name, name.size);
    LIST_INIT(&hosted->seats);
    code = fill(hosted, definition, err);
    if (code != ACTA_OK) {
        free_hosted(hosted);
        return code;
    }
    groups_forget_count(groups, hosted->consumer.number);
    name_map_put(&groups->hosted, &hosted->node);
    LIST_INSERT_HEAD(&groups->all, hosted, in_all);
    atomic_fetch_add(&groups->groups_count, 1);
    hosted_make_busy(hosted);
    *out = hosted;
    return ACTA_OK;
}

static struct hosted *
find_in_memory(const struct groups *groups, struct slice name)
{
    struct name_node *node = name_map_find(&groups->hosted, name);

    return node == NULL ? NULL : OUTER(struct hosted, node, node);
}

void
hosted_refresh(struct hosted *hosted)
{
    if (hosted->is_stale && hosted->not_before <= hosted->groups->now_us) {
        hosted_changed(hosted->groups, hosted_name(hosted));
    }
}

struct hosted *
hosted_look_up(struct groups *groups, struct slice name)
{
    struct hosted *hosted = find_in_memory(groups, name);

    if (hosted != NULL && hosted->is_stale) {
        hosted_refresh(hosted);
        hosted = find_in_memory(groups, name);
    }
    return hosted;
}

enum acta_code
hosted_find(struct groups *groups, struct slice name, struct hosted **hosted,
            struct acta_err *err)
{
    struct definition definition;
    enum acta_code code;

    *hosted = hosted_look_up(groups, name);
    if (*hosted != NULL) {
        return ACTA_OK;
    }
    code = read_definition(groups, name, &definition, err);
    if (code == ACTA_OK) {
        code = host(groups, name, &definition, hosted, err);
        definition_fini(&definition);
    }
    return code;
}

void
hosted_make_busy(struct hosted *hosted)
{
    if (!hosted->is_busy && hosted->group != NULL) {
        hosted->is_busy = true;
        TAILQ_INSERT_TAIL(&hosted->groups->busy, hosted, in_busy);
    }
}

/* Take it out of everything but memory. */
static void
retire(struct hosted *hosted)
{
    struct groups *groups = hosted->groups;

    waiter_stop(&hosted->waiter);
    heap_remove(&groups->timers, &hosted->timer);
    if (hosted->is_busy) {
        TAILQ_REMOVE(&groups->busy, hosted, in_busy);
        hosted->is_busy = false;
    }
    name_map_remove(&groups->hosted, &hosted->node);
    LIST_REMOVE(hosted, in_all);
    atomic_fetch_sub(&groups->groups_count, 1);
    atomic_fetch_sub(&groups->in_hand, hosted->in_hand);
}

void
hosted_let_go_if_idle(struct hosted *hosted)
{
    if (hosted->group == NULL) {
        if (!hosted->is_saving) {
            free_hosted(hosted);
        }
    } else if (!hosted->is_saving && LIST_EMPTY(&hosted->seats) &&
               hosted->waiting_first == NULL && group_is_idle(hosted->group)) {
        retire(hosted);
        free_hosted(hosted);
    }
}

void
hosted_discard(struct hosted *hosted)
{
    hosted_refuse_waiting(hosted, ACTA_STOPPING, "server is stopping");
    retire(hosted);
    free_hosted(hosted);
}

void
hosted_end(struct hosted *hosted, enum acta_code code, const char *text)
{
    struct msg_left left = {.code = code, .text = slice_of(text)};
    struct groups *groups = hosted->groups;
    struct seat *seat;

    while ((seat = LIST_FIRST(&hosted->seats)) != NULL) {
        msg_left_encode(peer_out(&groups->peers, seat->peer), seat->request_id,
                        &left);
        seat_leave(seat, false);
    }
}

void
hosted_trouble(struct hosted *hosted, const struct acta_err *err)
{
    log_warning(log_event("group has to wait"),
                log_slice("group", hosted_name(hosted)),
                log_text("reason", err->text));
    hosted_wait_until(hosted, hosted->groups->now_us + TROUBLE_US);
}

void
hosted_wait_until(struct hosted *hosted, uint64_t time_us)
{
    hosted->not_before = time_us;
    hosted_make_busy(hosted); /* Its step sets the timer. */
}

/* ---- changes ---- */

/* The group is not there any more. */
static void
bury(struct hosted *hosted)
{
    hosted_end(hosted, ACTA_NOT_FOUND, "the group was deleted");
    hosted_refuse_waiting(hosted, ACTA_NOT_FOUND, "the group was deleted");
    retire(hosted);
    group_free(hosted->group);
    hosted->group = NULL;
    hosted_let_go_if_idle(hosted);
}

static void
alter(struct hosted *hosted, struct definition *definition)
{
    bool is_new_epoch = definition->checkpoint.epoch != hosted->epoch;

    waiter_fini(&hosted->waiter);
    hosted->passed = 0; /* That was for the query that it had. */
    adopt(hosted, definition);
    group_set(hosted->group, &hosted->consumer);
    if (is_new_epoch) {
        group_reset(hosted->group, hosted->epoch,
                    definition->checkpoint.position);
    }
    group_save_soon(hosted->group); /* It may be waited for. */
}

void
hosted_changed(struct groups *groups, struct slice name)
{
    struct hosted *hosted = find_in_memory(groups, name);
    struct definition definition;
    struct acta_err err;
    enum acta_code code;

    groups->has_left = true; /* It may have been deleted. */
    if (hosted == NULL) {
        return;
    }
    hosted->is_stale = false;
    code = read_definition(groups, name, &definition, &err);
    if (code == ACTA_OK &&
        definition.consumer.number == hosted->consumer.number) {
        alter(hosted, &definition);
        hosted_make_busy(hosted);
    } else if (code == ACTA_OK || code == ACTA_NOT_FOUND ||
               code == ACTA_INVALID) {
        bury(hosted);
    } else {
        hosted->is_stale = true;
        hosted_trouble(hosted, &err);
    }
    if (code == ACTA_OK) {
        definition_fini(&definition);
    }
}

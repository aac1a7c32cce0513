/* The same random operations on a store in memory and on a server: all answers
 * are equal. Times are not compared, nor are epochs, but for what follows from
 * them; the seed is printed.
 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "place.h"
#include "rnd.h"

#define STEPS 3000
/* With more, a server cannot decide all conditions at once. */
#define STEPS_LONG 10000
#define TEXT_SIZE  (256 * 1024)
#define IDS        60
#define COMMANDS   20
#define LEASES     3

/* One of the two, and what it answers. */
struct side {
    struct place place;
    struct acta_sync *sync;
    struct acta_err err;
    uint64_t epoch;                    /* Of the consumer. */
    uint64_t old_epoch;                /* Before that. */
    struct acta_lease *leases[LEASES]; /* NULL: it is not held. */
    uint64_t fences[LEASES];           /* Of whoever held it last. */
    char text[TEXT_SIZE];
    size_t size;
};

static struct side sides[PLACES];

static void say(struct side *side, const char *fmt, ...) ACTA_PRINTF(2, 3);

static void
say(struct side *side, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    side->size += (size_t)vsnprintf(side->text + side->size,
                                    TEXT_SIZE - side->size, fmt, args);
    va_end(args);
    ck_assert_uint_lt(side->size, TEXT_SIZE);
}

static bool
is_ok(struct side *side, enum acta_code code)
{
    say(side, "%s\n", acta_code_name(code));
    return code == ACTA_OK;
}

static void
say_events(struct side *side, const struct acta_event *const *events,
           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct acta_event *event = events[i];

        say(side, "%ju %s.%ju %s %d %.*s", (uintmax_t)event->position,
            event->stream, (uintmax_t)event->version, event->type,
            (int)event->format, (int)event->data_size,
            (const char *)event->data);
        for (size_t t = 0; t < event->tags_count; t++) {
            say(side, " %s", event->tags[t]);
        }
        say(side, "\n");
    }
}

/* ---- what is drawn ---- */

static const char *
any_stream(struct rnd *rnd)
{
    static const char *const names[] = {"a", "a-1", "a-2", "b-1", "b-2", "c"};

    return names[rnd_below(rnd, 6)];
}

static const char *
any_type(struct rnd *rnd)
{
    static const char *const names[] = {"Xa", "Xb", "Y"};

    return names[rnd_below(rnd, 3)];
}

static const char *
any_tag(struct rnd *rnd)
{
    static const char *const names[] = {"t:1", "t:2", "u:1"};

    return names[rnd_below(rnd, 3)];
}

static int64_t
any_version(struct rnd *rnd)
{
    return rnd_below(rnd, 3) < 2 ? -1 : (int64_t)rnd_below(rnd, 12) - 2;
}

static struct acta_id
any_id(struct rnd *rnd, uint8_t kind, uint64_t count)
{
    struct acta_id id = {{kind}};

    id.bytes[15] = (uint8_t)rnd_below(rnd, count);
    return id;
}

static struct acta_query *
any_query(struct rnd *rnd)
{
    struct acta_query *query = acta_query_new();

    for (uint64_t items = rnd_below(rnd, 3); items > 0; items--) {
        switch (rnd_below(rnd, 6)) {
        case 0:
            acta_query_category(query, rnd_once_in(rnd, 2) ? "a" : "b");
            break;
        case 1:
            acta_query_type(query, any_type(rnd));
            break;
        case 2:
            acta_query_type_prefix(query, "X");
            break;
        case 3:
            acta_query_tag(query, any_tag(rnd));
            break;
        case 4:
            acta_query_stream_prefix(query, "a-");
            break;
        default:
            acta_query_stream(query, any_stream(rnd));
            acta_query_tag(query, any_tag(rnd));
            break;
        }
        acta_query_or(query);
    }
    acta_query_tag(query, any_tag(rnd));
    return query;
}

static void
add_events(struct acta_append *append, struct rnd *rnd)
{
    for (uint64_t count = 1 + rnd_below(rnd, 3); count > 0; count--) {
        struct acta_id id = any_id(rnd, 1, IDS);
        const char *data = rnd_once_in(rnd, 20) ? "other" : "data";
        struct acta_draft draft = acta_draft_of(
            id.bytes[15] % 2 ? "Xa" : any_type(rnd), data, strlen(data));
        const char *tag = any_tag(rnd);

        draft.id = rnd_once_in(rnd, 4) ? &id : NULL;
        draft.tags = &tag;
        draft.tags_count = rnd_below(rnd, 2);
        acta_append_event(append, &draft);
    }
}

/* ---- appends ---- */

static const char *const lease_names[LEASES] = {"l-1", "l-2", "m"};

static void
add_effects(struct side *side, struct acta_append *append, struct rnd *rnd)
{
    struct acta_append *what = acta_append_new();
    struct acta_draft draft = acta_draft_of("Due", "", 0);
    struct acta_id id = any_id(rnd, 3, 3);
    const char *name = rnd_once_in(rnd, 2) ? "s" : "t";

    draft.id = &id;
    acta_append_stream(what, any_stream(rnd), ACTA_EXPECT_ANY);
    acta_append_event(what, &draft);
    switch (rnd_below(rnd, 7)) {
    case 0:
        acta_append_checkpoint(
            append, "c", rnd_once_in(rnd, 5) ? side->old_epoch : side->epoch,
            rnd_once_in(rnd, 3) ? rnd_below(rnd, 20) : ACTA_FROM_ANY,
            rnd_below(rnd, 400));
        break;
    case 1:
        acta_append_snapshot(append, any_stream(rnd), 1 + rnd_below(rnd, 40),
                             rnd_below(rnd, 3), "state", 5);
        break;
    case 2:
        acta_append_remove_snapshot(append, any_stream(rnd));
        break;
    case 3: /* Far from now. */
        acta_append_schedule(append, name, UINT64_C(1) << 59, what);
        break;
    case 4:
        acta_append_move_schedule(append, name, UINT64_C(1) << 58);
        break;
    case 5: {
        uint64_t lease = rnd_below(rnd, LEASES);

        acta_append_lease(append, lease_names[lease],
                          side->fences[rnd_below(rnd, LEASES)]);
        break;
    }
    default:
        acta_append_cancel(append, name);
        break;
    }
    acta_append_free(what);
}

static void
say_appended(struct side *side, const struct acta_appended *appended)
{
    say(side, "at %ju.%ju%s%s, %ju cancelled\n", (uintmax_t)appended->position,
        (uintmax_t)appended->version, appended->repeated ? " repeated" : "",
        appended->by_command ? " by command" : "",
        (uintmax_t)appended->cancelled);
    for (size_t i = 0; i < appended->runs_count; i++) {
        const struct acta_run *run = appended->runs[i];

        say(side, "run %zu: %ju at %ju, %ju\n", run->write,
            (uintmax_t)run->first_version, (uintmax_t)run->first_position,
            (uintmax_t)run->count);
    }
    for (size_t i = 0; i < appended->failures_count; i++) {
        const struct acta_failure *failure = appended->failures[i];

        say(side, "failure %d %zu.%zu\n", (int)failure->kind, failure->index,
            failure->event);
        if (failure->kind != ACTA_FAILED_LEASE) { /* These are fences. */
            say(side, "%jd, is %ju\n", (intmax_t)failure->expected,
                (uintmax_t)failure->actual);
        }
    }
    if (appended->unseen != NULL) {
        say(side, "unseen up to %ju%s\n", (uintmax_t)appended->unseen->head,
            appended->unseen->complete ? "" : " and more");
        say_events(side, appended->unseen->events,
                   appended->unseen->events_count);
    }
}

static void
do_append(struct side *side, struct rnd *rnd)
{
    struct acta_append *append = acta_append_new();
    const struct acta_appended *appended;
    struct acta_id command = any_id(rnd, 2, COMMANDS);
    enum acta_code code;

    for (uint64_t writes = rnd_below(rnd, 3); writes > 0; writes--) {
        acta_append_stream(append, any_stream(rnd), any_version(rnd));
        add_events(append, rnd);
    }
    if (rnd_once_in(rnd, 4)) {
        acta_append_check_stream(append, any_stream(rnd), any_version(rnd));
    }
    if (rnd_once_in(rnd, 4)) {
        struct acta_query *query = any_query(rnd);

        acta_append_condition(append, query, rnd_below(rnd, 400));
        acta_query_free(query);
    }
    if (rnd_once_in(rnd, 8)) {
        acta_append_command_id(append, &command);
    }
    if (rnd_once_in(rnd, 2)) {
        acta_append_unseen(append, rnd_below(rnd, 20), 0);
    }
    if (rnd_once_in(rnd, 3)) {
        add_effects(side, append, rnd);
    }
    code = acta_sync_append(side->sync, append, &appended, &side->err);
    is_ok(side, code);
    say_appended(side, appended);
    acta_append_free(append);
}

/* ---- streams ---- */

static void
do_change(struct side *side, struct rnd *rnd)
{
    struct acta_settings settings =
        acta_settings_of((unsigned)rnd_below(rnd, 4));
    const char *stream = any_stream(rnd);
    int64_t expected = any_version(rnd);
    const struct acta_changed *changed;
    uint64_t kind = rnd_below(rnd, 40);
    enum acta_code code;

    settings.truncate_before = rnd_below(rnd, 60);
    settings.max_count = rnd_below(rnd, 30);
    if (kind < 20) {
        code = acta_sync_set_stream(side->sync, stream, expected, &settings,
                                    &changed, &side->err);
    } else if (kind < 25) {
        code = acta_sync_delete_stream(side->sync, stream, expected, &changed,
                                       &side->err);
    } else if (kind < 38) {
        code = acta_sync_erase_event(side->sync, stream, 1 + rnd_below(rnd, 50),
                                     &changed, &side->err);
    } else if (kind < 39) {
        code = acta_sync_erase_stream(side->sync, stream, expected, &changed,
                                      &side->err);
    } else {
        code = acta_sync_tombstone_stream(
            side->sync, rnd_once_in(rnd, 5) ? stream : "never", expected,
            &changed, &side->err);
    }
    if (is_ok(side, code)) {
        say(side, "%ju, head %ju\n", (uintmax_t)changed->version,
            (uintmax_t)changed->head);
        /* Of hidden events it is not told whether they were erased before. */
        if (kind < 25 || kind >= 38) {
            say(side, "%s\n", changed->changed ? "changed" : "same");
        }
    }
}

static void
say_page(struct side *side, const struct acta_page *page)
{
    say_events(side, page->events, page->events_count);
    say(side, "next %ju%s, head %ju, version %ju\n", (uintmax_t)page->next,
        page->at_end ? " at end" : "", (uintmax_t)page->head,
        (uintmax_t)page->version);
}

static void
do_read(struct side *side, struct rnd *rnd)
{
    struct acta_query *query = any_query(rnd);
    struct acta_read read = rnd_once_in(rnd, 2)
                                ? acta_read_of_stream(any_stream(rnd))
                                : acta_read_of_query(query);
    const struct acta_page *page;

    read.backward = rnd_once_in(rnd, 2);
    read.from = rnd_once_in(rnd, 3) ? 0 : rnd_below(rnd, 400);
    read.events_max = rnd_below(rnd, 20);
    read.bytes_max = rnd_once_in(rnd, 3) ? rnd_below(rnd, 1000) : 0;
    do { /* How far a page of a query comes is the store's own business. */
        ck_assert_int_eq(acta_sync_read(side->sync, &read, &page, &side->err),
                         ACTA_OK);
        say_events(side, page->events, page->events_count);
        read.from = page->next;
    } while (!page->at_end);
    say(side, "next %ju, head %ju, version %ju\n", (uintmax_t)page->next,
        (uintmax_t)page->head, (uintmax_t)page->version);
    acta_query_free(query);
}

static void
do_find(struct side *side, struct rnd *rnd)
{
    struct acta_id id = any_id(rnd, 1, IDS);
    struct acta_id command = any_id(rnd, 2, COMMANDS);
    const struct acta_appended *appended;
    const struct acta_page *page;
    uint64_t positions = 0;

    if (is_ok(side, acta_sync_read_id(side->sync, &id, &page, &side->err))) {
        /* In no particular order. */
        for (size_t i = 0; i < page->events_count; i++) {
            positions += page->events[i]->position;
        }
        say(side, "%zu, of %ju\n", page->events_count, (uintmax_t)positions);
    }
    if (is_ok(side, acta_sync_find_command(side->sync, &command, &appended,
                                           &side->err))) {
        say_appended(side, appended);
    }
}

static void
do_load(struct side *side, struct rnd *rnd)
{
    struct acta_load load = acta_load_of(any_stream(rnd));
    const struct acta_loaded *loaded;

    load.has_version = rnd_once_in(rnd, 3);
    load.version = rnd_below(rnd, 60);
    load.has_schema = rnd_once_in(rnd, 3);
    load.schema = rnd_below(rnd, 3);
    if (!is_ok(side, acta_sync_load(side->sync, &load, &loaded, &side->err))) {
        return;
    }
    if (loaded->snapshot != NULL) {
        say(side, "snapshot %ju.%ju\n", (uintmax_t)loaded->snapshot->schema,
            (uintmax_t)loaded->snapshot->version);
    }
    say(side, "%s", loaded->not_modified ? "not modified\n" : "");
    say_page(side, loaded->page);
}

/* ---- lists ---- */

static void
do_list(struct side *side, struct rnd *rnd)
{
    const struct acta_schedules *schedules;
    const struct acta_streams *streams;
    const struct acta_names *names;

    ck_assert(
        is_ok(side, acta_sync_list(side->sync, "", any_stream(rnd),
                                   rnd_below(rnd, 4), &streams, &side->err)));
    for (size_t i = 0; i < streams->streams_count; i++) {
        const struct acta_stream *stream = streams->streams[i];

        say(side, "%s %ju at %ju, %d, %ju %ju\n", stream->name,
            (uintmax_t)stream->version, (uintmax_t)stream->last_position,
            (int)stream->state, (uintmax_t)stream->truncate_before,
            (uintmax_t)stream->max_count);
    }
    ck_assert(
        is_ok(side, acta_sync_list_tags(side->sync, "t", "", rnd_below(rnd, 3),
                                        &names, &side->err)));
    for (size_t i = 0; i < names->names_count; i++) {
        say(side, "%s %ju at %ju\n", names->names[i]->name,
            (uintmax_t)names->names[i]->count,
            (uintmax_t)names->names[i]->last_position);
    }
    ck_assert(is_ok(side, acta_sync_list_schedules(side->sync, "", "", 0,
                                                   &schedules, &side->err)));
    for (size_t i = 0; i < schedules->schedules_count; i++) {
        say(side, "%s at %ju to %s\n", schedules->schedules[i]->name,
            (uintmax_t)schedules->schedules[i]->due_us,
            schedules->schedules[i]->stream);
    }
    say(side, "%d %d %d\n", streams->at_end, names->at_end, schedules->at_end);
}

/* ---- the consumer ---- */

static void
do_consumer(struct side *side, struct rnd *rnd)
{
    const struct acta_consumer_description *told;
    const struct acta_consumer_changed *changed;
    struct acta_query *query = any_query(rnd);
    uint64_t position = rnd_below(rnd, 400);
    enum acta_code code;

    switch (rnd_below(rnd, 8)) {
    case 0:
        code = acta_sync_claim(side->sync, "c", query, position, &changed,
                               &side->err);
        break;
    case 1:
        code = acta_sync_reset_consumer(side->sync, "c", position, &changed,
                                        &side->err);
        break;
    case 2:
        code = acta_sync_delete_consumer(side->sync, "c", &changed, &side->err);
        break;
    default:
        code = acta_sync_describe_consumer(side->sync, "c", &told, &side->err);
        if (code == ACTA_OK) {
            say(side, "at %ju, lag %ju, %ju\n",
                (uintmax_t)told->consumer->position,
                (uintmax_t)told->consumer->lag_events,
                (uintmax_t)told->consumer->lag_matching);
        }
        changed = NULL;
        break;
    }
    if (is_ok(side, code) && changed != NULL) {
        say(side, "%ju %d\n", (uintmax_t)changed->position, changed->changed);
        side->old_epoch = side->epoch;
        side->epoch = changed->epoch;
    }
    acta_query_free(query);
}

/* ---- leases ---- */

static void
take_or_give_back(struct side *side, uint64_t lease)
{
    /* Longer than the test takes. */
    struct acta_acquire acquire =
        acta_acquire_of(lease_names[lease], 3600 * 1000);
    struct acta_lease **held = &side->leases[lease];

    if (*held != NULL) {
        is_ok(side, acta_sync_release(side->sync, *held, &side->err));
        *held = NULL;
    } else if (is_ok(side, acta_sync_acquire(side->sync, &acquire, held,
                                             &side->err))) {
        uint64_t fence = acta_lease_fence(*held);

        say(side, "its fence is %s\n",
            fence > side->fences[lease] ? "higher" : "no higher");
        side->fences[lease] = fence;
    }
}

static void
do_lease(struct side *side, struct rnd *rnd)
{
    uint64_t lease = rnd_below(rnd, LEASES);
    struct acta_acquire acquire = acta_acquire_of(lease_names[lease], 1000);
    const struct acta_leases *leases;
    struct acta_lease *none;

    switch (rnd_below(rnd, 4)) {
    case 0: /* Another claim: it is refused, if the lease is held. */
        if (side->leases[lease] != NULL) {
            is_ok(side,
                  acta_sync_acquire(side->sync, &acquire, &none, &side->err));
        }
        break;
    case 1:
        if (side->leases[lease] != NULL) {
            is_ok(side,
                  acta_sync_renew(side->sync, side->leases[lease], &side->err));
        }
        break;
    case 2:
        ck_assert(is_ok(side, acta_sync_list_leases(
                                  side->sync, rnd_once_in(rnd, 2) ? "l" : "",
                                  "", rnd_below(rnd, 3), &leases, &side->err)));
        for (size_t i = 0; i < leases->leases_count; i++) {
            say(side, "%s for %ju, %ju wait\n", leases->leases[i]->name,
                (uintmax_t)leases->leases[i]->duration_us,
                (uintmax_t)leases->leases[i]->waiters_count);
        }
        say(side, "%d\n", leases->at_end);
        break;
    default:
        take_or_give_back(side, lease);
        break;
    }
}

/* ---- all of it ---- */

static void
do_something(struct side *side, struct rnd *rnd)
{
    uint64_t kind = rnd_below(rnd, 22);

    side->size = 0;
    side->text[0] = '\0';
    if (kind < 9) {
        do_append(side, rnd);
    } else if (kind < 11) {
        do_change(side, rnd);
    } else if (kind < 15) {
        do_read(side, rnd);
    } else if (kind < 16) {
        do_find(side, rnd);
    } else if (kind < 17) {
        do_load(side, rnd);
    } else if (kind < 18) {
        do_list(side, rnd);
    } else if (kind < 20) {
        do_lease(side, rnd);
    } else {
        do_consumer(side, rnd);
    }
}

START_TEST(the_same_is_answered_to_the_same)
{
    unsigned steps = rnd_effort(STEPS, STEPS_LONG);
    struct rnd rnd;

    rnd_init(&rnd);
    for (int i = 0; i < PLACES; i++) {
        sides[i] = (struct side){.epoch = 0};
        place_open(&sides[i].place, i);
        sides[i].sync = sides[i].place.sync;
    }
    for (unsigned step = 0; step < steps; step++) {
        struct rnd same = rnd;

        do_something(&sides[PLACE_MEMORY], &same);
        do_something(&sides[PLACE_SERVER], &rnd);
        ck_assert_msg(
            strcmp(sides[PLACE_MEMORY].text, sides[PLACE_SERVER].text) == 0,
            "step %u: in memory (%s)\n%s\non a server (%s)\n%s", step,
            sides[PLACE_MEMORY].err.text, sides[PLACE_MEMORY].text,
            sides[PLACE_SERVER].err.text, sides[PLACE_SERVER].text);
    }
    for (int i = 0; i < PLACES; i++) {
        place_close(&sides[i].place);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("conform_random");
    TCase *tcase = tcase_create("conform_random");

    tcase_add_test(tcase, the_same_is_answered_to_the_same);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

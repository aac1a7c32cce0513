#include "client_asks.h"

#include <acta/acta_backup.h>
#include <acta/acta_schedule.h>
#include <acta/acta_snapshot.h>
#include <acta/acta_verify.h>
#include <string.h>

#include "fuzz.h"

/* What a callback does by itself. */
#define ACT_CLOSE  0x40u
#define ACT_AGAIN  0x20u
#define ACT_SETTLE 0x10u
#define ACT_END    0x08u

struct asked asked[ASKED_MAX];

/* ---- looking ---- */

/* All that was looked at ends here, so that no compiler leaves it out. */
static volatile uint8_t seen;

static void
look(const void *bytes, size_t size)
{
    const uint8_t *data = bytes;

    for (size_t i = 0; i < size; i++) {
        seen = (uint8_t)(seen ^ data[i]);
    }
}

static void
look_text(const char *text)
{
    look(text, strlen(text) + 1);
}

static void
look_error(const struct acta_err *err)
{
    if (err != NULL) {
        FUZZ_PROMISE(err->code != ACTA_OK);
        FUZZ_PROMISE(acta_code_name(err->code) != NULL);
        look_text(err->text);
    }
}

static void
look_event(const struct acta_event *event)
{
    static const uint8_t zero;

    look_text(event->stream);
    look_text(event->type);
    look(event->id, sizeof(*event->id));
    if (event->correlation_id != NULL) {
        look(event->correlation_id, sizeof(*event->correlation_id));
    }
    if (event->causation_id != NULL) {
        look(event->causation_id, sizeof(*event->causation_id));
    }
    for (size_t i = 0; i < event->tags_count; i++) {
        look_text(event->tags[i]);
    }
    look(event->metadata, event->metadata_size + 1);
    look(event->data, event->data_size + 1);
    FUZZ_PROMISE(
        memcmp((const uint8_t *)event->data + event->data_size, &zero, 1) == 0);
}

static void
look_events(const struct acta_event *const *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        look_event(events[i]);
    }
    if (count > 0) {
        struct acta_event *copy = acta_event_copy(events[count - 1]);

        FUZZ_PROMISE(copy != NULL);
        look_event(copy);
        acta_event_free(copy);
    }
}

/* ---- being answered ---- */

static void
close_client(struct asked *one)
{
    struct acta_client **client = one->client;
    struct acta_client *closed = *client;

    *client = NULL;
    acta_close(closed);
}

/* Whatever was asked for is answered once. */
static void
over(struct asked *one, const struct acta_err *err)
{
    struct acta_client **client = one->client;
    unsigned acts = one->acts;

    FUZZ_PROMISE(one->is_open);
    *one = (struct asked){.client = client};
    look_error(err);
    if (*client == NULL) {
        return;
    }
    if ((acts & ACT_CLOSE) != 0) {
        close_client(one);
    } else if ((acts & ACT_AGAIN) != 0) {
        asks_begin(client, (uint8_t)acts, 0);
    }
}

static void
on_number(void *user, const struct acta_err *err, uint64_t number)
{
    (void)number;
    over(user, err);
}

static void
on_status(void *user, const struct acta_err *err,
          const struct acta_status *status)
{
    for (size_t i = 0; i < status->entries_count; i++) {
        look_text(status->entries[i]->name);
        if (status->entries[i]->text != NULL) {
            look_text(status->entries[i]->text);
        }
    }
    over(user, err);
}

static void
on_appended(void *user, const struct acta_err *err,
            const struct acta_appended *appended)
{
    for (size_t i = 0; i < appended->runs_count; i++) {
        look(appended->runs[i], sizeof(*appended->runs[i]));
    }
    for (size_t i = 0; i < appended->failures_count; i++) {
        look(appended->failures[i], sizeof(*appended->failures[i]));
    }
    if (appended->unseen != NULL) {
        look_events(appended->unseen->events, appended->unseen->events_count);
    }
    over(user, err);
}

static void
on_page(void *user, const struct acta_err *err, const struct acta_page *page)
{
    look_events(page->events, page->events_count);
    over(user, err);
}

static void
on_loaded(void *user, const struct acta_err *err,
          const struct acta_loaded *loaded)
{
    if (loaded->snapshot != NULL) {
        look(loaded->snapshot->data, loaded->snapshot->data_size + 1);
    }
    look_events(loaded->page->events, loaded->page->events_count);
    over(user, err);
}

static void
on_streams(void *user, const struct acta_err *err,
           const struct acta_streams *streams)
{
    for (size_t i = 0; i < streams->streams_count; i++) {
        look_text(streams->streams[i]->name);
    }
    over(user, err);
}

static void
on_description(void *user, const struct acta_err *err,
               const struct acta_description *description)
{
    if (description->stream != NULL) {
        look_text(description->stream->name);
    }
    over(user, err);
}

static void
on_names(void *user, const struct acta_err *err, const struct acta_names *names)
{
    for (size_t i = 0; i < names->names_count; i++) {
        look_text(names->names[i]->name);
    }
    over(user, err);
}

static void
on_changed(void *user, const struct acta_err *err,
           const struct acta_changed *changed)
{
    look(changed, sizeof(*changed));
    over(user, err);
}

static void
on_consumer_changed(void *user, const struct acta_err *err,
                    const struct acta_consumer_changed *changed)
{
    look(changed, sizeof(*changed));
    over(user, err);
}

static void
look_consumer(const struct acta_consumer *consumer)
{
    look_text(consumer->name);
    look_text(consumer->key_tag);
    look_text(consumer->note);
    for (size_t i = 0; i < consumer->query_count; i++) {
        look_text(consumer->query[i]->text);
    }
}

static void
on_consumers(void *user, const struct acta_err *err,
             const struct acta_consumers *consumers)
{
    for (size_t i = 0; i < consumers->consumers_count; i++) {
        look_consumer(consumers->consumers[i]);
    }
    over(user, err);
}

static void
on_consumer(void *user, const struct acta_err *err,
            const struct acta_consumer_description *description)
{
    if (description->consumer != NULL) {
        look_consumer(description->consumer);
    }
    for (size_t i = 0; i < description->members_count; i++) {
        look_text(description->members[i]->name);
    }
    over(user, err);
}

static void
on_parked(void *user, const struct acta_err *err,
          const struct acta_parked_page *page)
{
    for (size_t i = 0; i < page->parked_count; i++) {
        look_text(page->parked[i]->key);
        look_text(page->parked[i]->reason);
    }
    over(user, err);
}

static void
on_leases(void *user, const struct acta_err *err,
          const struct acta_leases *leases)
{
    for (size_t i = 0; i < leases->leases_count; i++) {
        const struct acta_lease_info *lease = leases->leases[i];

        look_text(lease->name);
        look_text(lease->holder);
        for (size_t j = 0; j < lease->waiters_named; j++) {
            look_text(lease->waiters[j]);
        }
    }
    over(user, err);
}

static void
on_schedules(void *user, const struct acta_err *err,
             const struct acta_schedules *schedules)
{
    for (size_t i = 0; i < schedules->schedules_count; i++) {
        const struct acta_schedule *schedule = schedules->schedules[i];

        look_text(schedule->name);
        look_text(schedule->reason);
        look_text(schedule->stream);
        look_text(schedule->type);
    }
    over(user, err);
}

static void
on_verification(void *user, const struct acta_err *err,
                const struct acta_verification *verification)
{
    for (size_t i = 0; i < verification->problems_count; i++) {
        look_text(verification->problems[i]->file);
        look_text(verification->problems[i]->text);
    }
    over(user, err);
}

static void
on_backup_begun(void *user, const struct acta_err *err,
                const struct acta_backup_begun *begun)
{
    look_text(begun->reason);
    over(user, err);
}

static void
on_backup_chunk(void *user, const struct acta_err *err,
                const struct acta_backup_chunk *chunk)
{
    look(chunk->bytes, chunk->bytes_size);
    over(user, err);
}

/* ---- being told, again and again ---- */

static void
end(struct asked *one)
{
    struct asked ended = *one;

    *one = (struct asked){0};
    acta_unsubscribe(ended.sub);
    acta_leave(ended.member);
    acta_lease_release(ended.lease);
}

/* True if it still goes on after this. */
static bool
told(struct asked *one)
{
    unsigned acts = one->acts;

    FUZZ_PROMISE(one->is_open);
    FUZZ_PROMISE(one->sub != NULL || one->member != NULL || one->lease != NULL);
    if ((acts & ACT_CLOSE) != 0) {
        close_client(one);
    } else if ((acts & ACT_END) != 0) {
        end(one);
    }
    return (acts & (ACT_CLOSE | ACT_END)) == 0;
}

static void
on_position(void *user, uint64_t position)
{
    struct asked *one = user;

    FUZZ_PROMISE(position >= one->position);
    if (told(one)) {
        one->position = position; /* Only now is it handled. */
    }
}

static void
on_moved(void *user, uint64_t position, uint64_t head)
{
    (void)head;
    on_position(user, position);
}

static void
on_events(void *user, const struct acta_batch *batch)
{
    struct asked *one = user;
    uint64_t position = one->position;

    for (size_t i = 0; i < batch->events_count; i++) {
        FUZZ_PROMISE(batch->events[i]->position > position);
        position = batch->events[i]->position;
    }
    FUZZ_PROMISE(batch->position >= position);
    look_events(batch->events, batch->events_count);
    on_position(user, batch->position);
}

static void
on_claimed(void *user, uint64_t position, uint64_t epoch)
{
    struct asked *one = user;

    (void)epoch;
    one->position = position;
    (void)told(one);
}

static void
on_checkpoint(void *user, uint64_t position)
{
    (void)position;
    (void)told(user);
}

static void
on_sub_ended(void *user, const struct acta_err *err, uint64_t position)
{
    struct asked *one = user;

    FUZZ_PROMISE(position >= one->position);
    over(user, err);
}

static void
settle(struct asked *one, uint8_t what, uint64_t number)
{
    switch (what % 5) {
    case 0:
        acta_ack(one->member, number);
        break;
    case 1:
        acta_ack_up_to(one->member, number);
        break;
    case 2:
        acta_retry(one->member, number, 5);
        break;
    case 3:
        acta_park(one->member, number, "a reason");
        break;
    case 4:
        acta_skip(one->member, number);
        break;
    }
}

static void
on_event(void *user, const struct acta_handed *handed)
{
    const size_t room = sizeof(asked->numbers) / sizeof(asked->numbers[0]);
    struct asked *one = user;

    look_events(&handed->event, 1);
    one->numbers[one->numbers_count++ % room] = handed->number;
    if ((one->acts & ACT_SETTLE) != 0) {
        settle(one, (uint8_t)one->acts, handed->number);
    }
    (void)told(one);
}

static void
on_joined(void *user)
{
    (void)told(user);
}

static void
on_refused(void *user, const struct acta_refused *refused)
{
    look(refused, sizeof(*refused));
    (void)told(user);
}

static void
on_held(void *user, uint64_t fence)
{
    (void)fence;
    (void)told(user);
}

static void
on_ended(void *user, const struct acta_err *err)
{
    over(user, err);
}

/* ---- asking ---- */

void
asks_clear(void)
{
    memset(asked, 0, sizeof(asked));
}

size_t
asks_open(void)
{
    size_t count = 0;

    for (size_t i = 0; i < ASKED_MAX; i++) {
        count += asked[i].is_open;
    }
    return count;
}

/* With an id of @number, and with what a refusal can bring back. */
static uint64_t
append(struct acta_client *client, uint8_t number, void *user)
{
    struct acta_append *append = acta_append_new();
    struct acta_draft draft = acta_draft_of("T", "data", 4);
    struct acta_id id = {{number}};
    uint64_t request;

    draft.id = &id;
    acta_append_stream(append, "s-1", 3);
    acta_append_event(append, &draft);
    if (number % 2 == 0) {
        acta_append_command_id(append, &id);
        acta_append_unseen(append, 10, 1000);
        acta_append_checkpoint(append, "c", 1, ACTA_FROM_ANY, 2);
    }
    request = acta_append(client, append, 0, on_appended, user, NULL);
    acta_append_free(append);
    return request;
}

static void
subscribe(struct asked *one, const char *consumer)
{
    struct acta_follow follow = acta_follow_of(NULL, 0);

    follow.user = one;
    follow.on_events = on_events;
    follow.on_moved = on_moved;
    follow.on_caught_up = on_position;
    follow.on_fell_behind = on_position;
    follow.on_ended = on_sub_ended;
    follow.consumer = consumer;
    follow.on_claimed = on_claimed;
    follow.on_checkpoint = on_checkpoint;
    one->sub = acta_subscribe(*one->client, &follow, NULL);
}

static void
join(struct asked *one)
{
    struct acta_join join = acta_join_of("g", 5);

    join.user = one;
    join.on_event = on_event;
    join.on_joined = on_joined;
    join.on_refused = on_refused;
    join.on_ended = on_ended;
    one->member = acta_join(*one->client, &join, NULL);
}

static void
acquire(struct asked *one, uint64_t wait_ms)
{
    struct acta_acquire acquire = acta_acquire_of("l", 60);

    acquire.user = one;
    acquire.wait_ms = wait_ms;
    acquire.on_held = on_held;
    acquire.on_ended = on_ended;
    one->lease = acta_lease_acquire(*one->client, &acquire, NULL);
}

void
asks_begin(struct acta_client **clients, uint8_t number, unsigned acts)
{
    struct acta_client *client = *clients;
    struct acta_read read = acta_read_of_stream("s-1");
    struct acta_load load = acta_load_of("s-1");
    struct acta_settings settings = acta_settings_of(ACTA_SET_MAX_COUNT);
    struct acta_group group = acta_group_of(0);
    struct acta_id id = {{number}};
    uint64_t request = 0, position = 7;
    struct asked *one = asked;

    while (one < asked + ASKED_MAX && one->is_open) {
        one++;
    }
    if (one == asked + ASKED_MAX || client == NULL) {
        return;
    }
    *one = (struct asked){.is_open = true, .acts = acts, .client = clients};

#define ASK(name, ...) request = acta_##name(client, __VA_ARGS__, one, NULL)
    switch (number % 36) {
    case 0:
        ASK(ping, 0, on_number);
        break;
    case 1:
        ASK(status, 0, on_status);
        break;
    case 2:
    case 3:
        request = append(client, number, one);
        break;
    case 4:
        ASK(find_command, &id, 0, on_appended);
        break;
    case 5:
        ASK(read, &read, 0, on_page);
        break;
    case 6:
        read.stream = NULL;
        ASK(read, &read, 40, on_page);
        break;
    case 7:
        ASK(read_version, "s-1", 2, 0, on_page);
        break;
    case 8:
        ASK(read_id, &id, 0, on_page);
        break;
    case 9:
        load.has_version = number >= 128;
        load.version = 2;
        ASK(load, &load, 0, on_loaded);
        break;
    case 10:
        ASK(list, "s", NULL, 0, 0, on_streams);
        break;
    case 11:
        ASK(describe_stream, "s-1", 0, on_description);
        break;
    case 12:
        ASK(list_categories, NULL, NULL, 5, 0, on_names);
        break;
    case 13:
        ASK(list_tags, "t:", "t:1", 0, 0, on_names);
        break;
    case 14:
        ASK(find_time, 1234, 0, on_number);
        break;
    case 15:
        ASK(set_stream, "s-1", ACTA_EXPECT_ANY, &settings, 0, on_changed);
        break;
    case 16:
        ASK(tombstone_stream, "s-1", 3, 0, on_changed);
        break;
    case 17:
        ASK(erase_event, "s-1", 1, 0, on_changed);
        break;
    case 18:
        ASK(claim, "c", NULL, 0, 0, on_consumer_changed);
        break;
    case 19:
        ASK(create_group, "g", &group, 0, on_consumer_changed);
        break;
    case 20:
        ASK(wait_for, "c", 9, 100, on_consumer_changed);
        break;
    case 21:
        ASK(list_consumers, NULL, NULL, 0, 0, on_consumers);
        break;
    case 22:
        ASK(describe_consumer, "c", 0, on_consumer);
        break;
    case 23:
        ASK(list_parked, "g", 0, 0, 0, on_parked);
        break;
    case 24:
        ASK(replay_parked, "g", &position, 1, 0, on_number);
        break;
    case 25:
        ASK(list_leases, NULL, NULL, 0, 0, on_leases);
        break;
    case 26:
        ASK(list_schedules, NULL, NULL, 0, 0, on_schedules);
        break;
    case 27:
        subscribe(one, NULL);
        break;
    case 28:
        subscribe(one, "c");
        break;
    case 29:
        join(one);
        break;
    case 30:
        acquire(one, 0);
        break;
    case 31:
        acquire(one, 50);
        break;
    case 32:
        ASK(verify, 0, 0, 0, on_verification);
        break;
    case 33:
        ASK(begin_backup, 0, &id, 0, on_backup_begun);
        break;
    case 34:
        ASK(read_backup, ACTA_BACKUP_BASE, 100, 0, 0, on_backup_chunk);
        break;
    case 35:
        ASK(end_backup, 3, 0, on_number);
        break;
    }
#undef ASK
    /* Callbacks come later, so it is still what it was. */
    one->request = request;
    one->is_open = request != 0 || one->sub != NULL || one->member != NULL ||
                   one->lease != NULL;
}

void
asks_touch(struct asked *one, uint8_t what, uint8_t which)
{
    const size_t room = sizeof(one->numbers) / sizeof(one->numbers[0]);

    if (!one->is_open || *one->client == NULL) {
        return;
    }
    if (one->request != 0) {
        FUZZ_PROMISE(acta_cancel(*one->client, one->request) == ACTA_OK);
        FUZZ_PROMISE(!one->is_open || one->acts == 0);
        return;
    }
    if (what % 8 == 7) {
        end(one);
    } else if (one->lease != NULL) {
        acta_lease_renew(one->lease);
        look(&(bool){acta_lease_is_held(one->lease)}, sizeof(bool));
    } else if (one->sub != NULL && what % 8 == 0) {
        acta_pause(one->sub);
    } else if (one->sub != NULL && what % 8 == 1) {
        acta_resume(one->sub);
    } else if (one->sub != NULL) {
        acta_checkpoint(one->sub,
                        which % 2 == 0 ? acta_sub_position(one->sub) : which);
    } else if (what % 8 == 5) {
        acta_member_pause(one->member);
    } else if (what % 8 == 6) {
        acta_member_resume(one->member);
    } else {
        settle(one, what, which < 128 ? one->numbers[which % room] : which);
    }
}

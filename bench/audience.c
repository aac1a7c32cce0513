#include "audience.h"

#include <stdlib.h>

#include "clock.h"

struct audience_reader {
    struct audience *audience;
    struct acta_client *client;
    uint64_t start_ns;
};

/* ---- readers ---- */

static void on_page(void *user, const struct acta_err *err,
                    const struct acta_page *page);

static void
send_load(struct audience_reader *reader)
{
    struct audience *audience = reader->audience;
    char name[SAMPLE_NAME_SIZE];
    struct acta_read read;
    struct acta_err err;

    sample_stream(&audience->choice.bench->sample,
                  choice_stream(&audience->choice), name);
    read = acta_read_of_stream(name);
    reader->start_ns = clock_ns();
    if (acta_read(reader->client, &read, 0, on_page, reader, &err) == 0) {
        fleet_fail(audience->fleet, &err);
        return;
    }
    audience->under_way++;
}

static void
on_page(void *user, const struct acta_err *err, const struct acta_page *page)
{
    struct audience_reader *reader = user;
    struct audience *audience = reader->audience;
    uint64_t now_ns = clock_ns();

    (void)page;
    audience->under_way--;
    if (err != NULL) {
        fleet_fail(audience->fleet, err);
        return;
    }
    audience->loaded(audience->user, now_ns, now_ns - reader->start_ns);
    if (!audience->is_over) {
        send_load(reader);
    }
}

/* ---- followers ---- */

static void
on_events(void *user, const struct acta_batch *batch)
{
    struct audience *audience = user;
    uint64_t now_ns = clock_ns();

    for (size_t i = 0; i < batch->events_count; i++) {
        audience->delivered(audience->user, now_ns,
                            now_ns - sample_stamp(batch->events[i]));
    }
}

static void
on_caught_up(void *user, uint64_t position)
{
    struct audience *audience = user;

    (void)position;
    audience->caught_up++;
}

static void
on_ended(void *user, const struct acta_err *err, uint64_t position)
{
    struct audience *audience = user;

    (void)position;
    fleet_fail(audience->fleet, err);
}

static enum acta_code
follow_all(struct audience *audience, struct acta_err *err)
{
    size_t first = audience->first + audience->readers_count;
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; i < audience->followers_count; i++) {
        struct acta_client *client = fleet_client(audience->fleet, first + i);
        struct acta_follow follow =
            acta_follow_of(NULL, acta_server(client)->head);

        follow.user = audience;
        follow.on_events = on_events;
        follow.on_caught_up = on_caught_up;
        follow.on_ended = on_ended;
        if (acta_subscribe(client, &follow, err) == NULL) {
            return err->code;
        }
    }
    while (code == ACTA_OK && audience->caught_up < audience->followers_count) {
        code = fleet_turn(audience->fleet, err);
    }
    return code;
}

enum acta_code
audience_open(struct audience *audience, struct bench *bench,
              struct acta_err *err)
{
    enum acta_code code = choice_init(&audience->choice, bench, 1, err);

    if (code != ACTA_OK) {
        return code;
    }
    audience->readers =
        calloc(audience->readers_count + 1, sizeof(*audience->readers));
    if (audience->readers == NULL) {
        return acta_fail(err, ACTA_MEMORY, "readers");
    }
    for (size_t i = 0; i < audience->readers_count; i++) {
        audience->readers[i].audience = audience;
        audience->readers[i].client =
            fleet_client(audience->fleet, audience->first + i);
    }
    return follow_all(audience, err);
}

void
audience_close(struct audience *audience)
{
    free(audience->readers);
}

void
audience_start(struct audience *audience)
{
    for (size_t i = 0; i < audience->readers_count; i++) {
        send_load(&audience->readers[i]);
    }
}

void
audience_stop(struct audience *audience)
{
    audience->is_over = true;
}

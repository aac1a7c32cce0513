#include "load.h"

#include <acta/acta_append.h>
#include <acta/acta_sync.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "require.h"
#include "rnd.h"

#define CLIENTS_MAX   8
#define STREAMS       20
#define DATA_SIZE_MAX 400
#define TIMEOUT_MS    60000

struct client {
    pthread_t thread;
    struct load *load;
    unsigned number;
    struct rnd rnd;
    struct acta_append *append; /* owned */
};

struct load {
    const char *url;
    struct client clients[CLIENTS_MAX];
    unsigned count;
    atomic_bool stopping;
    _Atomic uint64_t acknowledged; /* Position. */
    _Atomic uint64_t events;
};

static void
note(struct load *load, uint64_t position)
{
    uint64_t before = atomic_load(&load->acknowledged);

    while (before < position && !atomic_compare_exchange_weak(
                                    &load->acknowledged, &before, position)) {
    }
    atomic_fetch_add(&load->events, 1);
}

static void
append(struct client *client, struct acta_sync *sync)
{
    const struct acta_appended *appended;
    uint8_t data[DATA_SIZE_MAX];
    struct acta_draft draft;
    struct acta_err err;
    enum acta_code code;
    struct acta_id id;
    char stream[40];
    size_t size = rnd_below(&client->rnd, sizeof(data));

    rnd_bytes(&client->rnd, data, size);
    snprintf(stream, sizeof(stream), "s-%u-%u", client->number,
             (unsigned)rnd_below(&client->rnd, STREAMS));
    draft = acta_draft_of("Noted", data, size);
    require(acta_id_new(&id, NULL) == ACTA_OK);
    draft.id = &id;
    acta_append_clear(client->append);
    acta_append_stream(client->append, stream, ACTA_EXPECT_ANY);
    acta_append_event(client->append, &draft);
    do {
        code = acta_sync_append(sync, client->append, &appended, &err);
    } while (code != ACTA_OK && !atomic_load(&client->load->stopping));
    if (code == ACTA_OK) {
        note(client->load, appended->position);
    }
}

static void *
run(void *arg)
{
    struct client *client = arg;
    struct acta_options options = acta_options_of(client->load->url);
    struct acta_sync *sync = NULL;
    struct acta_err err;

    options.timeout_ms = TIMEOUT_MS;
    options.connect_timeout_ms = TIMEOUT_MS;
    options.backoff_max_ms = 20;
    while (!atomic_load(&client->load->stopping)) {
        if (sync == NULL && acta_sync_open(&sync, &options, &err) != ACTA_OK) {
            continue;
        }
        append(client, sync);
    }
    acta_sync_close(sync);
    return NULL;
}

struct load *
load_start(const char *url, unsigned clients, uint64_t seed)
{
    struct load *load = calloc(1, sizeof(*load));

    require(load != NULL);
    require(clients <= CLIENTS_MAX);
    load->url = url;
    load->count = clients;
    for (unsigned i = 0; i < clients; i++) {
        struct client *client = &load->clients[i];

        client->load = load;
        client->number = i;
        client->append = acta_append_new();
        require(client->append != NULL);
        rnd_seed(&client->rnd, seed + i);
        require(pthread_create(&client->thread, NULL, run, client) == 0);
    }
    return load;
}

uint64_t
load_acknowledged(struct load *load)
{
    return atomic_load(&load->acknowledged);
}

uint64_t
load_stop(struct load *load)
{
    uint64_t events;

    atomic_store(&load->stopping, true);
    for (unsigned i = 0; i < load->count; i++) {
        require(pthread_join(load->clients[i].thread, NULL) == 0);
        acta_append_free(load->clients[i].append);
    }
    events = atomic_load(&load->events);
    free(load);
    return events;
}

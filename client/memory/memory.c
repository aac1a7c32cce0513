/* The store in memory, from outside: its life, its time, its clients. */

#include <assert.h>
#include <stdlib.h>

#include "client.h"
#include "connection.h"
#include "memory_group.h"
#include "sync.h"

#define START_US UINT64_C(946684800000000) /* 2000-01-01 00:00 UTC */

/* So far from the end of what 64 bits hold that whatever is due at some time
 * behind it, as delays and durations may be, is before that.
 */
#define END_US (UINT64_C(1) << 62)

struct acta_memory *
acta_memory_new(void)
{
    struct acta_memory *memory = calloc(1, sizeof(*memory));
    struct acta_id ids[2];
    struct acta_err err;

    if (memory == NULL || acta_id_new(&ids[0], &err) != ACTA_OK ||
        acta_id_new(&ids[1], &err) != ACTA_OK) {
        free(memory);
        return NULL;
    }
    memory->near = (struct near){
        .connect = memory_connect,
        .receive = memory_receive,
        .send = memory_send,
        .close = memory_close,
        .now_ms = memory_now_ms,
        .due_ms = memory_due_ms,
    };
    pthread_mutex_init(&memory->lock, NULL);
    memcpy(memory->server_id.bytes, ids[0].bytes, UUID_SIZE);
    memcpy(memory->database_id.bytes, ids[1].bytes, UUID_SIZE);
    memory->now_us = START_US;
    return memory;
}

static void
free_commands(struct ids *commands)
{
    for (size_t i = 0; i < commands->slots_count; i++) {
        struct id_node *next;

        for (struct id_node *node = commands->slots[i]; node != NULL;
             node = next) {
            next = node->next;
            free(((struct memory_command *)node)->runs);
            free(node);
        }
    }
    ids_fini(commands);
}

void
acta_memory_free(struct acta_memory *memory)
{
    if (memory == NULL) {
        return;
    }
    assert(memory->connections == NULL);
    memory_consumers_fini(memory);
    memory_leases_fini(memory);
    memory_schedules_fini(memory);
    free_commands(&memory->command_ids);
    memory_streams_fini(memory);
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}

/* ---- time ---- */

uint64_t
acta_memory_time(struct acta_memory *memory)
{
    uint64_t now_us;

    pthread_mutex_lock(&memory->lock);
    now_us = memory->now_us;
    pthread_mutex_unlock(&memory->lock);
    return now_us;
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When something happens by itself next. */
static uint64_t
next_due(const struct acta_memory *memory)
{
    uint64_t due_us = memory_leases_due(memory);

    due_us = earlier(due_us, memory_schedules_due(memory));
    due_us = earlier(due_us, memory_groups_due(memory));
    for (const struct memory_wait *wait = memory->waits; wait != NULL;
         wait = wait->next) {
        due_us = earlier(due_us, wait->until_us);
    }
    return due_us;
}

void
memory_move(struct acta_memory *memory, uint64_t time_us)
{
    uint64_t due_us;

    time_us = earlier(time_us, END_US);
    if (time_us <= memory->now_us) {
        return;
    }
    while ((due_us = next_due(memory)) <= time_us) {
        memory->now_us = due_us > memory->now_us ? due_us : memory->now_us;
        memory_react(memory);
    }
    memory->now_us = time_us;
    for (struct memory_connection *connection = memory->connections;
         connection != NULL; connection = connection->next) {
        memory_wake(connection);
    }
}

void
acta_memory_set_time(struct acta_memory *memory, uint64_t time_us)
{
    pthread_mutex_lock(&memory->lock);
    memory_move(memory, time_us);
    pthread_mutex_unlock(&memory->lock);
}

void
acta_memory_pass(struct acta_memory *memory, uint64_t duration_us)
{
    pthread_mutex_lock(&memory->lock);
    memory_move(memory, memory->now_us + earlier(duration_us, END_US));
    pthread_mutex_unlock(&memory->lock);
}

/* ---- clients ---- */

enum acta_code
acta_open_memory(struct acta_client **client, struct acta_memory *memory,
                 const struct acta_options *options,
                 const struct acta_loop *loop, struct acta_err *err)
{
    struct acta_options ours = acta_options_of("acta://memory");

    return client_new_near(client, options == NULL ? &ours : options, loop,
                           &memory->near, err);
}

enum acta_code
acta_sync_open_memory(struct acta_sync **sync, struct acta_memory *memory,
                      const struct acta_options *options, struct acta_err *err)
{
    struct acta_options ours = acta_options_of("acta://memory");

    return sync_open_near(sync, options == NULL ? &ours : options,
                          &memory->near, err);
}

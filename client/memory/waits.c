/* Those who wait: in line for a lease, or for a consumer to come to a position.
 */

#include <stdlib.h>

#include "limit.h"
#include "memory_handle.h"

enum acta_code
memory_check_waits(const struct memory_connection *connection,
                   struct acta_err *err)
{
    return connection->waits_count < ACTA_WAITS_MAX
               ? ACTA_OK
               : acta_fail(err, ACTA_TOO_LARGE,
                           "connection has %d requests that wait, the limit",
                           ACTA_WAITS_MAX);
}

struct memory_wait *
memory_add_wait(struct memory_connection *connection, uint64_t request_id,
                struct slice name, uint64_t wait_us,
                const struct memory_wait *before)
{
    struct acta_memory *memory = connection->memory;
    struct memory_wait *wait = memory_alloc(sizeof(*wait));
    struct memory_wait **at = &memory->waits;

    while (*at != before) {
        at = &(*at)->next;
    }
    wait->next = *at;
    *at = wait;
    connection->waits_count++;
    wait->connection = connection;
    wait->request_id = request_id;
    wait->name = memory_copy(name);
    wait->since_us = memory->now_us;
    wait->until_us = memory->now_us + wait_us;
    wait->tired_us = memory_machine_us() + wait_us;
    return wait;
}

void
memory_end_wait(struct acta_memory *memory, struct memory_wait *wait)
{
    struct memory_wait **at = &memory->waits;

    while (*at != wait) {
        at = &(*at)->next;
    }
    *at = wait->next;
    wait->connection->waits_count--;
    memory_free_copy(&wait->name);
    memory_free_copy(&wait->holder);
    free(wait);
}

void
memory_refuse_wait(struct acta_memory *memory, struct memory_wait *wait,
                   enum acta_code code, const char *text)
{
    struct acta_err err;

    acta_fail(&err, code, "%.*s: %s", (int)wait->name.size,
              (const char *)wait->name.data, text);
    memory_refuse(wait->connection, wait->request_id, &err);
    memory_end_wait(memory, wait);
}

void
memory_forget_waits(struct acta_memory *memory,
                    const struct memory_connection *connection)
{
    struct memory_wait *next;

    for (struct memory_wait *wait = memory->waits; wait != NULL; wait = next) {
        next = wait->next;
        if (wait->connection == connection) {
            memory_end_wait(memory, wait);
        }
    }
}

/* ---- consumers ---- */

static void
tell_position(struct memory_connection *connection, uint64_t id,
              const struct memory_consumer *consumer)
{
    struct msg_consumer_changed told = {
        .position = memory_consumer_position(consumer),
        .epoch = consumer->epoch,
    };

    msg_consumer_changed_encode(&connection->out, id, &told);
}

enum acta_code
handle_await(struct memory_connection *connection, uint64_t id,
             struct slice body, struct acta_err *err)
{
    const struct memory_consumer *consumer;
    struct memory_wait *wait;
    struct msg_await wanted;
    enum acta_code code = msg_await_decode(&wanted, body, err);

    if (code == ACTA_OK && wanted.timeout_us > 0) {
        code = memory_check_waits(connection, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    consumer = table_find(&connection->memory->consumers, wanted.consumer);
    if (consumer == NULL) {
        return acta_fail(err, ACTA_NOT_FOUND, "there is no such consumer");
    }
    if (memory_consumer_position(consumer) >= wanted.position) {
        tell_position(connection, id, consumer);
        return ACTA_OK;
    }
    if (wanted.timeout_us == 0) {
        return acta_fail(err, ACTA_TIMEOUT, "it is at position %ju",
                         (uintmax_t)memory_consumer_position(consumer));
    }
    wait = memory_add_wait(connection, id, wanted.consumer, wanted.timeout_us,
                           NULL);
    wait->position = wanted.position;
    return ACTA_OK;
}

/* ---- all of them ---- */

static void
look_at(struct acta_memory *memory, struct memory_wait *wait)
{
    const struct memory_consumer *consumer =
        wait->is_for_lease ? NULL : table_find(&memory->consumers, wait->name);

    if (!wait->is_for_lease && consumer == NULL) {
        memory_refuse_wait(memory, wait, ACTA_NOT_FOUND,
                           "the consumer was deleted");
    } else if (consumer != NULL &&
               memory_consumer_position(consumer) >= wait->position) {
        tell_position(wait->connection, wait->request_id, consumer);
        memory_end_wait(memory, wait);
    } else if (wait->until_us <= memory->now_us && wait->is_for_lease) {
        memory_refuse_wait(memory, wait, ACTA_HELD, "is held by another");
    } else if (wait->until_us <= memory->now_us) {
        memory_refuse_wait(memory, wait, ACTA_TIMEOUT,
                           "has not come to the position");
    }
}

void
memory_look_at_waits(struct acta_memory *memory)
{
    struct memory_wait *next;

    for (struct memory_wait *wait = memory->waits; wait != NULL; wait = next) {
        next = wait->next;
        look_at(memory, wait);
    }
}

uint64_t
memory_waited_to(const struct acta_memory *memory)
{
    uint64_t machine_us = memory->waits == NULL ? 0 : memory_machine_us();
    uint64_t time_us = memory->now_us;

    for (const struct memory_wait *wait = memory->waits; wait != NULL;
         wait = wait->next) {
        if (wait->tired_us <= machine_us && wait->until_us > time_us) {
            time_us = wait->until_us;
        }
    }
    return time_us;
}

/* Those who wait: in line for a lease, or for a consumer to come to a position.
 */

#include <stdlib.h>

#include "memory_handle.h"

struct memory_wait *
memory_add_wait(struct memory_connection *connection, uint64_t request_id,
                struct slice name, uint64_t wait_us)
{
    struct acta_memory *memory = connection->memory;
    struct memory_wait *wait = memory_alloc(sizeof(*wait));
    struct memory_wait **end = &memory->waits;

    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = wait;
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
    memory_free_copy(&wait->name);
    memory_free_copy(&wait->holder);
    free(wait);
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
    wait = memory_add_wait(connection, id, wanted.consumer, wanted.timeout_us);
    wait->position = wanted.position;
    return ACTA_OK;
}

/* ---- all of them ---- */

static void
refuse(const struct memory_wait *wait, enum acta_code code, const char *text)
{
    struct acta_err err;

    acta_fail(&err, code, "%.*s: %s", (int)wait->name.size,
              (const char *)wait->name.data, text);
    memory_refuse(wait->connection, wait->request_id, &err);
}

/* True if it was answered. */
static bool
look_at(struct acta_memory *memory, const struct memory_wait *wait)
{
    const struct memory_consumer *consumer =
        wait->is_for_lease ? NULL : table_find(&memory->consumers, wait->name);

    if (!wait->is_for_lease && consumer == NULL) {
        refuse(wait, ACTA_NOT_FOUND, "the consumer was deleted");
        return true;
    }
    if (consumer != NULL &&
        memory_consumer_position(consumer) >= wait->position) {
        tell_position(wait->connection, wait->request_id, consumer);
        return true;
    }
    if (wait->until_us > memory->now_us) {
        return false;
    }
    if (wait->is_for_lease) {
        refuse(wait, ACTA_HELD, "is held by another");
    } else {
        refuse(wait, ACTA_TIMEOUT, "has not come to the position");
    }
    return true;
}

void
memory_look_at_waits(struct acta_memory *memory)
{
    struct memory_wait *next;

    for (struct memory_wait *wait = memory->waits; wait != NULL; wait = next) {
        next = wait->next;
        if (look_at(memory, wait)) {
            memory_end_wait(memory, wait);
        }
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

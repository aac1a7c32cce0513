/* The calls of acta_lease.h that do not wait, but for the list. */

#include "client.h"
#include "lease.h"

struct acta_lease *
acta_lease_acquire(struct acta_client *client,
                   const struct acta_acquire *acquire, struct acta_err *err)
{
    uint64_t now_ms = client_now_ms(client);
    struct acta_lease *lease;

    client_enter(client);
    lease = lease_new(&client->core, acquire, now_ms, err);
    if (lease != NULL) {
        core_pump(&client->core, now_ms);
    }
    client_leave(client, now_ms);
    return lease;
}

bool
acta_lease_is_held(const struct acta_lease *lease)
{
    return lease_is_held(lease, client_now_ms(lease->core->owner));
}

uint64_t
acta_lease_left_ms(const struct acta_lease *lease)
{
    uint64_t now_ms = client_now_ms(lease->core->owner);

    return lease_is_held(lease, now_ms) ? lease->until_ms - now_ms : 0;
}

uint64_t
acta_lease_fence(const struct acta_lease *lease)
{
    return lease->fence;
}

void
acta_lease_renew(struct acta_lease *lease)
{
    struct acta_client *client = lease->core->owner;
    uint64_t now_ms = client_now_ms(client);

    client_enter(client);
    lease_renew(lease);
    core_pump(&client->core, now_ms);
    client_leave(client, now_ms);
}

void
acta_lease_release(struct acta_lease *lease)
{
    struct acta_client *client;
    uint64_t now_ms;

    if (lease == NULL) {
        return;
    }
    client = lease->core->owner;
    now_ms = client_now_ms(client);
    client_enter(client);
    lease_release(lease, NULL, NULL);
    core_pump(&client->core, now_ms);
    client_leave(client, now_ms);
}

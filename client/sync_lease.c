/* The calls of acta_lease.h, acta_schedule.h and acta_snapshot.h that wait. */

#include "client.h"
#include "given.h"
#include "lease.h"
#include "sync.h"

/* ---- leases ---- */

enum acta_code
acta_sync_acquire(struct acta_sync *sync, const struct acta_acquire *acquire,
                  struct acta_lease **lease, struct acta_err *err)
{
    struct acta_err why = {ACTA_OK, ""};
    struct acta_lease *made;
    struct acta_acquire ours;

    *lease = NULL;
    if (!given_copy(&ours, sizeof(ours), acquire)) {
        return acta_fail(err, ACTA_INVALID,
                         "lease is not of acta_acquire_of()");
    }
    ours.size = sizeof(ours);
    ours.on_held = NULL;
    ours.on_ended = NULL;
    made = acta_lease_acquire(sync->client, &ours, &why);
    if (made == NULL) {
        return acta_fail(err, why.code, "%s", why.text);
    }
    made->keeps_handle = true;
    acta_flush(sync->client);
    /* It gives up by itself. */
    while (made->state == LEASE_ASKING) {
        acta_poll_turn(&sync->loop, -1);
    }
    if (made->state != LEASE_HELD) {
        enum acta_code code =
            acta_fail(err, made->err.code, "%s", made->err.text);

        acta_lease_release(made);
        return code;
    }
    *lease = made;
    return ACTA_OK;
}

enum acta_code
acta_sync_renew(struct acta_sync *sync, struct acta_lease *lease,
                struct acta_err *err)
{
    uint64_t timeout_ms = sync->client->options.given.timeout_ms;
    uint64_t end_ms = acta_poll_now_ms() + timeout_ms;

    acta_lease_renew(lease);
    acta_flush(sync->client);
    while (lease->state == LEASE_HELD &&
           (lease->is_due || lease->request != 0)) {
        if (!sync_turn_until(sync, end_ms)) {
            return acta_fail(err, ACTA_TIMEOUT, "renewing took over %ju ms",
                             (uintmax_t)timeout_ms);
        }
    }
    return lease->state == LEASE_HELD
               ? ACTA_OK
               : acta_fail(err, lease->err.code, "%s", lease->err.text);
}

static void
on_gone(void *user)
{
    struct sync_call *call = user;

    call->done = true;
}

enum acta_code
acta_sync_release(struct acta_sync *sync, struct acta_lease *lease,
                  struct acta_err *err)
{
    uint64_t timeout_ms = sync->client->options.given.timeout_ms;
    uint64_t end_ms = acta_poll_now_ms() + timeout_ms;
    struct sync_call call = {0};

    if (lease == NULL) {
        return ACTA_OK;
    }
    client_enter(sync->client);
    lease_release(lease, on_gone, &call);
    client_leave(sync->client, client_now_ms(sync->client));
    acta_flush(sync->client);
    while (!call.done) {
        if (!sync_turn_until(sync, end_ms)) {
            /* It is still there, and will be given back. */
            lease->on_gone = NULL;
            return acta_fail(err, ACTA_UNKNOWN,
                             "giving the lease back took over %ju ms",
                             (uintmax_t)timeout_ms);
        }
    }
    return ACTA_OK;
}

static void
on_leases(void *user, const struct acta_err *err,
          const struct acta_leases *leases)
{
    (void)leases;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_list_leases(struct acta_sync *sync, const char *prefix,
                      const char *after, size_t count_max,
                      const struct acta_leases **leases, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_list_leases(client, prefix, after, count_max, 0,
                                   on_leases, &call, &call.err);

    *leases = &sync->answer.leases;
    return sync_wait(sync, id, &call, err);
}

/* ---- schedules ---- */

static void
on_schedules(void *user, const struct acta_err *err,
             const struct acta_schedules *schedules)
{
    (void)schedules;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_list_schedules(struct acta_sync *sync, const char *prefix,
                         const char *after, size_t count_max,
                         const struct acta_schedules **schedules,
                         struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_list_schedules(client, prefix, after, count_max, 0,
                                      on_schedules, &call, &call.err);

    *schedules = &sync->answer.schedules;
    return sync_wait(sync, id, &call, err);
}

/* ---- loading ---- */

static void
on_loaded(void *user, const struct acta_err *err,
          const struct acta_loaded *loaded)
{
    (void)loaded;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_load(struct acta_sync *sync, const struct acta_load *load,
               const struct acta_loaded **loaded, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_load(client, load, 0, on_loaded, &call, &call.err);

    *loaded = &sync->answer.loaded;
    return sync_wait(sync, id, &call, err);
}

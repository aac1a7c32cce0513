#include "lease.h"

#include <assert.h>
#include <stdlib.h>

#include "given.h"
#include "limit.h"
#include "msg_lease.h"
#include "name.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))

#define US_PER_MS UINT64_C(1000)

/* Of one request: who waits for longer asks again. */
#define WAIT_US_MAX ACTA_LEASE_US_MAX

/* Renewed when this part of the duration has passed. */
#define RENEWAL_PARTS 3

static uint64_t
add_ms(uint64_t a, uint64_t b)
{
    return a < UINT64_MAX - b ? a + b : UINT64_MAX;
}

/* ---- its life ---- */

/* The core has to look at the time when @at_ms has come. */
static void
wake_at(struct core *core, uint64_t at_ms)
{
    core->leases.due_ms = MIN(core->leases.due_ms, at_ms);
}

static void
set_due(struct acta_lease *lease)
{
    lease->core->leases.to_send += !lease->is_due;
    lease->is_due = true;
}

static void
clear_due(struct acta_lease *lease)
{
    lease->core->leases.to_send -= lease->is_due;
    lease->is_due = false;
}

static void
drop_request(struct acta_lease *lease)
{
    if (lease->request != 0) {
        core_drop(lease->core, lease->request);
        lease->request = 0;
    }
}

static void
lease_free(struct acta_lease *lease)
{
    free(lease->name);
    free(lease->holder);
    free(lease);
}

static void
remove_lease(struct acta_lease *lease)
{
    struct core_leases *leases = &lease->core->leases;
    void (*on_gone)(void *user) = lease->on_gone;
    void *user = lease->gone_user;

    drop_request(lease);
    clear_due(lease);
    if (lease->prev == NULL) {
        leases->first = lease->next;
    } else {
        lease->prev->next = lease->next;
    }
    if (lease->next == NULL) {
        leases->last = lease->prev;
    } else {
        lease->next->prev = lease->prev;
    }
    lease_free(lease);
    if (on_gone != NULL) {
        on_gone(user);
    }
}

/* Let the server know that nobody wants it: of a grant that may be under way
 * the fence is found out first.
 */
static void
let_go(struct acta_lease *lease)
{
    bool is_asking = lease->fence == 0 && lease->request != 0;

    lease->state = LEASE_LEAVING;
    if (!lease->was_asked) {
        remove_lease(lease);
    } else if (!is_asking) {
        drop_request(lease);
        set_due(lease);
    }
}

/* It is not held, and will not be. @is_known: by the server, too. */
static void
end(struct acta_lease *lease, const struct acta_err *why, bool is_known)
{
    struct acta_acquire acquire = lease->acquire;

    if (is_known) {
        lease->was_asked = false;
    }
    if (lease->keeps_handle) {
        drop_request(lease);
        clear_due(lease);
        lease->state = LEASE_OVER;
        lease->err = *why;
    } else {
        let_go(lease);
    }
    if (acquire.on_ended != NULL) {
        acquire.on_ended(acquire.user, why);
    }
}

static enum acta_code
check_acquire(const struct acta_acquire *acquire, const char *holder,
              struct acta_err *err)
{
    struct slice name = slice_of(acquire->name == NULL ? "" : acquire->name);
    enum acta_code code = name_check(name, ACTA_NAME_SIZE_MAX, "lease", err);

    if (code == ACTA_OK && holder[0] != '\0') {
        code = name_check(slice_of(holder), ACTA_NAME_SIZE_MAX, "holder", err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    if (acquire->duration_ms == 0) {
        return acta_fail(err, ACTA_INVALID, "lease without a duration");
    }
    if (acquire->duration_ms > ACTA_LEASE_US_MAX / US_PER_MS) {
        return acta_fail(err, ACTA_TOO_LARGE,
                         "lease for %ju ms, the limit is %ju",
                         (uintmax_t)acquire->duration_ms,
                         (uintmax_t)(ACTA_LEASE_US_MAX / US_PER_MS));
    }
    return ACTA_OK;
}

static void
add_lease(struct core *core, struct acta_lease *lease)
{
    lease->core = core;
    lease->serial = ++core->leases.serial;
    lease->prev = core->leases.last;
    if (lease->prev == NULL) {
        core->leases.first = lease;
    } else {
        lease->prev->next = lease;
    }
    core->leases.last = lease;
    set_due(lease);
    wake_at(core, lease->give_up_ms);
}

struct acta_lease *
lease_new(struct core *core, const struct acta_acquire *acquire,
          uint64_t now_ms, struct acta_err *err)
{
    struct acta_lease *lease = calloc(1, sizeof(*lease));
    const char *holder;

    if (lease == NULL) {
        acta_fail(err, ACTA_MEMORY, "lease");
        return NULL;
    }
    if (core->closing) {
        acta_fail(err, ACTA_CANCELLED, "client is closed");
        goto fail;
    }
    if (!given_copy(&lease->acquire, sizeof(lease->acquire), acquire)) {
        acta_fail(err, ACTA_INVALID, "lease is not of acta_acquire_of()");
        goto fail;
    }
    holder = lease->acquire.holder == NULL ? core->options->name
                                           : lease->acquire.holder;
    if (check_acquire(&lease->acquire, holder, err) != ACTA_OK ||
        acta_id_new(&lease->claim, err) != ACTA_OK) {
        goto fail;
    }
    lease->name = strdup(lease->acquire.name);
    lease->holder = strdup(holder);
    if (lease->name == NULL || lease->holder == NULL) {
        acta_fail(err, ACTA_MEMORY, "lease");
        goto fail;
    }
    lease->wait_until_ms = add_ms(now_ms, lease->acquire.wait_ms);
    lease->give_up_ms =
        add_ms(lease->wait_until_ms, core->options->given.timeout_ms);
    add_lease(core, lease);
    return lease;

fail:
    lease_free(lease);
    return NULL;
}

void
lease_renew(struct acta_lease *lease)
{
    if (lease->state == LEASE_HELD && lease->request == 0) {
        set_due(lease);
    }
}

void
lease_release(struct acta_lease *lease, void (*on_gone)(void *user), void *user)
{
    lease->acquire.on_held = NULL;
    lease->acquire.on_ended = NULL;
    lease->on_gone = on_gone;
    lease->gone_user = user;
    let_go(lease);
}

/* ---- what is sent ---- */

static void on_answer(void *user, const struct request *request,
                      const struct acta_err *err, const struct answer *answer);

static struct msg_change_lease
change_of(const struct acta_lease *lease, uint64_t now_ms)
{
    struct msg_change_lease change = {
        .name = slice_of(lease->name),
        .kind = MSG_LEASE_ACQUIRE,
        .holder = slice_of(lease->holder),
        .claim = lease->claim.bytes,
        .duration_us = lease->acquire.duration_ms * US_PER_MS,
        .fence = lease->fence,
    };
    uint64_t left_ms = 0;

    if (lease->state == LEASE_HELD) {
        change.kind = MSG_LEASE_RENEW;
    } else if (lease->state == LEASE_LEAVING && lease->fence != 0) {
        change.kind = MSG_LEASE_RELEASE;
    } else if (lease->state == LEASE_ASKING && now_ms < lease->wait_until_ms) {
        left_ms = lease->wait_until_ms - now_ms;
    }
    change.wait_us =
        left_ms < WAIT_US_MAX / US_PER_MS ? left_ms * US_PER_MS : WAIT_US_MAX;
    return change;
}

/* False: there is no room for a request now, or no memory. */
static bool
send_lease(struct acta_lease *lease, uint64_t now_ms)
{
    struct msg_change_lease change = change_of(lease, now_ms);
    struct core *core = lease->core;
    struct request *request;
    struct buf *buf;
    uint64_t id;

    buf = change.wait_us > 0 ? core_begin_wait(core, &id, NULL)
                             : core_begin(core, &id, NULL);
    if (buf == NULL) {
        return false;
    }
    msg_change_lease_encode(buf, id, &change);
    request = core_submit_own(core, OP_CHANGE_LEASE, on_answer, lease);
    if (request == NULL) {
        return false;
    }
    request->note = change.kind;
    lease->request = id;
    lease->asked_ms = now_ms;
    lease->was_asked = true;
    clear_due(lease);
    return true;
}

void
core_leases_send(struct core *core, uint64_t now_ms)
{
    struct acta_lease *lease = core->leases.first;

    while (lease != NULL && core->leases.to_send > 0) {
        if (lease->is_due) {
            /* Else an answer makes room, or there is more later. */
            (void)send_lease(lease, now_ms);
        }
        lease = lease->next;
    }
}

/* ---- what is answered ---- */

static void
refused(struct acta_lease *lease, const struct acta_err *err)
{
    enum acta_remedy remedy = acta_code_remedy(err->code);

    if (err->code == ACTA_CANCELLED) {
        return; /* All is over: core_leases_end() follows. */
    }
    if (err->code == ACTA_HELD && lease->state == LEASE_ASKING &&
        lease->core->now_ms < lease->wait_until_ms) {
        set_due(lease);
        return;
    }
    if (err->code != ACTA_HELD &&
        (remedy == ACTA_REMEDY_RETRY || remedy == ACTA_REMEDY_RESEND)) {
        set_due(lease);
        core_hold(lease->core, err, lease->core->now_ms);
    } else if (lease->state == LEASE_LEAVING) {
        remove_lease(lease);
    } else {
        end(lease, err, true);
    }
}

/* It is ours for the duration from when it was asked for, or from when its turn
 * came.
 */
static void
reckon(struct acta_lease *lease, const struct msg_lease_changed *changed)
{
    uint64_t since_ms = lease->asked_ms + changed->waited_us / US_PER_MS;

    lease->until_ms = since_ms + lease->acquire.duration_ms;
    lease->renew_ms =
        lease->acquire.no_renewal
            ? UINT64_MAX
            : since_ms + lease->acquire.duration_ms / RENEWAL_PARTS;
    wake_at(lease->core, MIN(lease->until_ms, lease->renew_ms));
    core_hold_no_longer(lease->core, lease->renew_ms);
}

static void
granted(struct acta_lease *lease, const struct msg_lease_changed *changed)
{
    lease->fence = changed->fence;
    reckon(lease, changed);
    if (lease->until_ms <= lease->core->now_ms) {
        /* The answer took too long: with the same claim it begins anew. */
        lease->fence = 0;
        set_due(lease);
        return;
    }
    lease->state = LEASE_HELD;
    if (lease->acquire.on_held != NULL) {
        lease->acquire.on_held(lease->acquire.user, lease->fence);
    }
}

static void
on_answer(void *user, const struct request *request, const struct acta_err *err,
          const struct answer *answer)
{
    struct acta_lease *lease = user;
    const struct msg_lease_changed *changed =
        answer == NULL ? NULL : &answer->lease;

    assert(lease->request == request->id);
    lease->request = 0;
    if (err != NULL) {
        refused(lease, err);
        return;
    }
    switch (lease->state) {
    case LEASE_ASKING:
        granted(lease, changed);
        break;
    case LEASE_HELD:
        reckon(lease, changed);
        break;
    case LEASE_LEAVING:
        if (request->note == MSG_LEASE_RELEASE) {
            remove_lease(lease);
        } else {
            lease->fence = changed->fence;
            set_due(lease);
        }
        break;
    case LEASE_OVER:
        break;
    }
}

/* ---- time, and the connection ---- */

/* True if the lease has ended. */
static bool
is_too_late(struct acta_lease *lease, uint64_t now_ms)
{
    struct acta_err why;

    if (lease->state == LEASE_HELD && now_ms >= lease->until_ms) {
        acta_fail(&why, ACTA_FENCED, "lease %.100s was not renewed in its time",
                  lease->name);
    } else if (lease->state == LEASE_ASKING && now_ms >= lease->give_up_ms) {
        acta_fail(&why, ACTA_TIMEOUT, "lease %.100s: no answer came",
                  lease->name);
    } else {
        return false;
    }
    end(lease, &why, false);
    return true;
}

static uint64_t
lease_due(const struct acta_lease *lease)
{
    bool is_renewing = lease->is_due || lease->request != 0;

    switch (lease->state) {
    case LEASE_ASKING:
        return lease->give_up_ms;
    case LEASE_HELD:
        return is_renewing ? lease->until_ms
                           : MIN(lease->until_ms, lease->renew_ms);
    case LEASE_LEAVING:
    case LEASE_OVER:
        break;
    }
    return UINT64_MAX;
}

uint64_t
core_leases_patience(const struct core *core, uint64_t now_ms)
{
    uint64_t patience_ms = UINT64_MAX;

    for (const struct acta_lease *lease = core->leases.first; lease != NULL;
         lease = lease->next) {
        if (lease->state == LEASE_HELD && lease->until_ms > now_ms) {
            uint64_t part_ms = (lease->until_ms - now_ms) / RENEWAL_PARTS;

            patience_ms =
                MIN(patience_ms, lease->renew_ms > now_ms ? lease->renew_ms
                                                          : now_ms + part_ms);
        }
    }
    return patience_ms;
}

void
core_leases_tick(struct core *core, uint64_t now_ms)
{
    struct acta_lease *lease = core->leases.first;
    uint64_t due_ms = UINT64_MAX;

    if (now_ms < core->leases.due_ms) {
        return;
    }
    while (lease != NULL) {
        if (is_too_late(lease, now_ms)) {
            /* Its callback may have changed the list. */
            lease = core->leases.first;
            due_ms = UINT64_MAX;
            continue;
        }
        if (lease->state == LEASE_HELD && now_ms >= lease->renew_ms) {
            lease_renew(lease);
        }
        due_ms = MIN(due_ms, lease_due(lease));
        lease = lease->next;
    }
    core->leases.due_ms = due_ms;
}

void
core_leases_lost(struct core *core)
{
    for (struct acta_lease *lease = core->leases.first; lease != NULL;
         lease = lease->next) {
        if (lease->request != 0) {
            lease->request = 0;
            set_due(lease);
        }
    }
}

void
core_leases_end(struct core *core, const struct acta_err *why)
{
    uint64_t youngest = core->leases.serial;
    struct acta_lease *lease = core->leases.first;

    while (lease != NULL && lease->serial <= youngest) {
        switch (lease->state) {
        case LEASE_ASKING:
        case LEASE_HELD:
            end(lease, why, true);
            lease = core->leases.first; /* Callbacks change the list. */
            break;
        case LEASE_LEAVING:
            remove_lease(lease);
            lease = core->leases.first;
            break;
        case LEASE_OVER:
            lease = lease->next;
            break;
        }
    }
}

void
core_leases_fini(struct core *core)
{
    while (core->leases.first != NULL) {
        remove_lease(core->leases.first);
    }
}

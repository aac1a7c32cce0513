#include "core.h"

#include <assert.h>
#include <stdlib.h>

#include "lease.h"
#include "limit.h"
#include "member.h"
#include "sub.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Read at once: little at first, more while a peer has more. */
#define ROOM_MIN ((size_t)64 << 10)
#define ROOM_MAX ((size_t)1 << 20)

/* Requests are copied for sending up to here; the rest waits where it is. */
#define OUT_FULL ((size_t)1 << 20)

/* Memory that an idle connection keeps. */
#define KEEP ((size_t)256 << 10)

enum acta_code
core_init(struct core *core, const struct options *options,
          struct acta_err *err)
{
    *core = (struct core){.options = options, .room_size = ROOM_MIN};
    core->leases.due_ms = UINT64_MAX;
    buf_init(&core->in, FRAME_HEADER_SIZE + ACTA_FRAME_SIZE_MAX + ROOM_MAX);
    buf_init(&core->out, 2 * ((size_t)ACTA_FRAME_SIZE_MAX + OUT_FULL));
    buf_init(&core->scratch, FRAME_HEADER_SIZE + (size_t)ACTA_FRAME_SIZE_MAX);
    return requests_init(&core->requests, options->given.requests_max, err);
}

void
core_fini(struct core *core)
{
    assert(core->subs.count == 0);
    assert(core->members.count == 0);
    core_leases_fini(core);
    requests_fini(&core->requests);
    free(core->subs.slots);
    free(core->members.slots);
    answer_fini(&core->answer);
    buf_fini(&core->in);
    buf_fini(&core->out);
    buf_fini(&core->scratch);
}

/* ---- ends of requests ---- */

/* What a change that may have been done ends with is UNKNOWN, whatever the
 * reason was.
 */
static struct acta_err
unknown_because_of(const struct acta_err *why)
{
    struct acta_err err;

    acta_fail(&err, ACTA_UNKNOWN, "it may have been done: %s", why->text);
    return err;
}

/* End a request that got no answer. */
static void
fail_request(struct core *core, struct request *request,
             const struct acta_err *why)
{
    bool may_be_done = request->sent || request->doubtful;
    struct acta_err err = *why;

    if (request_is_change(request) && may_be_done &&
        why->code != ACTA_CANCELLED) {
        err = unknown_because_of(why);
    }
    requests_remove(&core->requests, request);
    request_finish(request, &err, NULL);
    free(request);
}

/* End those requests that there are now, not those that callbacks make. */
static void
fail_requests(struct core *core, const struct acta_err *why)
{
    uint64_t youngest = core->requests.serial;
    struct request *request;

    while ((request = requests_first(&core->requests)) != NULL &&
           request->id >> REQUEST_SLOT_BITS <= youngest) {
        fail_request(core, request, why);
    }
}

/* End all that would last. */
static void
end_all(struct core *core, const struct acta_err *why)
{
    subs_end(core, why);
    members_end(core, why);
    core_leases_end(core, why);
}

void
core_shutdown(struct core *core)
{
    struct acta_err why;

    acta_fail(&why, ACTA_CANCELLED, "client is closed");
    core->closing = true;
    fail_requests(core, &why);
    end_all(core, &why);
}

void
core_drop(struct core *core, uint64_t id)
{
    struct request *request = requests_find(&core->requests, id);

    if (request != NULL) {
        requests_remove(&core->requests, request);
        free(request);
    }
}

enum acta_code
core_cancel(struct core *core, uint64_t id)
{
    struct request *request = requests_find(&core->requests, id);
    struct acta_err why;

    if (request == NULL) {
        return ACTA_NOT_FOUND;
    }
    acta_fail(&why, ACTA_CANCELLED, "request was cancelled");
    fail_request(core, request, &why);
    return ACTA_OK;
}

void
core_set_timeout(struct core *core, uint64_t id, uint64_t timeout_ms,
                 uint64_t now_ms)
{
    struct request *request = requests_find(&core->requests, id);

    if (request != NULL) {
        request->deadline_ms = now_ms + timeout_ms;
        core->requests.deadline_ms =
            MIN(core->requests.deadline_ms, request->deadline_ms);
    }
}

/* ---- connection ---- */

void
core_connected(struct core *core, uint64_t now_ms)
{
    struct msg_hello hello = {
        .protocol_min = PROTOCOL_VERSION,
        .protocol_max = PROTOCOL_VERSION,
        .client = slice_of(core->options->name),
        .database = slice_of(core->options->database),
    };

    assert(core->state == CORE_DOWN);
    core->state = CORE_HELLO;
    core->useful = false;
    core->heard_ms = now_ms;
    core->pinged_ms = 0;
    core->room_size = ROOM_MIN;
    msg_hello_encode(&core->out, CORE_ID_HELLO, &hello);
}

static void
tell_link(const struct core *core, bool up, const struct acta_err *why)
{
    const struct acta_options *given = &core->options->given;

    if (given->on_link != NULL && !core->closing) {
        given->on_link(given->user, up, why);
    }
}

void
core_lost(struct core *core, const struct acta_err *why, uint64_t now_ms)
{
    bool was_ready = core->state == CORE_READY;

    core->now_ms = now_ms;
    core->state = CORE_DOWN;
    core->trouble = *why;
    buf_clear(&core->in);
    buf_clear(&core->out);
    buf_trim(&core->in, 0);
    buf_trim(&core->out, 0);
    requests_lost(&core->requests);
    core->members.is_stuck = false;
    subs_lost(core);
    members_lost(core);
    core_leases_lost(core);
    if (was_ready) {
        tell_link(core, false, why);
    }
}

void
core_unreachable(struct core *core, const struct acta_err *why)
{
    core->trouble = *why;
    tell_link(core, false, why);
}

/* ---- sending ---- */

bool
core_is_passing(enum acta_code code)
{
    return code == ACTA_BUSY || code == ACTA_STOPPING || code == ACTA_UNKNOWN;
}

void
core_hold(struct core *core, const struct acta_err *why, uint64_t now_ms)
{
    const struct acta_options *given = &core->options->given;

    core->trouble = *why;
    if (now_ms < core->hold_until_ms) {
        return; /* Others were refused at the same time. */
    }
    core->hold_ms = core->hold_ms == 0
                        ? given->backoff_min_ms
                        : MIN(core->hold_ms * 2, given->backoff_max_ms);
    core->hold_until_ms =
        MAX(now_ms + given->backoff_min_ms,
            MIN(now_ms + core->hold_ms, core_leases_patience(core, now_ms)));
}

void
core_hold_no_longer(struct core *core, uint64_t at_ms)
{
    core->hold_until_ms = MIN(core->hold_until_ms, at_ms);
}

void
core_is_well(struct core *core)
{
    core->useful = true;
    core->hold_ms = 0;
    core->trouble.code = ACTA_OK;
}

static bool
something_is_awaited(const struct core *core)
{
    return core->requests.sent.first != NULL ||
           core->subs.count > core->subs.idle ||
           core->members.count > core->members.idle;
}

static bool
may_send(const struct core *core)
{
    const struct requests *requests = &core->requests;

    return requests->waiting.first != NULL &&
           (requests->on_wire < core->server.limits.requests_max ||
            request_id_waits(requests->waiting.first->id)) &&
           buf_size(&core->out) < OUT_FULL;
}

void
core_pump(struct core *core, uint64_t now_ms)
{
    core->now_ms = now_ms;
    if (core->state != CORE_READY || now_ms < core->hold_until_ms) {
        return;
    }
    core->hold_until_ms = 0;
    if (!something_is_awaited(core)) {
        core->heard_ms = now_ms; /* The silence is counted from here. */
    }
    subs_send(core);
    members_send(core);
    core_leases_send(core, now_ms);
    while (may_send(core)) {
        struct request *request = core->requests.waiting.first;

        buf_append(&core->out, request->frame, request->size);
        requests_mark_sent(&core->requests);
    }
}

void
core_written(struct core *core, size_t size, uint64_t now_ms)
{
    buf_consume(&core->out, size);
    buf_trim(&core->out, 2 * OUT_FULL);
    core_pump(core, now_ms);
}

static struct buf *
begin(struct core *core, bool is_wait, uint64_t *id, struct acta_err *err)
{
    const struct acta_options *given = &core->options->given;

    if (core->closing) {
        acta_fail(err, ACTA_CANCELLED, "client is closed");
        return NULL;
    }
    *id = requests_next_id(&core->requests, is_wait);
    if (*id == 0 || core->requests.size >= given->requests_size_max) {
        acta_fail(err, ACTA_BUSY,
                  "%zu requests of %zu bytes wait for answers; the limits are "
                  "%zu and %zu, and %d for a lease or a consumer",
                  core->requests.count, core->requests.size,
                  given->requests_max, given->requests_size_max,
                  ACTA_WAITS_MAX);
        return NULL;
    }
    core->begun_id = *id;
    buf_clear(&core->scratch);
    buf_trim(&core->scratch, KEEP);
    return &core->scratch;
}

struct buf *
core_begin(struct core *core, uint64_t *id, struct acta_err *err)
{
    return begin(core, false, id, err);
}

struct buf *
core_begin_wait(struct core *core, uint64_t *id, struct acta_err *err)
{
    return begin(core, true, id, err);
}

struct request *
core_submit(struct core *core, uint64_t timeout_ms, uint64_t now_ms,
            struct acta_err *err)
{
    struct request *request;

    if (timeout_ms == 0) {
        timeout_ms = core->options->given.timeout_ms;
    }
    if (buf_failed(&core->scratch)) {
        acta_fail(err, buf_failure(&core->scratch),
                  "request, whose limit is %u bytes", ACTA_FRAME_SIZE_MAX);
        return NULL;
    }
    request =
        requests_add(&core->requests, core->begun_id, buf_slice(&core->scratch),
                     timeout_ms < UINT64_MAX - now_ms ? now_ms + timeout_ms
                                                      : UINT64_MAX - 1);
    if (request == NULL) {
        acta_fail(err, ACTA_MEMORY, "request of %zu bytes",
                  buf_size(&core->scratch));
    }
    return request;
}

struct request *
core_submit_own(struct core *core, enum opcode kind, request_on_own *done,
                void *user)
{
    struct acta_err err;
    struct request *request = core_submit(core, UINT64_MAX, 0, &err);

    if (request == NULL) {
        core_hold(core, &err, core->now_ms);
        return NULL;
    }
    request->kind = kind;
    request->is_own = true;
    request->is_bound = true;
    request->done.own = done;
    request->user = user;
    return request;
}

/* ---- receiving ---- */

uint8_t *
core_room(struct core *core, size_t *size)
{
    *size = core->room_size;
    return buf_reserve(&core->in, core->room_size);
}

static void
copy_text(char *to, size_t to_size, struct slice text)
{
    size_t size = MIN(text.size, to_size - 1);

    memcpy(to, text.data, size);
    to[size] = '\0';
}

static void
remember_server(struct core_server *server, const struct msg_welcome *welcome)
{
    const struct msg_limits *limits = &welcome->limits;

    memcpy(server->server_id.bytes, welcome->server_id.bytes, UUID_SIZE);
    memcpy(server->database_id.bytes, welcome->database_id.bytes, UUID_SIZE);
    copy_text(server->version, sizeof(server->version),
              welcome->server_version);
    copy_text(server->database, sizeof(server->database), welcome->database);
    server->limits = (struct acta_limits){
        .frame_size_max = limits->frame_size_max,
        .event_size_max = limits->event_size_max,
        .append_size_max = limits->append_size_max,
        .append_events_max = limits->append_events_max,
        .append_checks_max = limits->append_checks_max,
        .append_conditions_max = limits->append_conditions_max,
        .unseen_events_max = limits->unseen_events_max,
        .stream_size_max = limits->stream_size_max,
        .type_size_max = limits->type_size_max,
        .tag_size_max = limits->tag_size_max,
        .tags_max = limits->tags_max,
        .page_size_max = limits->page_size_max,
        .query_items_max = limits->query_items_max,
        .query_terms_max = limits->query_terms_max,
        .requests_max = limits->requests_max,
        .subscriptions_max = limits->subscriptions_max,
    };
    server->told = (struct acta_server){
        .version = server->version,
        .database = server->database,
        .server_id = &server->server_id,
        .database_id = &server->database_id,
        .head = welcome->head,
        .limits = &server->limits,
    };
}

/* True if @request is about what the database has that it was made for: reads
 * are of any.
 */
static bool
is_bound_to_database(const struct request *request)
{
    return request_is_change(request) || request->kind == OP_AWAIT;
}

/* Another database answers at the address, as one that was restored: what was
 * asked of the one before cannot be gone on with. A change that was sent may
 * have been done there. One that was not was decided from what is there, and
 * must not be made here. Reads can go on.
 */
static void
database_has_changed(struct core *core)
{
    uint64_t youngest = core->requests.serial;
    struct request *request;
    struct acta_err why;

    acta_fail(&why, ACTA_INVALID,
              "another database answers at this address now");
    end_all(core, &why);
    why.code = ACTA_FENCED;
    request = core->requests.waiting.first;
    while (request != NULL && !core->closing &&
           request->id >> REQUEST_SLOT_BITS <= youngest) {
        if (is_bound_to_database(request)) {
            fail_request(core, request, &why);
            /* Its callback may have changed the list. */
            request = core->requests.waiting.first;
        } else {
            request = request->next;
        }
    }
}

static enum acta_code
handle_welcome(struct core *core, struct slice body, uint64_t now_ms,
               struct acta_err *err)
{
    struct msg_welcome welcome;
    enum acta_code code = msg_welcome_decode(&welcome, body, err);
    bool other;

    if (code != ACTA_OK) {
        return code;
    }
    if (welcome.protocol != PROTOCOL_VERSION ||
        welcome.limits.requests_max == 0) {
        return acta_fail(err, ACTA_PROTOCOL,
                         "server welcomes to protocol version %ju",
                         (uintmax_t)welcome.protocol);
    }
    other =
        core->server_known && memcmp(core->server.database_id.bytes,
                                     welcome.database_id.bytes, UUID_SIZE) != 0;
    remember_server(&core->server, &welcome);
    core->server_known = true;
    core->state = CORE_READY;
    core->trouble.code = ACTA_OK;
    if (other) {
        database_has_changed(core);
    }
    tell_link(core, true, NULL);
    core_pump(core, now_ms);
    return ACTA_OK;
}

/* The server does not want to speak with us, or to nobody now. If it is for
 * good, nothing has to wait for it.
 */
static enum acta_code
handle_refusal(struct core *core, struct frame *frame, uint8_t *body,
               struct acta_err *err)
{
    struct acta_err refusal;
    enum acta_code code = answer_read(&core->answer, OP_ERROR, body,
                                      frame->body.size, &refusal, err);

    if (code != ACTA_OK) {
        return code;
    }
    if (core->state == CORE_HELLO &&
        acta_code_remedy(refusal.code) == ACTA_REMEDY_FIX) {
        fail_requests(core, &refusal);
        end_all(core, &refusal);
    }
    return acta_fail(err, refusal.code, "server: %s", refusal.text);
}

/* True if the refusal tells what became of the request for good. One that says
 * that the server could not do it now, for want of disk space for example, says
 * so of this sending only: a change that was sent before may have been done
 * then.
 */
static bool
is_settled(const struct request *request, const struct acta_err *refusal)
{
    enum acta_remedy remedy = acta_code_remedy(refusal->code);

    if (request->kind == OP_CHANGE_STREAM && request->doubtful &&
        refusal->code == ACTA_CONFLICT) {
        return false; /* It may be in its own way: it expected the stream to
                         exist, and has deleted it. */
    }
    if (request->kind == OP_APPEND && request->doubtful && !request->is_known) {
        return false; /* The same: what it moved has taken place by now, or what
                         it was fenced by is over. */
    }
    return !request_is_change(request) || !request->doubtful ||
           remedy == ACTA_REMEDY_RELOAD || remedy == ACTA_REMEDY_FIX;
}

/* A load notes the version that the caller has, plus 1. */
static bool
is_not_modified(const struct request *request, const struct answer *answer)
{
    return request->kind == OP_LOAD && request->note != 0 &&
           request->note - 1 == answer->page.version;
}

/* It would be answered like that again: so it is not asked again. */
static enum acta_code
fail_unreadable(struct core *core, struct request *request,
                const struct acta_err *why)
{
    enum acta_code code = why->code;

    fail_request(core, request, why);
    return code;
}

static enum acta_code
handle_reply(struct core *core, struct request *request, uint8_t kind,
             uint8_t *body, size_t size, uint64_t now_ms, struct acta_err *err)
{
    struct answer *answer =
        request->answer == NULL ? &core->answer : request->answer;
    bool is_error = kind == OP_ERROR;
    struct acta_err refusal;
    enum acta_code code;

    if (!request->sent) {
        return acta_fail(err, ACTA_PROTOCOL,
                         "kind 0x%02x answers a request that was not sent",
                         kind);
    }
    if (!is_error && kind != request_reply_kind(request->kind)) {
        acta_fail(err, ACTA_PROTOCOL,
                  "kind 0x%02x does not answer a request of kind 0x%02x", kind,
                  request->kind);
        return fail_unreadable(core, request, err);
    }
    code = answer_read(answer, kind, body, size, &refusal, err);
    if (code != ACTA_OK) {
        return code == ACTA_PROTOCOL ? fail_unreadable(core, request, err)
                                     : code;
    }
    core->requests.on_wire -= !request_id_waits(request->id);
    if (is_error && core_is_passing(refusal.code)) {
        request->doubtful |= refusal.code == ACTA_UNKNOWN;
        requests_mark_waiting(&core->requests, request);
        core_hold(core, &refusal, now_ms);
        return ACTA_OK;
    }
    if (is_error && !is_settled(request, &refusal)) {
        refusal = unknown_because_of(&refusal);
    }
    answer->appended.by_command =
        answer->appended.repeated && request->is_command;
    answer->loaded.not_modified = is_not_modified(request, answer);
    core_is_well(core);
    requests_remove(&core->requests, request);
    request_finish(request, is_error ? &refusal : NULL, answer);
    free(request);
    return ACTA_OK;
}

/* Nobody waits for this frame: the answer to what was given up, or to a ping.
 */
static enum acta_code
handle_stray(struct core *core, const struct frame *frame, struct acta_err *err)
{
    size_t slot = REQUEST_SLOT(frame->request_id);

    if (frame->request_id >> REQUEST_SLOT_BITS > core->requests.serial) {
        return acta_fail(err, ACTA_PROTOCOL,
                         "kind 0x%02x answers a request that was not made",
                         frame->kind);
    }
    if (slot < REQUEST_SLOTS_MAX && core->requests.on_wire > 0) {
        core->requests.on_wire--;
    }
    return ACTA_OK;
}

static enum acta_code
handle_frame(struct core *core, struct frame *frame, uint8_t *body,
             uint64_t now_ms, struct acta_err *err)
{
    struct acta_member *member;
    struct request *request;
    struct acta_sub *sub;

    if (frame->kind == OP_ERROR &&
        (core->state == CORE_HELLO || frame->request_id == 0)) {
        return handle_refusal(core, frame, body, err);
    }
    if (core->state == CORE_HELLO) {
        if (frame->kind != OP_WELCOME) {
            return acta_fail(err, ACTA_PROTOCOL,
                             "kind 0x%02x comes before welcome", frame->kind);
        }
        return handle_welcome(core, frame->body, now_ms, err);
    }
    request = requests_find(&core->requests, frame->request_id);
    if (request != NULL) {
        return handle_reply(core, request, frame->kind, body, frame->body.size,
                            now_ms, err);
    }
    sub = subs_find(core, frame->request_id);
    if (sub != NULL) {
        return sub_receive(sub, frame->kind, body, frame->body.size, now_ms,
                           err);
    }
    member = members_find(core, frame->request_id);
    if (member != NULL) {
        return member_receive(member, frame->kind, body, frame->body.size,
                              now_ms, err);
    }
    return handle_stray(core, frame, err);
}

enum acta_code
core_received(struct core *core, size_t size, uint64_t now_ms,
              struct acta_err *err)
{
    enum acta_code code;
    struct frame frame;
    size_t used;

    core->now_ms = now_ms;
    core->heard_ms = now_ms;
    core->pinged_ms = 0;
    core->members.is_stuck = false;
    core->room_size =
        size == core->room_size ? MIN(2 * size, ROOM_MAX) : core->room_size;
    buf_advance(&core->in, size);
    while (!core->closing) {
        struct slice bytes = buf_slice(&core->in);

        code = frame_decode(&frame, &used, bytes, ACTA_FRAME_SIZE_MAX, err);
        if (code != ACTA_OK) {
            return code;
        }
        if (used == 0) {
            break;
        }
        code = handle_frame(core, &frame,
                            core->in.data + core->in.start + FRAME_HEADER_SIZE,
                            now_ms, err);
        if (code != ACTA_OK) {
            return code;
        }
        buf_consume(&core->in, used);
    }
    if (core->room_size == ROOM_MIN) {
        buf_trim(&core->in, KEEP);
    }
    core_pump(core, now_ms);
    return ACTA_OK;
}

/* ---- time ---- */

/* True if there is something to be sent when the server is well again. */
static bool
something_waits(const struct core *core, bool members_due)
{
    return core->requests.waiting.first != NULL || core->subs.idle > 0 ||
           core->subs.moving > 0 || core->members.idle > 0 || members_due ||
           core->leases.to_send > 0;
}

uint64_t
core_due(const struct core *core)
{
    uint64_t silence_ms = core->options->given.silence_ms;
    uint64_t due_ms = MIN(core->requests.deadline_ms, core->leases.due_ms);
    bool members_due = core->state == CORE_READY && members_are_due(core);

    if (core->subs.behind > 0 || (members_due && core->hold_until_ms == 0)) {
        return 0;
    }
    if (core->state == CORE_READY && something_is_awaited(core)) {
        uint64_t since_ms =
            core->pinged_ms != 0 ? core->pinged_ms : core->heard_ms;

        due_ms = MIN(due_ms, since_ms + silence_ms);
    }
    if (core->state == CORE_READY && core->hold_until_ms != 0 &&
        something_waits(core, members_due)) {
        due_ms = MIN(due_ms, core->hold_until_ms);
    }
    return due_ms;
}

static void
expire(struct core *core, uint64_t now_ms)
{
    struct request *request;

    while (!core->closing &&
           (request = requests_expired(&core->requests, now_ms)) != NULL) {
        struct acta_err why;

        acta_fail(&why, ACTA_TIMEOUT, "deadline has passed%s%s",
                  core->trouble.code == ACTA_OK ? "" : ": ",
                  core->trouble.code == ACTA_OK ? "" : core->trouble.text);
        fail_request(core, request, &why);
    }
}

static enum acta_code
listen_to_silence(struct core *core, uint64_t now_ms, struct acta_err *err)
{
    uint64_t silence_ms = core->options->given.silence_ms;

    if (core->state != CORE_READY || !something_is_awaited(core)) {
        return ACTA_OK;
    }
    if (core->pinged_ms != 0) {
        if (now_ms - core->pinged_ms < silence_ms) {
            return ACTA_OK;
        }
        return acta_fail(err, ACTA_TIMEOUT, "server has been silent for %ju ms",
                         (uintmax_t)(now_ms - core->heard_ms));
    }
    if (now_ms - core->heard_ms >= silence_ms) {
        msg_empty_encode(&core->out, OP_PING, CORE_ID_PING);
        core->pinged_ms = now_ms;
    }
    return ACTA_OK;
}

enum acta_code
core_tick(struct core *core, uint64_t now_ms, struct acta_err *err)
{
    enum acta_code code;

    core->now_ms = now_ms;
    code = subs_catch_up(core, err);
    if (code == ACTA_OK) {
        code = members_catch_up(core, err);
    }
    if (code == ACTA_OK) {
        code = listen_to_silence(core, now_ms, err);
    }
    expire(core, now_ms);
    core_leases_tick(core, now_ms);
    core_pump(core, now_ms);
    return code;
}

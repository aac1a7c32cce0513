/* acta_verify.h: the request, its answer, and the call that waits. */

#include <acta/acta_verify.h>

#include "answer.h"
#include "client.h"
#include "msg_verify.h"
#include "sync.h"

uint64_t
acta_verify(struct acta_client *client, uint64_t verification, uint64_t rate,
            uint64_t timeout_ms, acta_on_verification *done, void *user,
            struct acta_err *err)
{
    struct msg_verify verify = {verification, rate};
    struct buf *buf;
    uint64_t id;

    buf = core_begin(&client->core, &id, err);
    if (buf == NULL) {
        return 0;
    }
    msg_verify_encode(buf, id, &verify);
    return client_submit(client, OP_VERIFY, timeout_ms,
                         (union request_done){.verification = done}, user, err);
}

enum acta_code
answer_read_verified(struct answer *answer, uint8_t *body, struct slice base,
                     struct acta_err *err)
{
    struct acta_problem *problems;
    struct msg_verified verified;
    enum acta_code code = msg_verified_decode(&verified, base, err);

    if (code != ACTA_OK) {
        return code;
    }
    problems =
        answer_make_list(answer, verified.problems_count, sizeof(*problems));
    if (problems == NULL) {
        return acta_fail(err, ACTA_MEMORY, "list of problems");
    }
    for (size_t i = 0; i < verified.problems_count; i++) {
        problems[i] = (struct acta_problem){
            view_terminate(body, base, verified.problems[i].file),
            answer_terminate(body, base, verified.problems[i].text),
        };
    }
    answer->verification = (struct acta_verification){
        .id = verified.id,
        .is_done = verified.is_done,
        .read = verified.read,
        .size = verified.size,
        .problems_found = verified.problems_found,
        .head = verified.head,
        .pages = verified.pages,
        .has_tables = verified.has_tables,
        .events = verified.events,
        .streams = verified.streams,
        .lists = verified.lists,
        .ids = verified.ids,
        .rows = verified.rows,
        .segments = verified.segments,
        .entries = verified.entries,
        .first_entry = verified.first_entry,
        .last_entry = verified.last_entry,
        .problems = answer->list,
        .problems_count = verified.problems_count,
    };
    return ACTA_OK;
}

static void
on_verification(void *user, const struct acta_err *err,
                const struct acta_verification *verification)
{
    (void)verification;
    sync_call_done(user, err);
}

enum acta_code
acta_sync_verify(struct acta_sync *sync, uint64_t verification, uint64_t rate,
                 const struct acta_verification **result, struct acta_err *err)
{
    struct acta_client *client = sync_begin(sync);
    struct sync_call call = {0};
    uint64_t id = acta_verify(client, verification, rate, 0, on_verification,
                              &call, &call.err);

    *result = &sync->answer.verification;
    return sync_wait(sync, id, &call, err);
}

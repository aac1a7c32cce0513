/* find-command: what came of a command, as the append that made it was told. */

#include "handle.h"

#include <stdlib.h>

#include "command.h"
#include "limit.h"
#include "msg.h"

static enum acta_code
find_runs(struct session *session, const uint8_t *id, struct msg_run **runs,
          size_t *count, struct acta_err *err)
{
    enum acta_code code;
    struct buf row;
    bool found;

    *runs = NULL;
    if (!database_keeps_commands(session->host->database)) {
        return acta_fail(err, ACTA_UNSUPPORTED,
                         "this database was made to keep no command ids");
    }
    buf_init(&row, SIZE_MAX);
    code = reader_get_row(session->host->reader, ROW_COMMAND,
                          slice_make(id, UUID_SIZE), &row, &found, err);
    if (code == ACTA_OK && !found) {
        code = acta_fail(err, ACTA_NOT_FOUND, "no command has this id");
    }
    if (code == ACTA_OK) {
        code = command_decode(runs, count, buf_slice(&row), err);
    }
    buf_fini(&row);
    return code;
}

void
handle_find_command(struct session *session, const struct frame *frame)
{
    struct msg_run *runs = NULL;
    struct acta_err err;
    const uint8_t *id;
    size_t count, start;
    enum acta_code code = msg_find_command_decode(&id, frame->body, &err);

    if (code == ACTA_OK) {
        code = find_runs(session, id, &runs, &count, &err);
    }
    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    start = msg_appended_begin(session->out, frame->request_id, true, count);
    for (size_t i = 0; i < count; i++) {
        msg_appended_run(session->out, &runs[i]);
    }
    msg_appended_end(session->out, start, 0);
    free(runs);
}

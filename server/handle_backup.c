/* begin-backup, read-backup, end-backup. The backup is the connection's. */

#include "handle.h"

#include "backup.h"
#include "log.h"
#include "msg_backup.h"

void
handle_begin_backup(struct session *session, const struct frame *frame)
{
    struct msg_begin_backup begin;
    struct msg_backup_begun begun;
    struct acta_err err;
    enum acta_code code = msg_begin_backup_decode(&begin, frame->body, &err);

    if (code == ACTA_OK && session->backup != NULL) {
        code = acta_fail(&err, ACTA_BUSY,
                         "a backup is under way on this connection");
    }
    if (code == ACTA_OK) {
        code = backup_begin(&session->backup, session->host->database, &begin,
                            &begun, &err);
    }
    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    session->backup_ended = NULL;
    log_info(log_event("backup-begun"), log_number("connection", session->id),
             log_number("base", begun.has_base),
             log_number("after", begun.sequence));
    msg_backup_begun_encode(session->out, frame->request_id, &begun);
}

static enum acta_code
find_backup(const struct session *session, struct acta_err *err)
{
    if (session->backup != NULL) {
        return ACTA_OK;
    }
    if (session->backup_ended != NULL) {
        return acta_fail(err, ACTA_NOT_FOUND, "the server ended the backup: %s",
                         session->backup_ended);
    }
    return acta_fail(err, ACTA_NOT_FOUND,
                     "no backup is under way on this connection");
}

void
handle_read_backup(struct session *session, const struct frame *frame)
{
    struct msg_read_backup read;
    struct msg_backup_chunk chunk;
    struct acta_err err;
    enum acta_code code = msg_read_backup_decode(&read, frame->body, &err);

    if (code == ACTA_OK) {
        code = find_backup(session, &err);
    }
    if (code == ACTA_OK) {
        code = backup_read(session->backup, &read, &chunk, &err);
    }
    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    msg_backup_chunk_encode(session->out, frame->request_id, &chunk);
}

void
handle_end_backup(struct session *session, const struct frame *frame)
{
    struct acta_err err;
    uint64_t sequence;
    enum acta_code code =
        msg_number_decode(&sequence, OP_END_BACKUP, frame->body, &err);

    if (code == ACTA_OK) {
        code = find_backup(session, &err);
    }
    if (code != ACTA_OK) {
        session_error(session, frame->request_id, code, err.text);
        return;
    }
    log_info(log_event("backup-ended"), log_number("connection", session->id),
             log_number("has", sequence));
    sequence = backup_end(session->backup, sequence);
    session->backup = NULL;
    msg_number_encode(session->out, OP_BACKUP_ENDED, frame->request_id,
                      sequence);
}

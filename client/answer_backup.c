/* Replies about backups. */

#include "answer.h"
#include "msg_backup.h"

enum acta_code
answer_read_backup_begun(struct answer *answer, uint8_t *body,
                         struct slice base, struct acta_err *err)
{
    struct msg_backup_begun begun;
    enum acta_code code = msg_backup_begun_decode(&begun, base, err);

    if (code != ACTA_OK) {
        return code;
    }
    answer->backup_begun = (struct acta_backup_begun){
        .has_base = begun.has_base,
        .sequence = begun.sequence,
        .position = begun.position,
        .last = begun.last,
        .head = begun.head,
        .size = begun.size,
        .reason = answer_terminate(body, base, begun.reason),
    };
    return ACTA_OK;
}

enum acta_code
answer_read_backup_chunk(struct answer *answer, struct slice base,
                         struct acta_err *err)
{
    struct msg_backup_chunk chunk;
    enum acta_code code = msg_backup_chunk_decode(&chunk, base, err);

    if (code != ACTA_OK) {
        return code;
    }
    answer->backup_chunk = (struct acta_backup_chunk){
        .bytes = chunk.bytes.data,
        .bytes_size = chunk.bytes.size,
        .checksum = chunk.checksum,
        .at_end = chunk.at_end,
        .sequence = chunk.sequence,
        .last = chunk.last,
        .grown = chunk.grown,
    };
    return ACTA_OK;
}

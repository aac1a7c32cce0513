/* A server that passes over fields of a request that it does not know. */

#include "msg_body.h"

void __wrap_msg_request_begin(struct pack_reader *reader, struct slice body,
                              size_t fields, struct acta_err *err);

void
__wrap_msg_request_begin(struct pack_reader *reader, struct slice body,
                         size_t fields, struct acta_err *err)
{
    msg_reply_begin(reader, body, fields, err);
}

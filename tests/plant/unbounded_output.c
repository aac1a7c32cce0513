/* The server holds nothing back for a peer that is slow to read: output is
 * never full.
 */

#include "session.h"

void __real_session_init(struct session *session, struct session_host *host,
                         uint64_t id, struct buf *out);
void __wrap_session_init(struct session *session, struct session_host *host,
                         uint64_t id, struct buf *out);

void
__wrap_session_init(struct session *session, struct session_host *host,
                    uint64_t id, struct buf *out)
{
    host->limits.output_high = SIZE_MAX;
    __real_session_init(session, host, id, out);
}

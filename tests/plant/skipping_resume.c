/* A subscription that is made again after its connection was lost begins one
 * position too late.
 */

#include "msg.h"

void __real_msg_subscribe_encode(struct buf *to, uint64_t request_id,
                                 const struct msg_subscribe *subscribe);
void __wrap_msg_subscribe_encode(struct buf *to, uint64_t request_id,
                                 const struct msg_subscribe *subscribe);

void
__wrap_msg_subscribe_encode(struct buf *to, uint64_t request_id,
                            const struct msg_subscribe *subscribe)
{
    struct msg_subscribe mistaken = *subscribe;

    mistaken.after += mistaken.after > 0;
    __real_msg_subscribe_encode(to, request_id, &mistaken);
}

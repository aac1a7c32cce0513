/* Which databases this program can measure: Acta always, others if their
 * client libraries were there when it was built.
 */

#include "peer.h"

extern const struct peer_kind peer_acta;
#ifdef PEERS_POSTGRES
extern const struct peer_kind peer_postgres;
#endif
#ifdef PEERS_REDIS
extern const struct peer_kind peer_redis;
#endif
#ifdef PEERS_NATS
extern const struct peer_kind peer_jetstream;
extern const struct peer_kind peer_jetstream_lax;
#endif

const struct peer_kind *const peer_kinds[] = {
    &peer_acta,
#ifdef PEERS_POSTGRES
    &peer_postgres,
#endif
#ifdef PEERS_REDIS
    &peer_redis,
#endif
#ifdef PEERS_NATS
    &peer_jetstream,
    &peer_jetstream_lax,
#endif
    NULL,
};

/* The server of NATS that peer_nats.c is a client of. */

#ifndef ACTA_PEERS_JETSTREAM_H
#define ACTA_PEERS_JETSTREAM_H

#include "peer.h"

#define NATS_URL_SIZE 64

/* Start the server, with the stream "events". NOT_FOUND: it is not installed.
 */
enum acta_code nats_start(struct peer *peer, char version[PEER_TEXT_SIZE],
                          struct acta_err *err);

void nats_url(const struct peer *peer, char url[NATS_URL_SIZE]);

#endif

/* The server of PostgreSQL that peer_postgres.c is a client of. */

#ifndef ACTA_PEERS_POSTGRES_H
#define ACTA_PEERS_POSTGRES_H

#include <libpq-fe.h>

#include "peer.h"

/* Make a database with its tables, and start the server. NOT_FOUND: it is not
 * installed.
 */
enum acta_code postgres_start(struct peer *peer, char version[PEER_TEXT_SIZE],
                              struct acta_err *err);

/* Connect, with or without synchronous commits as peer->durable says. The
 * caller frees what is returned, whatever its status.
 */
PGconn *postgres_connect(const struct peer *peer);

#endif

/* The server: a listener, I/O threads, and one database behind them.
 *
 * One thread accepts and hands connections to the I/O threads in turn. (With a
 * listening socket of its own for each I/O thread, the kernel would spread
 * connections by a hash: unevenly, where there are few; and those in the queue
 * of a thread that may not accept more would be stuck there.) At the limit of
 * connections it pauses: clients wait in the kernel's queue until another
 * closes. The limit leaves some of the process's descriptors to files; if the
 * system has none left all the same, it pauses too, and tries again.
 */

#ifndef ACTA_SERVER_H
#define ACTA_SERVER_H

#include "address.h"
#include "config.h"
#include "database.h"
#include "err.h"

struct server;

/* Listen where @config says. Who connects waits for server_start().
 *
 * IN_USE   The address is in use.
 * IO, MEMORY  The text says what could not be done.
 */
enum acta_code server_listen(struct server **server,
                             const struct config *config,
                             struct acta_err *err) ACTA_CHECKED;

/* Serve @database, which outlives the server, as @config says. After a failure
 * the server is to be freed.
 *
 * IO, MEMORY  The text says what could not be done.
 */
enum acta_code server_start(struct server *server, const struct config *config,
                            struct database *database,
                            struct acta_err *err) ACTA_CHECKED;

/* Where it listens, with the port that it really has. */
const struct address *server_address(const struct server *server);

/* Stop in order: accept no more, refuse new requests and appends, have what is
 * in flight answered, close every connection; all in the time that the
 * configuration allows, after which what is left is cut. Any thread, once.
 */
void server_stop(struct server *server);

/* Free a server that was stopped, or never started; @server may be NULL. The
 * database must be closed by now: its writer may hold appends of connections
 * that were cut.
 */
void server_free(struct server *server);

#endif

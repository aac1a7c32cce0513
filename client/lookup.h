/* Looking up a host's addresses without waiting.
 *
 * A name may take a server far away, and getaddrinfo() waits for it: so it is
 * called by a thread of its own, which lives as long as the look-up and shares
 * nothing but it. Addresses in figures are known at once.
 *
 * lookup_start() to lookup_free() are called by one thread.
 */

#ifndef ACTA_CLIENT_LOOKUP_H
#define ACTA_CLIENT_LOOKUP_H

#include "options.h"

struct addrinfo;
struct lookup;

/* Start to look up @host. *@lookup is the caller's, to be freed by
 * lookup_free(); it is NULL if this fails. MEMORY, IO.
 */
enum acta_code lookup_start(struct lookup **lookup, const struct host *host,
                            struct acta_err *err) ACTA_CHECKED;

/* A descriptor that can be read when the look-up is done. */
int lookup_fd(const struct lookup *lookup);

/* Take the addresses of a look-up that may be done: *@addresses is then the
 * caller's, to be freed by freeaddrinfo().
 *
 * BUSY: it is not done yet. UNREACHABLE: the name has no address.
 */
enum acta_code lookup_take(struct lookup *lookup, struct addrinfo **addresses,
                           struct acta_err *err) ACTA_CHECKED;

/* Forget it, done or not. May be NULL. */
void lookup_free(struct lookup *lookup);

#endif

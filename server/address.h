/* Addresses of sockets as texts: "127.0.0.1:2282", "[::1]:2282",
 * "localhost:2282". Names other than localhost are not looked up: where a
 * server listens should not depend on a name server. Any thread.
 */

#ifndef ACTA_ADDRESS_H
#define ACTA_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "err.h"

#define ADDRESS_TEXT_SIZE 64

struct address {
    struct sockaddr_storage storage;
    socklen_t size;
};

/* Read a text. INVALID says what is wrong with it. */
enum acta_code address_parse(struct address *address, const char *text,
                             struct acta_err *err) ACTA_CHECKED;

/* Write it as address_parse() reads it. */
void address_format(const struct address *address,
                    char text[static ADDRESS_TEXT_SIZE]);

/* True if only this machine can reach it. */
bool address_is_loopback(const struct address *address);

unsigned address_port(const struct address *address);

#endif

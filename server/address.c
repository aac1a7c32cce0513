#include "address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
parse_port(const char *text, in_port_t *port)
{
    unsigned long number = 0;

    if (*text == '\0' || strlen(text) > 5) {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        number = number * 10 + (unsigned long)(*text - '0');
    }
    *port = htons((in_port_t)number);
    return number <= 65535;
}

static bool
parse_ipv4(struct address *address, const char *host, in_port_t port)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&address->storage;

    in->sin_family = AF_INET;
    in->sin_port = port;
    address->size = sizeof(*in);
    return inet_pton(AF_INET, host, &in->sin_addr) == 1;
}

static bool
parse_ipv6(struct address *address, const char *host, in_port_t port)
{
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)&address->storage;

    in->sin6_family = AF_INET6;
    in->sin6_port = port;
    address->size = sizeof(*in);
    return inet_pton(AF_INET6, host, &in->sin6_addr) == 1;
}

enum acta_code
address_parse(struct address *address, const char *text, struct acta_err *err)
{
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN];
    bool is_ipv6 = text[0] == '[';
    const char *from = is_ipv6 ? text + 1 : text;
    const char *to = is_ipv6 && colon != NULL ? colon - 1 : colon;
    in_port_t port;

    *address = (struct address){0};
    if (colon == NULL || !parse_port(colon + 1, &port) || to < from ||
        (is_ipv6 && *to != ']') || (size_t)(to - from) >= sizeof(host)) {
        return acta_fail(err, ACTA_INVALID,
                         "\"%s\" is not an address and a port, such as "
                         "127.0.0.1:2282 or [::1]:2282",
                         text);
    }
    memcpy(host, from, (size_t)(to - from));
    host[to - from] = '\0';
    if (strcmp(host, "localhost") == 0) {
        strcpy(host, "127.0.0.1");
    }
    if (is_ipv6 ? !parse_ipv6(address, host, port)
                : !parse_ipv4(address, host, port)) {
        return acta_fail(err, ACTA_INVALID,
                         "\"%s\" is not an IP address: names are not looked "
                         "up, an IPv6 address stands in brackets",
                         host);
    }
    return ACTA_OK;
}

void
address_format(const struct address *address,
               char text[static ADDRESS_TEXT_SIZE])
{
    char host[INET6_ADDRSTRLEN] = "";

    if (address->storage.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in =
            (const struct sockaddr_in6 *)&address->storage;

        inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
        snprintf(text, ADDRESS_TEXT_SIZE, "[%s]:%u", host,
                 address_port(address));
    } else {
        const struct sockaddr_in *in =
            (const struct sockaddr_in *)&address->storage;

        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        snprintf(text, ADDRESS_TEXT_SIZE, "%s:%u", host, address_port(address));
    }
}

bool
address_is_loopback(const struct address *address)
{
    if (address->storage.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in =
            (const struct sockaddr_in6 *)&address->storage;

        return IN6_IS_ADDR_LOOPBACK(&in->sin6_addr);
    } else {
        const struct sockaddr_in *in =
            (const struct sockaddr_in *)&address->storage;

        return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
    }
}

unsigned
address_port(const struct address *address)
{
    if (address->storage.ss_family == AF_INET6) {
        return ntohs(
            ((const struct sockaddr_in6 *)&address->storage)->sin6_port);
    }
    return ntohs(((const struct sockaddr_in *)&address->storage)->sin_port);
}

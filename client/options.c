#include "options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "given.h"
#include "limit.h"
#include "name.h"

#define SCHEME "acta://"

#define TIMEOUT_MS_MAX (1000ull * 60 * 60 * 24 * 365)

_Static_assert(ACTA_PORT_DEFAULT == 2282, "as in PORT_DEFAULT");
#define PORT_DEFAULT "2282"

static bool
is_port(const char *text)
{
    unsigned long port = 0;

    for (const char *at = text; *at != '\0'; at++) {
        if (!isdigit((unsigned char)*at) || at - text == 5) {
            return false;
        }
        port = port * 10 + (unsigned long)(*at - '0');
    }
    return port > 0 && port <= 65535;
}

/* Take "host", "host:port", "[v6]" or "[v6]:port" apart, in place. */
static enum acta_code
parse_host(struct host *host, char *text, struct acta_err *err)
{
    char *after;

    if (text[0] == '[') {
        after = strchr(text, ']');
        if (after == NULL) {
            return acta_fail(err, ACTA_INVALID, "\"%s\" has no ]", text);
        }
        *after++ = '\0';
        text++;
    } else {
        after = text + strcspn(text, ":");
    }
    host->name = text;
    host->port = PORT_DEFAULT;
    if (*after == ':') {
        *after = '\0';
        host->port = after + 1;
    } else if (*after != '\0') {
        return acta_fail(err, ACTA_INVALID, "\"%s\" follows a host", after);
    }
    if (host->name[0] == '\0') {
        return acta_fail(err, ACTA_INVALID, "a host's name is empty");
    }
    if (!is_port(host->port)) {
        return acta_fail(err, ACTA_INVALID,
                         "port \"%s\" is no number from 1 to 65535",
                         host->port);
    }
    return ACTA_OK;
}

static enum acta_code
parse_url(struct options *options, char *url, struct acta_err *err)
{
    char *slash, *next;

    if (strncmp(url, SCHEME, strlen(SCHEME)) != 0) {
        return acta_fail(err, ACTA_INVALID, "does not begin with " SCHEME);
    }
    url += strlen(SCHEME);
    slash = strchr(url, '/');
    options->database = "";
    if (slash != NULL) {
        *slash = '\0';
        options->database = slash + 1;
    }
    if (options->database[0] != '\0' &&
        name_check(slice_of(options->database), ACTA_DATABASE_NAME_SIZE_MAX,
                   "database", err) != ACTA_OK) {
        return acta_fail(err, ACTA_INVALID, "\"%s\" is no name of a database",
                         options->database);
    }
    for (char *host = url; host != NULL; host = next) {
        enum acta_code code;

        next = strchr(host, ',');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (options->hosts_count == OPTIONS_HOSTS_MAX) {
            return acta_fail(err, ACTA_INVALID, "has over %d hosts",
                             OPTIONS_HOSTS_MAX);
        }
        code = parse_host(&options->hosts[options->hosts_count], host, err);
        if (code != ACTA_OK) {
            return code;
        }
        options->hosts_count++;
    }
    return ACTA_OK;
}

static enum acta_code
check_numbers(const struct acta_options *given, struct acta_err *err)
{
    const struct {
        const char *name;
        uint64_t value, min, max;
    } checks[] = {
        {"timeout_ms", given->timeout_ms, 1, TIMEOUT_MS_MAX},
        {"connect_timeout_ms", given->connect_timeout_ms, 1, TIMEOUT_MS_MAX},
        {"backoff_min_ms", given->backoff_min_ms, 1, TIMEOUT_MS_MAX},
        {"backoff_max_ms", given->backoff_max_ms, given->backoff_min_ms,
         TIMEOUT_MS_MAX},
        {"silence_ms", given->silence_ms, 1, TIMEOUT_MS_MAX},
        {"requests_max", given->requests_max, 1, 32768},
        {"requests_size_max", given->requests_size_max, 4096, SIZE_MAX / 4},
        {"credit_size", given->credit_size, 1024, 1u << 30},
        {"busy_poll_us", given->busy_poll_us, 0, 1000},
    };

    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        if (checks[i].value < checks[i].min ||
            checks[i].value > checks[i].max) {
            return acta_fail(
                err, ACTA_INVALID, "option %s is %ju, must be %ju to %ju",
                checks[i].name, (uintmax_t)checks[i].value,
                (uintmax_t)checks[i].min, (uintmax_t)checks[i].max);
        }
    }
    return ACTA_OK;
}

enum acta_code
options_init(struct options *options, const struct acta_options *given,
             struct acta_err *err)
{
    struct acta_err inner;
    enum acta_code code;
    size_t url_size;
    char *name;

    *options = (struct options){0};
    if (!given_copy(&options->given, sizeof(options->given), given) ||
        options->given.url == NULL) {
        return acta_fail(err, ACTA_INVALID,
                         "options are not of acta_options_of()");
    }
    code = check_numbers(&options->given, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (options->given.name == NULL) {
        options->given.name = "";
    }
    if (options->given.name[0] != '\0') {
        code = name_check(slice_of(options->given.name),
                          ACTA_CLIENT_NAME_SIZE_MAX, "option name", err);
        if (code != ACTA_OK) {
            return code;
        }
    }

    url_size = strlen(options->given.url) + 1;
    options->memory = malloc(url_size + strlen(options->given.name) + 1);
    if (options->memory == NULL) {
        return acta_fail(err, ACTA_MEMORY, "options");
    }
    memcpy(options->memory, options->given.url, url_size);
    name = options->memory + url_size;
    memcpy(name, options->given.name, strlen(options->given.name) + 1);
    options->name = name;
    code = parse_url(options, options->memory, &inner);
    if (code != ACTA_OK) {
        options_fini(options);
        return acta_fail(err, code, "%s: %s", given->url, inner.text);
    }
    return ACTA_OK;
}

void
options_fini(struct options *options)
{
    free(options->memory);
    *options = (struct options){0};
}

/* Options as the client uses them: checked, with the hosts of the URL taken
 * apart. Read by any thread once made.
 */

#ifndef ACTA_CLIENT_OPTIONS_H
#define ACTA_CLIENT_OPTIONS_H

#include <acta/acta.h>

#define OPTIONS_HOSTS_MAX 16

struct host {
    const char *name; /* Without the brackets of an IPv6 address. */
    const char *port; /* In figures. */
};

struct options {
    struct acta_options given; /* url, name: not to be used. */
    struct host hosts[OPTIONS_HOSTS_MAX];
    size_t hosts_count;
    const char *database; /* "": the server's default. */
    const char *name;     /* May be "". */
    char *memory;         /* owned: all texts */
};

/* Check and copy. INVALID says what is wrong; MEMORY. After OK the options are
 * to be freed by options_fini().
 */
enum acta_code options_init(struct options *options,
                            const struct acta_options *given,
                            struct acta_err *err) ACTA_CHECKED;
void options_fini(struct options *options);

#endif

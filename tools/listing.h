/* Lists of what has names, page after page: the command line that all of them
 * have, and the loop. One thread.
 */

#ifndef ACTA_LISTING_H
#define ACTA_LISTING_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd.h"
#include "limit.h"
#include "table.h"

/* For the help of commands that list. */
#define LISTING_HELP                                                           \
    "  --prefix TEXT      the same as PREFIX: only names that begin so\n"      \
    "  -n, --count COUNT  this many at most\n"

struct listing {
    char *prefix; /* NULL: all. */
    uint64_t count_max;
    char last[ACTA_STREAM_SIZE_MAX + 1]; /* What was printed last. */
    bool at_end;
    struct table table; /* Of what is printed as rows. */
};

/* Print the next page, and say listing_passed() of each that was printed. */
typedef enum acta_code listing_page(struct cli *cli, struct listing *listing,
                                    struct acta_err *err);

/* Read the command line, connect, and print all pages of @what ("streams").
 * What to exit with.
 */
int listing_command(struct cli *cli, int argc, char **argv, const char *what,
                    listing_page *page);

/* Nothing was printed, since there are no @what whose names begin with @prefix,
 * which may be NULL. It is told to people, who else see nothing at all; for
 * programs no line is the answer.
 */
void listing_tell_none(const struct cli *cli, const char *what,
                       const char *prefix);

/* Behind which name the next page begins; NULL: at the start. */
const char *listing_after(const struct listing *listing);

/* How many to ask for at once; 0: as many as the server gives. */
size_t listing_page_count(const struct listing *listing);

/* @name was printed: the next page comes behind it. */
void listing_passed(struct listing *listing, const char *name);

/* A * says what a prefix says anyhow. */
void listing_take_prefix(struct listing *listing, char *text);

#endif

/* The shop's programs, each a role:
 *
 *     shop commands acta://127.0.0.1 8080
 *
 * takes commands over HTTP, and decides about them. See usage() for the others.
 * Each may be killed at any time, and started again. There may be any number of
 * workers; of the others one that is started takes over from the one before.
 */

#include <stdio.h>
#include <stdlib.h>

#include "roles.h"

static const struct {
    const char *name, *arguments, *text;
    int arguments_count;
    role_fn *run;
} roles[] = {
    {"commands", "PORT", "take commands over HTTP", 1, commands_run},
    {"workers", "", "handle the commands that fulfilment has", 0, workers_run},
    {"fulfilment", "MS", "lead each order to its end; pay within MS", 1,
     fulfilment_run},
    {"payments", "", "ask the provider for payments", 0, payments_run},
    {"orders", "FILE", "keep orders by customer in SQLite", 1, orders_run},
    {"levels", "WHERE", "keep levels of stock in WHERE, a file of SQLite", 1,
     levels_run},
    {"queries", "PORT FILE WHERE", "answer queries over HTTP from the two", 3,
     queries_run},
};

#define ROLES_COUNT (sizeof(roles) / sizeof(roles[0]))

static int
usage(void)
{
    fprintf(stderr, "usage: shop ROLE acta://HOST:PORT [ARGUMENT...]\n\n");
    for (size_t i = 0; i < ROLES_COUNT; i++) {
        fprintf(stderr, "  %-10s %-16s %s\n", roles[i].name, roles[i].arguments,
                roles[i].text);
    }
    fprintf(stderr,
            "  %-10s %-16s or postgresql://..., where it was built with that\n",
            "", "");
    return 2;
}

int
main(int argc, char **argv)
{
    for (size_t i = 0; argc >= 3 && i < ROLES_COUNT; i++) {
        if (strcmp(argv[1], roles[i].name) == 0 &&
            argc == 3 + roles[i].arguments_count) {
            struct acta_options options = acta_options_of(argv[2]);
            struct acta_err err = {ACTA_OK, ""};
            enum acta_code code;
            char name[30];

            snprintf(name, sizeof(name), "shop %s", argv[1]);
            options.name = name;
            code = roles[i].run(&options, argv + 3, &err);
            if (code != ACTA_OK) {
                fprintf(stderr, "shop %s: %s (%s)\n", argv[1], err.text,
                        acta_code_name(code));
            }
            return code == ACTA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
    return usage();
}

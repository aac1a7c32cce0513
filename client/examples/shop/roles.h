/* What runs the shop: each role is a program of its own, which ends with OK
 * when it is told to by SIGINT or SIGTERM, and else with what was in its way.
 * Whoever starts it starts it again then.
 */

#ifndef SHOP_ROLES_H
#define SHOP_ROLES_H

#include <acta/acta_dispatch.h>
#include <acta/acta_projection.h>

/* @options say where the server is; @arguments are those of the command line.
 */
typedef enum acta_code role_fn(const struct acta_options *options,
                               char **arguments, struct acta_err *err);

role_fn commands_run;
role_fn workers_run;
role_fn fulfilment_run;
role_fn payments_run;
role_fn orders_run;
role_fn levels_run;
role_fn queries_run;

/* Run a projection, until it fails or a signal comes. */
enum acta_code run_projection(const struct acta_projection *projection,
                              const struct acta_options *options,
                              struct acta_err *err);

/* All of the shop's deciders. */
struct deciders {
    struct acta_upcasters *upcasters;
    struct acta_decider *order, *payment, *stock;
    struct acta_registry *registry;
};

void deciders_init(struct deciders *deciders);
void deciders_fini(struct deciders *deciders);

#endif

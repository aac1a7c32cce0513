/* Handles orders together with others of its kind: a member of a group, which
 * is made if it is not there.
 *
 *     worker acta://127.0.0.1:2282 shippers
 *
 * Start as many as there is work for. Each order is with one of them at a time,
 * and its events come in order; what one that is killed had in hand goes to the
 * others. An event that cannot be handled is parked, with the reason:
 *
 *     acta consumer parked ls shippers
 */

#include <acta/acta_group.h>
#include <acta/acta_sync.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOTS 100 /* Events that it has in hand. */

static struct acta_worker *worker; /* For the signal handler. */

static void
on_signal(int number)
{
    (void)number;
    acta_worker_interrupt(worker);
}

/* Make the group, for events of orders from the first on. Whoever comes second
 * makes it just so, which changes nothing; if it was altered since, that is
 * fine, too.
 */
static enum acta_code
make_group(struct acta_sync *sync, const char *name, struct acta_err *err)
{
    struct acta_group group = acta_group_of(ACTA_GROUP_QUERY);
    struct acta_query *query = acta_query_new();
    enum acta_code code;

    acta_query_category(query, "order");
    group.query = query;
    code = acta_sync_create_group(sync, name, &group, NULL, err);
    acta_query_free(query);
    return code == ACTA_EXISTS ? ACTA_OK : code;
}

/* Handle one event. It may come twice: what is done with it must bear that, or
 * remember its position. NULL: it went well; else why not.
 */
static const char *
handle(const struct acta_event *event)
{
    if (strcmp(event->type, "OrderBroken") == 0) {
        return "broken orders are not shipped";
    }
    printf("%s %" PRIu64 " %s\n", event->stream, event->version, event->type);
    fflush(stdout);
    return NULL;
}

static enum acta_code
work(struct acta_err *err)
{
    const struct acta_handed *handed;
    enum acta_code code;

    while ((code = acta_worker_next(worker, -1, &handed, err)) == ACTA_OK) {
        const char *trouble = handle(handed->event);

        if (trouble == NULL) {
            acta_worker_ack(worker, handed->number);
        } else {
            acta_worker_park(worker, handed->number, trouble);
        }
    }
    return code == ACTA_CANCELLED ? acta_worker_settle(worker, err) : code;
}

int
main(int argc, char **argv)
{
    struct acta_sync *sync = NULL;
    struct acta_options options;
    struct acta_join join;
    struct acta_err err;
    enum acta_code code;

    if (argc != 3) {
        fprintf(stderr, "usage: %s acta://HOST:PORT GROUP\n", argv[0]);
        return EXIT_FAILURE;
    }
    options = acta_options_of(argv[1]);
    options.name = "example worker";
    join = acta_join_of(argv[2], SLOTS);
    code = acta_sync_open(&sync, &options, &err);
    if (code == ACTA_OK) {
        code = make_group(sync, argv[2], &err);
    }
    if (code == ACTA_OK) {
        code = acta_worker_open(&worker, sync, &join, &err);
    }
    if (code == ACTA_OK) {
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        code = work(&err);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
    }
    if (code != ACTA_OK) {
        fprintf(stderr, "%s: %s (%s)\n", argv[0], err.text,
                acta_code_name(code));
    }
    acta_sync_close(sync);
    return code == ACTA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

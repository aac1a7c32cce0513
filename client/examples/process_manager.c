/* Asks for the payment of each order, and lets an order lapse that is not paid
 * in time:
 *
 *     process_manager acta://127.0.0.1:2282 1800000
 *
 * From OrderPlaced follows the command RequestPayment, and a deadline after so
 * many milliseconds; from the deadline, if OrderPaid has not ended it all
 * before, OrderLapsed. What follows and how far it has come are one append: so
 * each event is handled exactly once, whatever is killed when. If another one
 * of its kind is started, that one goes on, and this one stops.
 */

#include <acta/acta_process.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static struct acta_manager *manager; /* For the signal handler. */

static void
on_signal(int number)
{
    (void)number;
    acta_manager_interrupt(manager);
}

static enum acta_verdict
placed(const void *state, const struct acta_event *event,
       struct acta_reaction *reaction)
{
    const uint64_t *delay_ms = acta_reaction_user(reaction);
    const char *order = acta_reaction_key(reaction);

    (void)state;
    printf("order %s is to be paid\n", order);
    acta_reaction_command(reaction, "command", order, "RequestPayment",
                          event->data);
    acta_reaction_deadline(reaction, "payment", *delay_ms, "PaymentLate", NULL);
    return ACTA_VERDICT_OK;
}

static enum acta_verdict
paid(const void *state, const struct acta_event *event,
     struct acta_reaction *reaction)
{
    (void)state;
    (void)event;
    printf("order %s is paid\n", acta_reaction_key(reaction));
    acta_reaction_cancel(reaction, "payment");
    return ACTA_VERDICT_OK;
}

static enum acta_verdict
late(const void *state, const struct acta_event *event,
     struct acta_reaction *reaction)
{
    struct acta_draft lapsed = acta_draft_of("OrderLapsed", NULL, 0);
    char stream[300];

    (void)state;
    (void)event;
    printf("order %s lapses\n", acta_reaction_key(reaction));
    snprintf(stream, sizeof(stream), "order-%s", acta_reaction_key(reaction));
    acta_reaction_emit(reaction, stream, &lapsed);
    return ACTA_VERDICT_OK;
}

int
main(int argc, char **argv)
{
    struct acta_process *payments = acta_process_new("payments", 0);
    struct acta_sync *sync = NULL;
    struct acta_options options;
    struct acta_err err;
    enum acta_code code;
    uint64_t delay_ms;

    if (argc != 3) {
        fprintf(stderr, "usage: %s acta://HOST:PORT MILLISECONDS\n", argv[0]);
        return EXIT_FAILURE;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    delay_ms = strtoull(argv[2], NULL, 10);
    acta_process_user(payments, &delay_ms);
    acta_process_on(payments, "OrderPlaced", ACTA_ROUTE_STARTS, placed);
    acta_process_on(payments, "OrderPaid", ACTA_ROUTE_ENDS, paid);
    acta_process_on_deadline(payments, "PaymentLate", ACTA_ROUTE_ENDS, late);
    options = acta_options_of(argv[1]);
    options.name = "example process manager";
    code = acta_sync_open(&sync, &options, &err);
    if (code == ACTA_OK) {
        code = acta_manager_new(&manager, payments, sync, NULL, &err);
    }
    if (code == ACTA_OK) {
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        code = acta_manager_run(manager, &err);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
    }
    if (code != ACTA_OK) {
        fprintf(stderr, "%s: %s (%s)\n", argv[0], err.text,
                acta_code_name(code));
    }
    acta_manager_free(manager);
    acta_sync_close(sync);
    acta_process_free(payments);
    return code == ACTA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

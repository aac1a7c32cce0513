/* Asks for the payment of each order, and lets an order lapse that is not paid
 * in time:
 *
 *     process_manager acta://127.0.0.1:2282 1800000
 *
 * For OrderPlaced it stores PaymentRequested, and schedules OrderLapsed to be
 * stored after so many milliseconds; for OrderPaid it cancels that. What it
 * stores, what it schedules and how far it has come are one append: so each
 * event is handled exactly once, whatever is killed when. If another one of its
 * kind is started, that one goes on, and this one stops.
 */

#include <acta/acta_consumer.h>
#include <acta/acta_schedule.h>
#include <acta/acta_sync.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define CONSUMER "payments"

static struct acta_follower *follower; /* For the signal handler. */

static void
on_signal(int number)
{
    (void)number;
    acta_follower_interrupt(follower);
}

/* The schedule of an order, and the stream of its payment. */
struct names {
    char lapse[300];
    char payment[300];
};

static struct names
names_of(const struct acta_event *event)
{
    struct names names;

    snprintf(names.lapse, sizeof(names.lapse), "lapse %.200s", event->stream);
    snprintf(names.payment, sizeof(names.payment), "payment-%.200s",
             event->stream);
    return names;
}

/* What follows from an order that is placed. */
static void
place(struct acta_append *append, const struct acta_event *event,
      uint64_t delay_ms)
{
    struct acta_draft request = acta_draft_of("PaymentRequested", NULL, 0);
    struct acta_draft lapse = acta_draft_of("OrderLapsed", NULL, 0);
    struct acta_append *later = acta_append_new();
    struct names names = names_of(event);

    request.causation_id = event->id;
    lapse.causation_id = event->id;
    acta_append_stream(append, names.payment, ACTA_EXPECT_ANY);
    acta_append_event(append, &request);
    acta_append_stream(later, event->stream, ACTA_EXPECT_ANY);
    acta_append_event(later, &lapse);
    acta_append_schedule_in(append, names.lapse, delay_ms, later);
    acta_append_free(later);
}

/* Handle the event at a position, and everything between it and @from. */
static enum acta_code
handle(struct acta_sync *sync, const struct acta_event *event, uint64_t from,
       uint64_t delay_ms, struct acta_err *err)
{
    struct acta_append *append = acta_append_new();
    enum acta_code code;

    if (strcmp(event->type, "OrderPlaced") == 0) {
        place(append, event, delay_ms);
    } else {
        acta_append_cancel(append, names_of(event).lapse);
    }
    acta_append_checkpoint(append, CONSUMER, acta_follower_epoch(follower),
                           from, event->position);
    code = acta_sync_append(sync, append, NULL, err);
    acta_append_free(append);
    if (code == ACTA_OK) {
        printf("%s %s: done, up to position %" PRIu64 "\n", event->stream,
               event->type, event->position);
        fflush(stdout);
    }
    return code;
}

static enum acta_code
follow(struct acta_sync *sync, uint64_t delay_ms, struct acta_err *err)
{
    uint64_t position = acta_follower_position(follower);
    const struct acta_news *news;
    enum acta_code code;

    while ((code = acta_follower_next(follower, -1, &news, err)) == ACTA_OK) {
        for (size_t i = 0; i < news->events_count; i++) {
            const struct acta_event *event = news->events[i];

            code = handle(sync, event, position, delay_ms, err);
            if (code != ACTA_OK) {
                return code;
            }
            position = event->position;
        }
    }
    return code == ACTA_CANCELLED ? ACTA_OK : code;
}

int
main(int argc, char **argv)
{
    struct acta_query *query = acta_query_new();
    struct acta_sync *sync = NULL;
    struct acta_options options;
    struct acta_err err;
    enum acta_code code;

    if (argc != 3 || query == NULL) {
        fprintf(stderr, "usage: %s acta://HOST:PORT MILLISECONDS\n", argv[0]);
        return EXIT_FAILURE;
    }
    acta_query_category(query, "order");
    acta_query_type(query, "OrderPlaced");
    acta_query_type(query, "OrderPaid");
    options = acta_options_of(argv[1]);
    options.name = "example process manager";
    code = acta_sync_open(&sync, &options, &err);
    if (code == ACTA_OK) {
        code = acta_follower_claim(&follower, sync, CONSUMER, query, 0, &err);
    }
    if (code == ACTA_OK) {
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        code = follow(sync, strtoull(argv[2], NULL, 10), &err);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
    }
    if (code != ACTA_OK) {
        fprintf(stderr, "%s: %s (%s)\n", argv[0], err.text,
                acta_code_name(code));
    }
    acta_sync_close(sync);
    acta_query_free(query);
    return code == ACTA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

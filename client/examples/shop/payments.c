/* Asks the payment provider for what was requested, and tells the payment what
 * came of it. The id of the request is that of the command: so however often it
 * is asked, since one of us was killed, it counts once.
 *
 * The provider is a stand-in: the name of the order says whether it takes the
 * money, finds that there is none, or never answers.
 */

#include "fields.h"
#include "roles.h"

enum provider_answer { PAID, NO_COVER, SILENCE };

static enum provider_answer
ask_provider(const char *order)
{
    unsigned sum = 0;

    while (*order != '\0') {
        sum = sum * 31 + (unsigned char)*order++;
    }
    return sum % 10 == 3 ? NO_COVER : sum % 10 == 7 ? SILENCE : PAID;
}

static enum acta_verdict
on_requested(void *user, struct acta_context *context,
             const struct acta_event *event)
{
    static const char refusal[] = "{\"reason\": \"no_cover\"}";
    struct acta_dispatcher *dispatcher = user;
    const char *order = event->stream + strlen("payment-");
    enum provider_answer answer = ask_provider(order);
    struct acta_command command =
        acta_command_of("ReceivePayment", order, "", 0);
    const struct acta_handled *handled;
    struct acta_err err;

    if (answer == SILENCE) {
        return ACTA_VERDICT_SKIP;
    }
    if (answer == NO_COVER) {
        command =
            acta_command_of("RefusePayment", order, refusal, strlen(refusal));
    }
    command.id = event->id;
    command.correlation_id = event->correlation_id;
    command.causation_id = event->id;
    command.metadata = event->metadata;
    command.metadata_size = event->metadata_size;
    if (acta_dispatch(dispatcher, &command, &handled, &err) != ACTA_OK) {
        return acta_context_fail(context, ACTA_VERDICT_RETRY, "%s", err.text);
    }
    return ACTA_VERDICT_OK;
}

enum acta_code
payments_run(const struct acta_options *options, char **arguments,
             struct acta_err *err)
{
    struct acta_projection *payments = acta_projection_new("shop-payments");
    struct acta_dispatcher *dispatcher = NULL;
    struct acta_sync *sync = NULL;
    struct deciders deciders;
    enum acta_code code;

    (void)arguments;
    deciders_init(&deciders);
    code = acta_sync_open(&sync, options, err);
    if (code == ACTA_OK) {
        code = acta_dispatcher_open(&dispatcher, sync, deciders.registry, NULL,
                                    err);
    }
    if (code == ACTA_OK) {
        acta_projection_on(payments, "PaymentRequested", on_requested,
                           dispatcher);
        code = run_projection(payments, options, err);
    }
    acta_dispatcher_close(dispatcher);
    acta_sync_close(sync);
    deciders_fini(&deciders);
    acta_projection_free(payments);
    return code;
}

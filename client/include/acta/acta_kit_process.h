/* Given, when, then: tests of process managers, without a server. See
 * acta_kit.h for deciders and decision models.
 *
 *     #include <acta/acta_kit_process.h>
 *     #include <stdio.h>
 *
 *     static enum acta_verdict
 *     placed(const void *state, const struct acta_event *event,
 *            struct acta_reaction *reaction)
 *     {
 *         (void)state;
 *         (void)event;
 *         acta_reaction_deadline(reaction, "payment", 1800000, "PaymentLate",
 *                                NULL);
 *         return ACTA_VERDICT_OK;
 *     }
 *
 *     static enum acta_verdict
 *     late(const void *state, const struct acta_event *event,
 *          struct acta_reaction *reaction)
 *     {
 *         (void)state;
 *         (void)event;
 *         acta_reaction_command(reaction, "command",
 *                               acta_reaction_key(reaction), "CancelOrder",
 *                               NULL);
 *         return ACTA_VERDICT_OK;
 *     }
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_process *payments = acta_process_new("payments", 0);
 *         struct acta_kit_process *kit;
 *
 *         acta_process_on(payments, "OrderPlaced", ACTA_ROUTE_STARTS, placed);
 *         acta_process_on_deadline(payments, "PaymentLate", ACTA_ROUTE_ENDS,
 *                                  late);
 *         kit = acta_kit_of_process(payments);
 *
 *         acta_kit_process_given(kit, "order-42", "OrderPlaced", NULL);
 *         acta_kit_process_when_deadline(kit, "42", "payment");
 *         acta_kit_process_sends(kit, "command-42", "CancelOrder", NULL);
 *         acta_kit_process_ends(kit);
 *         puts(acta_kit_process_end(kit)); // "": all is as it should be
 *
 *         acta_kit_process_free(kit);
 *         acta_process_free(payments);
 *         return 0;
 *     }
 *
 * And with what follows from the first event told, too:
 *
 *     acta_kit_process_when(kit, "order-42", "OrderPlaced", NULL);
 *     acta_kit_process_deadline(kit, "payment", 1800000, "PaymentLate", NULL);
 *
 * Events come one after the other, and what follows from each is kept: own
 * events in the streams of their instances, and deadlines until they pass. So a
 * story can be told from its beginning, or own events can be given. What is
 * said about an event behind it, all of it, has to follow from it; if nothing
 * is said, nothing has to. Events are said in the order in which the reaction
 * gives them, and so are deadlines with what is cancelled.
 *
 * Types are those that are stored: in versions, where there are upcasters
 * (acta_upcast.h). JSON is compared without regard to white space. Time stands
 * still, at 2000-01-01 00:00 UTC.
 *
 * A kit is used by one thread. Calls given NULL do nothing, and
 * acta_kit_process_end() says then that there is no memory.
 */

#ifndef ACTA_ACTA_KIT_PROCESS_H
#define ACTA_ACTA_KIT_PROCESS_H

#include "acta_process.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_kit_process;

/* What is tested is borrowed. NULL: there is no memory. */
ACTA_API struct acta_kit_process *
acta_kit_of_process(const struct acta_process *process);
ACTA_API void acta_kit_process_free(struct acta_kit_process *kit);

/* ---- given: what has happened ---- */

/* This was handled, and what followed from it is kept and not looked at. It is
 * no story if it was not handled well. @json may be NULL: no data.
 */
ACTA_API void acta_kit_process_given(struct acta_kit_process *kit,
                                     const char *stream, const char *type,
                                     const char *json);

/* The instance @key has this event in its stream. If it has none yet, it was
 * started before.
 */
ACTA_API void acta_kit_process_given_own(struct acta_kit_process *kit,
                                         const char *key, const char *type,
                                         const char *json);

/* ---- when: what happens ---- */

ACTA_API void acta_kit_process_when(struct acta_kit_process *kit,
                                    const char *stream, const char *type,
                                    const char *json);

/* The same, whatever it is like. */
ACTA_API void acta_kit_process_when_event(struct acta_kit_process *kit,
                                          const char *stream,
                                          const struct acta_draft *draft);

/* The deadline @name of the instance @key passes. It is a mistake if there is
 * none.
 */
ACTA_API void acta_kit_process_when_deadline(struct acta_kit_process *kit,
                                             const char *key, const char *name);

/* ---- then: what follows from the event that came last ---- */

/* This event, in any stream but the own one: a command, say. */
ACTA_API void acta_kit_process_sends(struct acta_kit_process *kit,
                                     const char *stream, const char *type,
                                     const char *json);

/* This event, in the own stream. ProcessStarted and ProcessEnded are not said
 * like that.
 */
ACTA_API void acta_kit_process_own(struct acta_kit_process *kit,
                                   const char *type, const char *json);

/* This deadline, so long after the event. */
ACTA_API void acta_kit_process_deadline(struct acta_kit_process *kit,
                                        const char *name, uint64_t delay_ms,
                                        const char *type, const char *json);

ACTA_API void acta_kit_process_cancels(struct acta_kit_process *kit,
                                       const char *name);

/* The instance has ended. */
ACTA_API void acta_kit_process_ends(struct acta_kit_process *kit);

/* It is ignored: its instance is not there, or has ended, or it is for none. */
ACTA_API void acta_kit_process_ignores(struct acta_kit_process *kit);

/* It has this verdict. */
ACTA_API void acta_kit_process_then(struct acta_kit_process *kit,
                                    enum acta_verdict verdict);

/* ---- and ---- */

/* End the story, and begin a new one from nothing. "" if all was as expected
 * and nothing more has followed, else what was not first. Valid until the next
 * call.
 */
ACTA_API const char *acta_kit_process_end(struct acta_kit_process *kit);

#ifdef __cplusplus
}
#endif

#endif

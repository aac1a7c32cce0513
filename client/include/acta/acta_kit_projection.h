/* Given, when, then: tests of projections, without a server. See acta_kit.h for
 * deciders and decision models.
 *
 *     #include <acta/acta_kit_projection.h>
 *     #include <stdio.h>
 *
 *     static enum acta_verdict
 *     on_placed(void *user, struct acta_context *context,
 *               const struct acta_event *event)
 *     {
 *         if (event->data_size == 0) {
 *             return acta_context_fail(context, ACTA_VERDICT_PARK, "no data");
 *         }
 *         ++*(int *)user;
 *         return ACTA_VERDICT_OK;
 *     }
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_projection *orders = acta_projection_new("orders");
 *         struct acta_kit_projection *kit;
 *         int count = 0;
 *
 *         acta_projection_on(orders, "OrderPlaced", on_placed, &count);
 *         kit = acta_kit_of_projection(orders);
 *
 *         acta_kit_projection_when(kit, "OrderPlaced", "{\"customer\": 7}");
 *         acta_kit_projection_when(kit, "OrderPlaced", NULL);
 *         acta_kit_projection_then(kit, ACTA_VERDICT_PARK);
 *         puts(acta_kit_projection_end(kit)); // "": all is as it should be
 *         printf("%d order\n", count);
 *
 *         acta_kit_projection_free(kit);
 *         acta_projection_free(orders);
 *         return 0;
 *     }
 *
 * Events come one after the other, each in a transaction of the model if it
 * keeps the checkpoint, which is committed or rolled back as it would be; a
 * model in memory is enough. What is in the model then is for the test to look
 * at. What is said about an event behind it is what has to come of it; if
 * nothing is said, that is OK, and nothing is emitted.
 *
 * Types are those that are stored: in versions, where there are upcasters
 * (acta_upcast.h). JSON is compared without regard to white space.
 *
 * A kit is used by one thread. Calls given NULL do nothing, and
 * acta_kit_projection_end() says then that there is no memory.
 */

#ifndef ACTA_ACTA_KIT_PROJECTION_H
#define ACTA_ACTA_KIT_PROJECTION_H

#include "acta_projection.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_kit_projection;

/* What is tested is borrowed. NULL: there is no memory. */
ACTA_API struct acta_kit_projection *
acta_kit_of_projection(const struct acta_projection *projection);
ACTA_API void acta_kit_projection_free(struct acta_kit_projection *kit);

/* This has happened, in a stream of no matter. @json may be NULL: no data. */
ACTA_API void acta_kit_projection_when(struct acta_kit_projection *kit,
                                       const char *type, const char *json);

/* The same, whatever it is like, in @stream. */
ACTA_API void acta_kit_projection_when_event(struct acta_kit_projection *kit,
                                             const char *stream,
                                             const struct acta_draft *draft);

/* Events from now on were handled before, or not. */
ACTA_API void acta_kit_projection_replays(struct acta_kit_projection *kit,
                                          bool is_replaying);

/* The event that came last has this verdict. */
ACTA_API void acta_kit_projection_then(struct acta_kit_projection *kit,
                                       enum acta_verdict verdict);

/* The event that came last has let this one be emitted, behind those that were
 * named before.
 */
ACTA_API void acta_kit_projection_emits(struct acta_kit_projection *kit,
                                        const char *stream, const char *type,
                                        const char *json);

/* End the story. "" if all was as expected and nothing more has happened, else
 * what was not first. Valid until the next call.
 */
ACTA_API const char *acta_kit_projection_end(struct acta_kit_projection *kit);

#ifdef __cplusplus
}
#endif

#endif

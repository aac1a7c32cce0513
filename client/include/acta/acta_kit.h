/* Given, when, then: tests of deciders and decision models, without a server.
 *
 *     #include <acta/acta_kit.h>
 *     #include <stdio.h>
 *
 *     static bool
 *     on_placed(void *state, const struct acta_event *event)
 *     {
 *         (void)event;
 *         *(bool *)state = true;
 *         return true;
 *     }
 *
 *     static void
 *     place(const void *state, const struct acta_command *command,
 *           struct acta_decision *decision)
 *     {
 *         if (*(const bool *)state) {
 *             acta_decision_refuse(decision, "placed", NULL, "once is enough");
 *         } else {
 *             acta_decision_json(decision, "OrderPlaced", command->data);
 *         }
 *     }
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_decider *decider =
 *             acta_decider_new("order", sizeof(bool));
 *         struct acta_kit *kit;
 *
 *         acta_decider_on_event(decider, "OrderPlaced", on_placed);
 *         acta_decider_on_command(decider, "PlaceOrder", place);
 *         kit = acta_kit_of_decider(decider);
 *
 *         acta_when(kit, "PlaceOrder", "42", "{\"total\": 12}");
 *         acta_then(kit, "OrderPlaced", "{\"total\":12}");
 *         puts(acta_kit_end(kit)); // "": all is as it should be
 *
 *         acta_given(kit, "OrderPlaced", "{}");
 *         acta_when(kit, "PlaceOrder", "42", "{}");
 *         acta_then_refused(kit, "placed");
 *         puts(acta_kit_end(kit));
 *
 *         acta_kit_free(kit);
 *         acta_decider_free(decider);
 *         return 0;
 *     }
 *
 * Each story ends with acta_kit_end(), which returns what was not as it should
 * be, for whatever checks the tests are written with. Types are those that are
 * stored: in versions, where there are upcasters (acta_upcast.h), so old ones
 * can be given. JSON is compared without regard to white space.
 *
 * A snapshot is taken of the state behind what is given, if the decider has
 * them, and it is decided from that as well: both must say the same.
 *
 * A kit is used by one thread. Calls given NULL do nothing, and acta_kit_end()
 * says then that there is no memory.
 */

#ifndef ACTA_ACTA_KIT_H
#define ACTA_ACTA_KIT_H

#include "acta_decider.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_kit;

/* What is tested is borrowed. NULL: there is no memory. */
ACTA_API struct acta_kit *
acta_kit_of_decider(const struct acta_decider *decider);
ACTA_API struct acta_kit *acta_kit_of_model(const struct acta_model *model);
ACTA_API void acta_kit_free(struct acta_kit *kit);

/* ---- given: what has happened ---- */

/* An event in the stream of the instance; with models, in one of no matter.
 * @json may be NULL: no data.
 */
ACTA_API void acta_given(struct acta_kit *kit, const char *type,
                         const char *json);

/* The same, whatever it is like, in @stream (NULL: as before). */
ACTA_API void acta_given_event(struct acta_kit *kit, const char *stream,
                               const struct acta_draft *draft);

/* ---- when: what somebody wants ---- */

ACTA_API void acta_when(struct acta_kit *kit, const char *type,
                        const char *target, const char *json);
ACTA_API void acta_when_command(struct acta_kit *kit,
                                const struct acta_command *command);

/* ---- then: what comes of it ---- */

/* This event, behind those that were named before; in any stream. */
ACTA_API void acta_then(struct acta_kit *kit, const char *type,
                        const char *json);

/* The same, of this format and in @stream (NULL: any). If @draft has tags or
 * metadata, these too.
 */
ACTA_API void acta_then_event(struct acta_kit *kit, const char *stream,
                              const struct acta_draft *draft);

/* It is refused, with this code; and to blame is @field. */
ACTA_API void acta_then_refused(struct acta_kit *kit, const char *code);
ACTA_API void acta_then_refused_field(struct acta_kit *kit, const char *code,
                                      const char *field);

/* It is accepted, and nothing has happened. */
ACTA_API void acta_then_nothing(struct acta_kit *kit);

/* ---- and ---- */

/* The event that was named last, given or expected, has this tag. One that is
 * expected has no tags but these, then.
 */
ACTA_API void acta_kit_tag(struct acta_kit *kit, const char *format, ...)
    ACTA_PRINTF(2, 3);

/* End the story, and begin a new one from nothing. "" if all was as expected
 * and nothing more has happened, else what was not, in a line or more. Valid
 * until the next call.
 */
ACTA_API const char *acta_kit_end(struct acta_kit *kit);

#ifdef __cplusplus
}
#endif

#endif

/* Versions of events, and upcasters, which make new ones of old ones.
 *
 * What is stored stays as it is, while what programs want to know changes. So
 * the form of an event has a version, which is part of its type: "OrderPlaced"
 * is version 1, "OrderPlaced.v2" version 2, "OrderPlaced.v3" version 3. An
 * upcaster takes a version to the next:
 *
 *     #include <acta/acta_upcast.h>
 *     #include <stdio.h>
 *
 *     static bool
 *     with_currency(void *user, const struct acta_event *event,
 *                   struct acta_bytes *data)
 *     {
 *         char json[100];
 *
 *         (void)user;
 *         snprintf(json, sizeof(json), "{\"cents\": %.20s, \"in\": \"EUR\"}",
 *                  (const char *)event->data);
 *         acta_bytes_put(data, json, strlen(json));
 *         return true;
 *     }
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_upcasters *upcasters = acta_upcasters_new();
 *         struct acta_upcast *upcast = acta_upcast_new();
 *         struct acta_event old = {0}; // as one that was read
 *         const struct acta_event *newest;
 *         struct acta_err err;
 *
 *         acta_upcasters_add(upcasters, "OrderPlaced", 1, with_currency, NULL);
 *         old.type = "OrderPlaced";
 *         old.stream = "order-42";
 *         old.data = "1200";
 *         old.data_size = 4;
 *         if (acta_upcast_event(upcast, upcasters, &old, &newest, &err) ==
 *             ACTA_OK) {
 *             printf("%s %.*s\n", newest->type, (int)newest->data_size,
 *                    (const char *)newest->data);
 *         }
 *         acta_upcast_free(upcast);
 *         acta_upcasters_free(upcasters);
 *         return 0;
 *     }
 *
 * From then on "OrderPlaced" is known up to version 2. Code that handles events
 * names types without versions: its handlers of "OrderPlaced" are given all of
 * them, as of version 2 and with the type "OrderPlaced"; and an "OrderPlaced"
 * that it decides is stored as "OrderPlaced.v2". Deciders, decision models,
 * projections and process managers do so with every event that they read, and
 * the queries and conditions that they make name all versions.
 *
 * A version that is above the newest known, from a newer program, is never
 * passed over: what needed to handle it ends with UNSUPPORTED, which names its
 * position.
 *
 * Events whose data was erased are not upcast: they keep the format
 * ACTA_FORMAT_ERASED, and only their type loses its version.
 *
 * What does not read as a version from 2 on is no version: "Order.v1",
 * "Order.v02" and "Order.vip" are types like any other.
 *
 * Threads. Upcasters are filled by one thread, and then used by any number,
 * each with an acta_upcast of its own.
 */

#ifndef ACTA_ACTA_UPCAST_H
#define ACTA_ACTA_UPCAST_H

#include "acta_event.h"
#include "acta_query.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- bytes that a callback makes ---- */

struct acta_bytes;

/* Add bytes behind those before. They are copied. Never fails on its own: it is
 * told by the call that asked for them.
 */
ACTA_API void acta_bytes_put(struct acta_bytes *bytes, const void *data,
                             size_t size);

/* ---- versions ---- */

/* The version of a type, 1 if it says none; *@base_size, which may be NULL, are
 * the bytes of the name without it: "OrderPlaced.v2" is 2 and 11.
 */
ACTA_API uint64_t acta_type_version(const char *type, size_t *base_size);

/* ---- upcasters ---- */

struct acta_upcasters;

/* Put the data that @event has in the next version, in the same format. False:
 * the event cannot be read.
 */
typedef bool acta_upcast_fn(void *user, const struct acta_event *event,
                            struct acta_bytes *data);

/* acta_upcasters_new() returns NULL if there is no memory; given NULL, the call
 * that fills does nothing and acta_upcasters_check() says MEMORY. What is wrong
 * first is told by acta_upcasters_check(), and by what they are given to.
 */
ACTA_API struct acta_upcasters *acta_upcasters_new(void);
ACTA_API void acta_upcasters_free(struct acta_upcasters *upcasters);

/* Take events of @type, named without a version, from version @from (1 or
 * more) to the next. Each step once, in any order, without gaps.
 */
ACTA_API void acta_upcasters_add(struct acta_upcasters *upcasters,
                                 const char *type, uint64_t from,
                                 acta_upcast_fn *upcast, void *user);

/* INVALID: a name has a version, or a step comes twice, or is missing. MEMORY.
 */
ACTA_API enum acta_code
acta_upcasters_check(const struct acta_upcasters *upcasters,
                     struct acta_err *err);

/* The newest version of @type, named without one, that is known: 1 if there is
 * no upcaster of it. @upcasters may be NULL here and below: there are none.
 */
ACTA_API uint64_t acta_upcasters_newest(const struct acta_upcasters *upcasters,
                                        const char *type);

/* Add @type, named without a version, to the item of @query that was begun
 * last, in all its versions, those that are not known included.
 */
ACTA_API void acta_query_all_versions(struct acta_query *query,
                                      const char *type);

/* ---- upcasting ---- */

/* Memory for an event on its way. */
struct acta_upcast;

ACTA_API struct acta_upcast *acta_upcast_new(void);
ACTA_API void acta_upcast_free(struct acta_upcast *upcast);

/* Make of @event what it is in the newest version that is known, with the type
 * named without a version. *@newest is valid until the next call with @upcast,
 * and no longer than @event; one that needs no change is @event itself.
 *
 * UNSUPPORTED: its version is above the newest known. CORRUPT: an upcaster
 * could not read it. TOO_LARGE: what it made is over 16 MiB. MEMORY. All name
 * its position and stream.
 */
ACTA_API enum acta_code
acta_upcast_event(struct acta_upcast *upcast,
                  const struct acta_upcasters *upcasters,
                  const struct acta_event *event,
                  const struct acta_event **newest, struct acta_err *err);

#ifdef __cplusplus
}
#endif

#endif

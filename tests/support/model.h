/* What a database must answer, written down as plainly as can be: one array of
 * events, searched from end to end. Whatever the real one says is compared with
 * it.
 */

#ifndef ACTA_TEST_MODEL_H
#define ACTA_TEST_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "job.h"
#include "query.h"
#include "slice.h"

/* An event as it was taken. event.position and version are set; all slices are
 * in memory of the model's.
 */
struct model_event {
    struct event event;
    uint8_t *memory; /* owned */
};

struct model {
    struct model_event *events; /* owned: position 1 is at index 0 */
    size_t count;
    size_t capacity;
};

void model_init(struct model *model);
void model_fini(struct model *model);

/* The version of @stream, and the event of a version: NULL if there is none. */
uint64_t model_version(const struct model *model, struct slice stream);
const struct event *model_event_of(const struct model *model,
                                   struct slice stream, uint64_t version);

/* The event with @id in @stream, or NULL. */
const struct event *model_find_id(const struct model *model,
                                  struct slice stream, const uint8_t *id);

/* What an append must come to: the verdict, and if it is OK whether it is a
 * repeat. Nothing is changed.
 */
enum acta_code model_decide(const struct model *model,
                            const struct msg_append *append, bool *repeated);

/* Take the events of an append that was decided with OK and is no repeat. */
void model_take(struct model *model, const struct msg_append *append);

/* The next position behind @from (backward: before it) that @query wants; 0 if
 * there is none.
 */
uint64_t model_next(const struct model *model, const struct query *query,
                    uint64_t from, bool backward);

static inline const struct event *
model_at(const struct model *model, uint64_t position)
{
    return &model->events[position - 1].event;
}

#endif

/* What a history must come to: the events that were acknowledged, each with its
 * place, and what is asked of all that is read.
 */

#ifndef ACTA_TEST_HISTORY_MODEL_H
#define ACTA_TEST_HISTORY_MODEL_H

#include "msg.h"
#include "reader.h"

#define HISTORY_STREAMS    4
#define HISTORY_EVENTS_MAX 3 /* Of one append. */

/* An append as it was sent: one write to one of the streams. The content of its
 * events follows from their ids.
 */
struct history_append {
    uint8_t stream; /* Below HISTORY_STREAMS. */
    uint8_t count;  /* 1 to HISTORY_EVENTS_MAX. */
    uint8_t id;     /* Of the first event; those behind it count on. */
};

/* "a-0", "a-1", "b-2", "b-3" */
struct slice history_stream(uint8_t number);

/* The 16 bytes of an id. */
void history_id(uint8_t to[static 16], uint8_t number);

void history_clear(void);

/* The append was answered: its events are there for ever, where it is said. */
void history_acknowledge(const struct history_append *append,
                         const struct msg_appended *appended);

/* From now on events may be hidden or erased. */
void history_may_hide(void);

/* Read everything and judge it: positions and versions grow, without gaps as
 * long as nothing may be hidden; no stream has an id twice; all that was
 * acknowledged is there, where it was said to be, as it was sent.
 */
void history_check(struct reader *reader);

#endif

/* Writes down what a client does and sees, one line of JSON each, for check.py;
 * README.md says what the lines mean.
 *
 * Names and tags must need no escaping in JSON. Lines are buffered: a history
 * is whole when it was closed. But a terminal, by whatever name, gets each line
 * at once. One thread per history.
 */

#ifndef ACTA_TEST_HISTORY_H
#define ACTA_TEST_HISTORY_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stdint.h>

struct history;

/* Begin the file @dir/@name. Fails the test if that is not possible. */
struct history *history_open(const char *dir, const char *name);
void history_close(struct history *history);

/* An append that is about to be sent for the first time: begin, then each
 * write with its events, then end.
 */
void history_append_begin(struct history *history, uint64_t number);
void history_append_write(struct history *history, const char *stream,
                          int64_t expected);
void history_append_event(struct history *history,
                          const struct acta_draft *draft);
void history_append_end(struct history *history);

void history_answer(struct history *history, uint64_t number,
                    enum acta_code code, const struct acta_appended *appended);

/* What was read where an event was promised; NULL: nothing. */
void history_look(struct history *history, const char *stream, uint64_t version,
                  const struct acta_event *event);

/* @type may be NULL: all events. */
void history_follow(struct history *history, uint64_t after, const char *type);
void history_position(struct history *history, uint64_t position);
void history_reach(struct history *history, uint64_t position);
void history_ended(struct history *history, const struct acta_err *err);

void history_event(struct history *history, const struct acta_event *event);
void history_head(struct history *history, uint64_t head);

/* What a read of a list gave: begin, each event, end. @kind is "stream", "type"
 * or "tag".
 */
void history_list_begin(struct history *history, const char *kind,
                        const char *name, bool backward);
void history_list_event(struct history *history,
                        const struct acta_event *event);
void history_list_end(struct history *history);

#endif

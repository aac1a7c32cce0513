/* The handlers of requests, a file for a group of kinds. Each decodes the body,
 * checks what only the server can check, does it, and writes the answer or an
 * error with the request's id. Called by dispatch() only.
 */

#ifndef ACTA_HANDLE_H
#define ACTA_HANDLE_H

#include "frame.h"
#include "session.h"

void handle_hello(struct session *session, const struct frame *frame);
void handle_ping(struct session *session, const struct frame *frame);
void handle_status(struct session *session, const struct frame *frame);

/* The answers come later, by session_complete(). */
void handle_append(struct session *session, const struct frame *frame);
void handle_change_stream(struct session *session, const struct frame *frame);
void handle_change_consumer(struct session *session, const struct frame *frame);
void handle_change_lease(struct session *session, const struct frame *frame);
void handle_await(struct session *session, const struct frame *frame);
void handle_verify(struct session *session, const struct frame *frame);
void handle_list_leases(struct session *session, const struct frame *frame);

void handle_join(struct session *session, const struct frame *frame);
void handle_settle(struct session *session, const struct frame *frame);
void handle_leave(struct session *session, const struct frame *frame);
void handle_list_consumers(struct session *session, const struct frame *frame);
void handle_describe_consumer(struct session *session,
                              const struct frame *frame);
void handle_list_parked(struct session *session, const struct frame *frame);
void handle_change_parked(struct session *session, const struct frame *frame);

void handle_read_stream(struct session *session, const struct frame *frame);
void handle_read_all(struct session *session, const struct frame *frame);
void handle_read_event(struct session *session, const struct frame *frame);
void handle_find_time(struct session *session, const struct frame *frame);
void handle_find_command(struct session *session, const struct frame *frame);
void handle_load(struct session *session, const struct frame *frame);

void handle_list_streams(struct session *session, const struct frame *frame);
void handle_describe_stream(struct session *session, const struct frame *frame);
void handle_list_names(struct session *session, const struct frame *frame);
void handle_list_schedules(struct session *session, const struct frame *frame);

void handle_begin_backup(struct session *session, const struct frame *frame);
void handle_read_backup(struct session *session, const struct frame *frame);
void handle_end_backup(struct session *session, const struct frame *frame);

void handle_subscribe(struct session *session, const struct frame *frame);
void handle_credit(struct session *session, const struct frame *frame);
void handle_unsubscribe(struct session *session, const struct frame *frame);

#endif

/* Requests to the store in memory: a function for each kind, that takes a body,
 * does what it asks for and writes the answer to the connection. What it
 * returns other than OK is answered with an error; nothing was changed then.
 * Internal to client/memory/, under the lock.
 */

#ifndef ACTA_MEMORY_MEMORY_HANDLE_H
#define ACTA_MEMORY_MEMORY_HANDLE_H

#include "memory_store.h"

typedef enum acta_code handle(struct memory_connection *connection, uint64_t id,
                              struct slice body, struct acta_err *err);

/* append.c */
handle handle_append;
handle handle_find_command;

/* change.c */
handle handle_change_stream;

/* read.c */
handle handle_read_stream;
handle handle_read_all;
handle handle_read_event;
handle handle_find_time;
handle handle_load;

/* list.c */
handle handle_list_streams;
handle handle_describe_stream;
handle handle_list_names;

/* consumers.c */
handle handle_change_consumer;
handle handle_list_consumers;
handle handle_describe_consumer;

/* waits.c */
handle handle_await;

/* parked.c */
handle handle_list_parked;
handle handle_change_parked;

/* members.c */
handle handle_join;
handle handle_settle;
handle handle_leave;

/* leases.c */
handle handle_change_lease;
handle handle_list_leases;

/* schedules.c */
handle handle_list_schedules;

/* subs.c */
handle handle_subscribe;
handle handle_credit;
handle handle_unsubscribe;

#endif

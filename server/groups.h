/* The thread that looks after a database's consumer groups: it hands out events
 * to members, takes their answers, and has the writer save how far each group
 * has come.
 *
 * What it knows of a group is in rows: its definition, its checkpoint, its
 * parked events. A group is in memory only while it has members or something to
 * save, and costs nothing then either until there is an event that it wants.
 *
 * Jobs come through a bounded queue and go back through their completions, as
 * the writer's do. What is handed out goes the same way, as JOB_MAIL: all that
 * there is for a connection at once. A connection's membership is named by the
 * request id of its join.
 */

#ifndef ACTA_GROUPS_H
#define ACTA_GROUPS_H

#include <stddef.h>
#include <stdint.h>

#include "database.h"
#include "err.h"
#include "job.h"
#include "slice.h"

struct groups;
struct writer;

/* All jobs that wait will have up to @queue_size bytes. NULL: out of memory.
 * From here on groups_changed() may be called.
 */
struct groups *groups_new(size_t queue_size);

/* Start the thread. It reads @database and has @writer save, both of which
 * outlive it.
 */
enum acta_code groups_start(struct groups *groups, struct database *database,
                            struct writer *writer,
                            struct acta_err *err) ACTA_CHECKED;

/* End all memberships (STOPPING), save what there is to save, and then have the
 * writer refuse jobs from now on. Returns at once. Jobs that come later are
 * refused. Any thread.
 */
void groups_refuse(struct groups *groups);

/* The same, and wait until it is done, if the thread was started. May be NULL.
 */
void groups_stop(struct groups *groups);

/* Free what was stopped, when the writer has ended, too. May be NULL. */
void groups_free(struct groups *groups);

/* See database_submit(). Any thread. */
enum acta_code groups_submit(struct groups *groups,
                             struct job *job) ACTA_CHECKED;

/* A consumer was changed: its rows are to be read again. The writer's thread,
 * after the commit. Does not block.
 */
void groups_changed(void *groups, struct slice name);

/* See database.h. Any thread. */
void groups_stats(struct groups *groups, struct database_stats *stats);

#endif

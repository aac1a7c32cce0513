/* The writer takes all appends that wait, decides each in order, writes what
 * was taken as one entry of the journal, syncs once, publishes, and answers all
 * of them. While it syncs the next batch gathers: so a commit serves as many as
 * there are, without a timer.
 *
 * It has two threads, which take turns (queue.h): if much has gathered while
 * one writes, the other decides it meanwhile. One thread decides at a time, one
 * writes at a time, and what was decided first is written first; so all that is
 * said of "the writer's thread" is true of whose turn it is.
 */

#ifndef ACTA_WRITER_H
#define ACTA_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "checkpoint.h"
#include "database.h"
#include "err.h"
#include "job.h"
#include "rooms.h"

/* Bounds of a batch, and so of a journal entry and of the time that an append
 * waits for those in front of it. A single append may be larger, but not in
 * events.
 */
#define WRITER_EVENTS_MAX 16384
#define WRITER_SIZE_MAX   ((size_t)8 << 20)

struct writer;

/* Events that a memtable must have room for, when the writer decides whether to
 * seal it at @checkpoint_events.
 */
size_t writer_memtable_events(size_t checkpoint_events);

/* Start the threads. The last commit was the journal's entry @sequence, at
 * @last_time_us. What is passed stays the caller's and must outlive the writer.
 */
enum acta_code writer_start(struct writer **writer, struct rooms *rooms,
                            struct checkpointer *checkpointer,
                            const struct database_options *options,
                            uint64_t sequence, uint64_t last_time_us,
                            struct acta_err *err) ACTA_CHECKED;

/* Refuse new appends, answer those that wait, and end the threads. May be
 * NULL.
 */
void writer_stop(struct writer *writer);

/* The end of a writer that was stopped: the last entry and its time. */
void writer_last(const struct writer *writer, uint64_t *sequence,
                 uint64_t *time_us);
void writer_free(struct writer *writer); /* May be NULL. */

/* See database.h. Any thread. */
enum acta_code writer_submit(struct writer *writer, struct job *job);
bool writer_commit_now(struct writer *writer, struct job *job,
                       const struct watcher *watcher, struct job **done);
void writer_refuse(struct writer *writer);
void writer_watch(struct writer *writer, struct watcher *watcher);
void writer_unwatch(struct writer *writer, struct watcher *watcher);
void writer_stats(struct writer *writer, struct database_stats *stats);

#endif

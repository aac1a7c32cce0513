/* A script: what clients do to a database, the same in every run. Its steps
 * append one event and many, in one commit and several, to one stream and two,
 * as commands and not; claim consumers and move their checkpoints with events;
 * create groups, whose members ack, skip and park what is handed out to them;
 * acquire and release leases, put snapshots, schedule and cancel appends, let
 * one be due; truncate, delete and erase.
 *
 * All that is random comes from the step's number, and time is what the step
 * says (fake_clock.h). So a database in which the first N steps were done looks
 * the same whenever and however often it was stopped in between.
 */

#ifndef ACTA_TEST_SCRIPT_H
#define ACTA_TEST_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "err.h"
#include "uuid.h"

#define SCRIPT_STEPS 96 /* They are numbered from 1. */
#define SCRIPT_JOBS  4  /* Appends of one step that are handed in together. */

/* Options for a database at @path of which the steps fill several segments and
 * make several checkpoints. It is not opened. @path is copied.
 */
void script_init(struct base *base, const char *path);

/* Set the clock to what it is in @step; 0: before the first. */
void script_set_time(unsigned step);

/* Do @step in an open database. @cuts gets the positions of the last events of
 * its appends but the last one, *@cuts_count of them: a commit may end there.
 * What is to come by itself is waited for, @patience_ms long.
 *
 * OK       It was acknowledged.
 * UNKNOWN  Some of its appends were done and others refused, or what was to
 *          come has not.
 * Else     It was refused: nothing of it was done.
 */
enum acta_code script_do(struct base *base, unsigned step, unsigned patience_ms,
                         uint64_t cuts[static SCRIPT_JOBS], size_t *cuts_count);

/* An event that a step adds, as the script has it. */
struct script_event {
    const char *stream;
    uint64_t id;
    size_t size;  /* Of its data. */
    uint64_t sum; /* script_sum() of them. */
};

/* Call @take for each event of @step, in their order. */
void script_events(unsigned step,
                   void (*take)(void *user, const struct script_event *event),
                   void *user);

/* True if @step is a command: its id is @id. */
bool script_command(unsigned step, struct uuid *id);

/* Of the streams that are changed, this version is erased. */
#define SCRIPT_ERASED_VERSION 8

/* Call @take with the data of each event that the steps up to @steps erase. */
void script_erased(unsigned steps, void (*take)(void *user, struct slice data),
                   void *user);

/* Events of this category are what groups hand out. There are no more than
 * so many.
 */
#define SCRIPT_WORK     "work"
#define SCRIPT_WORK_MAX 64

/* True of streams whose events are never hidden and never erased. */
bool script_keeps(const char *stream);

/* A checksum of bytes that no part of the server uses (FNV-1a). */
uint64_t script_sum(struct slice bytes);

#endif

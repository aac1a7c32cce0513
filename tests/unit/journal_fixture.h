/* A journal in a directory of its own, and the words in which its tests are
 * written. What is written is remembered: sequence and position say what comes
 * next.
 */

#ifndef ACTA_TEST_JOURNAL_FIXTURE_H
#define ACTA_TEST_JOURNAL_FIXTURE_H

#include <check.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "journal.h"
#include "tempdir.h"

#define SEGMENT JOURNAL_SEGMENT_SIZE_MIN

extern struct tempdir dir;
extern struct journal_options options;
extern struct journal *journal;
extern uint64_t sequence; /* Of the last entry. */
extern uint64_t position; /* Of the last event. */
extern uint64_t released; /* Entries up to here are not needed any more. */
extern struct buf content;

extern atomic_int sync_calls;
extern atomic_int sync_fails_at; /* 0: never */

/* What a replay has shown. */
struct seen {
    uint64_t entries;
    uint64_t last_sequence;
    uint64_t next_position;
};

void setup(void);
void teardown(void);

void assert_ok(enum acta_code code, const struct acta_err *err);
void open_journal(void);
void start_journal(void);
void close_journal(void);

/* Open, replay and start, as a process does. Sets what comes next. */
void restart(void);

/* Write an entry of @count events with @size bytes of data each: @data, or
 * bytes made of the event's position.
 */
enum acta_code write_entry(size_t count, size_t size, const void *data,
                           struct acta_err *err);
void write_entries(size_t entries, size_t count, size_t size);

/* Write small entries until there are so many segments. */
void write_segments(size_t count);

/* Until the keeper has made what it makes by itself, and is idle. */
void wait_for_keeper(void);

/* The journal may let go of everything up to @up_to. */
void let_go(uint64_t up_to);

/* The same, and that is what the next replay() begins behind. */
void release(uint64_t up_to);

/* Visits an entry and checks it; @user is a struct seen. */
enum acta_code see(void *user, const struct journal_entry *entry,
                   struct acta_err *err);

/* Open the journal that is closed, and replay it behind @after. */
enum acta_code replay(uint64_t after, struct seen *seen, struct acta_err *err);
void assert_replays(uint64_t after, uint64_t last);
void assert_refuses(enum acta_code code, const char *text);

/* The files. The path is in memory that the next call overwrites; the bytes
 * of a segment are the caller's to free.
 */
const char *segment_path(uint64_t number);
uint8_t *read_segment(uint64_t number, size_t *size);
void change_segment(uint64_t number, size_t offset, const void *bytes,
                    size_t size);
void flip(uint64_t number, size_t offset);
size_t count_files(const char *prefix);

#endif

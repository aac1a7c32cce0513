/* The journal: what makes an append durable.
 *
 * A journal is a directory of segment files. An entry is one commit: it is
 * written at the end of the newest segment in one piece, and synced. Entries
 * have sequence numbers 1, 2, 3 and so on; segments whose entries the store has
 * are used again.
 *
 * Invariants, which recovery builds on:
 *
 *  J1  At most one entry is written and not yet synced. So a damaged entry that
 *      is followed by a whole one was acknowledged, and is a loss to report;
 *      only the very last may be torn, and that one nobody was told of.
 *  J2  A block of a file that holds a synced entry is not written again until
 *      the segment is released. Entries begin at multiples of 4096 bytes.
 *  J3  A file has a segment's name only after its header was synced.
 *  J4  Every start begins a new segment, whose header says which entry it
 *      begins with: what is behind the last whole entry of the segment before
 *      will never be read again.
 *  J5  A segment has a random salt that all its entries repeat. So neither what
 *      is left of a file's former life nor the data of an event can be taken
 *      for an entry.
 *
 * STORAGE.md has the bytes.
 *
 * Threads: journal_write(), journal_reserve(), journal_turn() and
 * journal_prepare() belong to the writer; journal_release() and journal_wipe()
 * to one thread at a time, as the checkpoint's; what is said so may be called
 * from any thread, as journal_drop_spares() and journal_size().
 */

#ifndef ACTA_JOURNAL_H
#define ACTA_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block.h"
#include "err.h"
#include "slice.h"
#include "uuid.h"

#define JOURNAL_SEGMENT_SIZE_MIN ((size_t)1 << 20)

struct journal;

struct journal_options {
    const char *dir;     /* Must exist. */
    struct uuid id;      /* Of the database: its segments say it. */
    size_t segment_size; /* Bytes, JOURNAL_SEGMENT_SIZE_MIN and more; rounded up
                            to a multiple of 4096. */
    unsigned spares_max; /* Released segments that are kept for later. */
};

/* One commit. */
struct journal_entry {
    uint64_t sequence;
    uint64_t first_position; /* Of the next event, if there is none in it. */
    uint64_t time_us;        /* The commit's time stamp. */
    struct slice block;      /* Of its events; empty if there are none. */
    struct slice rows;       /* See row.h; empty if there are none. */
    bool is_end; /* No entry, but the word of a clean stop that none follows. */
};

/* Open the journal in @options->dir and see what is there. But for spares that
 * are of no use, which are removed, nothing is changed before journal_start().
 *
 * CORRUPT  A segment's header is damaged, one is missing in between, or it
 *          belongs to another database.
 * UNSUPPORTED  A newer version wrote it.
 */
enum acta_code journal_open(struct journal **journal,
                            const struct journal_options *options,
                            struct acta_err *err) ACTA_CHECKED;

/* Stop the thread and close. @journal may be NULL. */
void journal_close(struct journal *journal);

/* Go through all entries behind @after, in order. @visit returns OK to go on;
 * what it gets is valid only during the call, and whole: all checksums, those
 * of records included, were right. *@last is the last entry's sequence number,
 * or @after if there is none.
 *
 * CORRUPT  An entry that was acknowledged is damaged or missing. The text names
 *          the file and the offset.
 */
enum acta_code journal_replay(
    struct journal *journal, uint64_t after,
    enum acta_code (*visit)(void *user, const struct journal_entry *entry,
                            struct acta_err *err),
    void *user, uint64_t *last, struct acta_err *err) ACTA_CHECKED;

/* Begin a new segment, whose first entry will be @sequence with
 * @first_position, and start the thread that keeps spare segments ready. On a
 * full disk this succeeds without a segment: journal_reserve() makes one when
 * there is room.
 */
enum acta_code journal_start(struct journal *journal, uint64_t sequence,
                             uint64_t first_position,
                             struct acta_err *err) ACTA_CHECKED;

/* Bytes of the journal that an entry takes whose block and rows are @size. */
size_t journal_entry_size(size_t size);

/* Make sure that entries of @size bytes in total, none of them larger, can be
 * written without asking the file system for space. FULL if there is none: then
 * nothing has changed, and it can be tried again. After any other failure the
 * process must end.
 */
enum acta_code journal_reserve(struct journal *journal, size_t size,
                               struct acta_err *err) ACTA_CHECKED;

/* Bytes of entries that can be written without another journal_reserve(). */
size_t journal_room(const struct journal *journal);

/* Would journal_turn() begin a new segment? Any thread. */
bool journal_wants_turn(struct journal *journal);

/* Begin a new segment, with the next entry, if journal_wipe() waits for one and
 * there is a file for it that has nothing of older entries in it. *@turned says
 * whether. After any failure the process must end.
 */
enum acta_code journal_turn(struct journal *journal, bool *turned,
                            struct acta_err *err) ACTA_CHECKED;

/* Memory in which the writer builds the next entry: its block and behind it its
 * rows, @size bytes, valid until journal_write(). NULL if there is none.
 */
uint8_t *journal_prepare(struct journal *journal, size_t size);

/* Write the entry whose block and rows are in journal_prepare()'s memory, if it
 * has any, and sync it. Sequence numbers follow one another.
 *
 * After any failure the outcome is unknown, and the process must end: a sync
 * that failed may not be tried again.
 */
enum acta_code journal_write(struct journal *journal,
                             const struct journal_entry *entry,
                             struct acta_err *err) ACTA_CHECKED;

/* Say that nothing follows in the newest segment, so that the next start need
 * not look for it. The writer must have stopped. A failure costs that start
 * some time, and nothing else.
 */
void journal_end(struct journal *journal);

/* The store has all entries up to @sequence: segments that have no other ones
 * become spares or are removed, the oldest first, unless they are read or kept,
 * see below. What there is no room for to be removed goes with the next call.
 * IO: it is not known what is left, and may not be tried again; the process has
 * to end.
 */
enum acta_code journal_release(struct journal *journal, uint64_t sequence,
                               struct acta_err *err) ACTA_CHECKED;

/* Overwrite what files that are not in use still have of entries up to
 * @sequence, so that it cannot be found on the disk again: at most @size_max
 * bytes, which are synced when this returns. If such entries are kept for a
 * backup they are not any more.
 */
enum journal_wiped {
    JOURNAL_WIPED,    /* No file has any of it. */
    JOURNAL_WIPES_ON, /* There is more to do: call it again. */
    JOURNAL_WAITS,    /* Segments that are in use have it. The newest is to be
                         followed by another, see journal_turn(), and then all
                         are to be released. Or a file can neither be
                         overwritten nor removed now. */
};

enum journal_wiped journal_wipe(struct journal *journal, uint64_t sequence,
                                size_t size_max);

/* Release no entries behind @after, since they are read; UINT64_MAX: nobody
 * reads any more. Any thread.
 */
void journal_read_after(struct journal *journal, uint64_t after);

/* Keep the entries behind @after when they are released, as long as segments
 * that could be used again take no more than @size_max bytes: for a backup that
 * will go on from there. UINT64_MAX: none. Any thread.
 */
void journal_keep_after(struct journal *journal, uint64_t after,
                        uint64_t size_max);

/* Are all entries behind @after still there? Any thread. */
bool journal_has_after(struct journal *journal, uint64_t after);

/* Bytes of segments that are there only because they are read or kept, when
 * the store has the entries up to @sequence. Any thread.
 */
uint64_t journal_kept(struct journal *journal, uint64_t sequence);

/* The disk is short of space: remove spare files, but for the one that the
 * keeper would make again.
 */
void journal_drop_spares(struct journal *journal);

/* Bytes of all segment files, spares included. */
uint64_t journal_size(struct journal *journal);

/* Replaced by tests to make syncs fail. */
extern int (*journal_sync)(int fd);

#endif

/* What is in the tables of a store, held against each other, wherever it was
 * read from: all of the log, then all lists, then all ids, and rows at any
 * time, each in the order of its keys.
 *
 * Whether they say the same is found out by sums: of a hash of each (list,
 * position) that follows from an event, and of each that the lists have; and
 * likewise of versions and ids. Two sums are the same if and only if, but for a
 * chance of one in 2^64, what was added up is. So each table is read once and
 * in its order, and next to nothing is kept in memory: a bit for each event,
 * since what is left of those that were swept does not say which lists they are
 * in.
 *
 * It is about the events up to a position. What is in a store about these never
 * changes but for records becoming less, so it need not be read at one moment:
 * later events are looked at, and are not in the sums. Internal to
 * server/verify*.c.
 */

#ifndef ACTA_VERIFY_CONTENTS_H
#define ACTA_VERIFY_CONTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list.h"
#include "postings.h"
#include "slice.h"
#include "store.h"
#include "verify_inside.h"

struct verify_sum {
    uint64_t of_log;
    uint64_t of_index;
};

struct verify_contents {
    struct verify *verify;
    struct store_meta meta; /* As of now; but position, below, stays. */
    uint64_t position;      /* All is about events up to here. */
    uint64_t lists_count;   /* Numbers of lists that have such. */
    uint64_t due;           /* The position that the log goes on with. */
    uint64_t time_us;
    uint8_t *stubs;             /* owned: a bit for each position */
    uint8_t *numbers;           /* owned: a bit for each number of a list */
    uint64_t chunks;            /* That belong to lists. */
    struct verify_sum lists;    /* (list, position) */
    struct verify_sum versions; /* (position, version) */
    struct verify_sum ids;      /* (id, position) */
    struct verify_sum streams;  /* (number of the stream, position): of lists,
                                   ids */
};

/* It is to be finished, whatever this returns. */
enum acta_code verify_contents_init(struct verify_contents *contents,
                                    struct verify *verify,
                                    const struct store_meta *meta,
                                    struct acta_err *err) ACTA_CHECKED;
void verify_contents_fini(struct verify_contents *contents);

/* Has the block of the log anything that was not looked at? One that is damaged
 * was looked at if its key is in front of the position that is due.
 */
bool verify_log_is_due(const struct verify_contents *contents, struct slice key,
                       struct slice value);

/* Keys and values of the log, and then its end. The position that is due never
 * goes back.
 */
void verify_log_entry(struct verify_contents *contents, struct slice key,
                      struct slice value);
void verify_log_end(struct verify_contents *contents);

/* A list: its head, its chunks from the one of ordinal list->next on, and its
 * end. Between its chunks the store may get more, and its head be read anew.
 */
struct verify_list {
    uint8_t key[1 + 255];
    size_t key_size;
    struct list_name name; /* In key. */
    struct list_head head;
    uint64_t last; /* Position. */
    uint64_t next; /* Ordinal. */
    bool is_whole; /* So far. */
};

void verify_list_begin(struct verify_contents *contents,
                       struct verify_list *list, struct slice key,
                       struct slice value);

/* True if it has chunks that were not looked at. */
static inline bool
verify_list_goes_on(const struct verify_list *list)
{
    return list->is_whole && list->next < list->head.newest.first_ordinal;
}

void verify_list_chunk(struct verify_contents *contents,
                       struct verify_list *list, struct slice key,
                       struct slice value);

/* There is no other chunk of it. */
void verify_list_end(struct verify_contents *contents,
                     struct verify_list *list);

/* The same head, as it is by now. */
void verify_list_again(struct verify_list *list, struct slice value);

void verify_id(struct verify_contents *contents, struct slice key,
               struct slice value);

/* All was gone through, and nothing is damaged: does it agree? */
void verify_compare(struct verify_contents *contents);

/* Look at a row, key and value as stored. @has says whether there is a row of
 * the kind and key.
 */
void verify_row(struct verify *verify, struct slice key, struct slice stored,
                bool (*has)(void *user, struct slice key), void *user);

/* Is @value what a row of this key, as in the store, may have? */
bool verify_is_row(struct slice key, struct slice value);

/* The key, as in the store, of the row that one of @key does not go without;
 * empty if it stands alone. @to has room for ROW_STORE_KEY_MAX bytes.
 */
struct slice verify_partner(uint8_t *to, struct slice key);

#endif

/* Postings: the positions of a list's events, in order, packed.
 *
 * A chunk holds up to POSTINGS_CHUNK_MAX of them as the differences between
 * neighbours, varints (bytes.h) behind a first position that is kept beside it.
 * A head is what a list's entry in the store says: how many events it has, and
 * its newest postings, inline. When those are many they move to a chunk of
 * their own, so that a list with few events is one entry, and one with many
 * never has more than a piece of itself written anew.
 *
 * No I/O, no allocation. Any thread.
 */

#ifndef ACTA_POSTINGS_H
#define ACTA_POSTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "slice.h"
#include "uuid.h"

/* Both bound a chunk: it is full when either is reached. */
#define POSTINGS_CHUNK_MAX      256 /* Positions. */
#define POSTINGS_CHUNK_SIZE_MAX 512 /* Bytes of differences. */

/* A chunk, unpacked. */
struct postings {
    uint64_t first_ordinal; /* Of positions[0]: 1 for a list's first. */
    size_t count;
    size_t size; /* Bytes that the differences take. */
    uint64_t positions[POSTINGS_CHUNK_MAX];
};

/* The index in @postings of the first position >= @position: count if none. */
size_t postings_find(const struct postings *postings, uint64_t position);

/* ---- chunks of the store ---- */

/* The value of a chunk: checksum, then first ordinal, first position, count
 * and differences as varints. The checksum is over the key as well, so that a
 * value in another one's place is found out.
 */
#define POSTINGS_VALUE_MAX (4 + 3 * 10 + POSTINGS_CHUNK_SIZE_MAX + 10)

size_t postings_encode(uint8_t to[static POSTINGS_VALUE_MAX], struct slice key,
                       const struct postings *postings);
enum acta_code postings_decode(struct postings *postings, struct slice key,
                               struct slice value,
                               struct acta_err *err) ACTA_CHECKED;

/* ---- heads ---- */

struct list_head {
    uint64_t number;        /* Of the list: unique, never used again. */
    uint64_t count;         /* Events in it; a stream's version. */
    uint64_t last_position; /* Of the last of them. */
    uint64_t first_time_us; /* When the first and the last were recorded. */
    uint64_t last_time_us;
    bool has_id_max;
    uint8_t id_max[UUID_SIZE]; /* Streams: the greatest id in it. */
    struct postings newest;    /* Those not in a chunk. */
};

#define LIST_HEAD_VALUE_MAX                                                    \
    (4 + 1 + 5 * 10 + UUID_SIZE + 2 * 10 + POSTINGS_CHUNK_SIZE_MAX + 10)

size_t list_head_encode(uint8_t to[static LIST_HEAD_VALUE_MAX],
                        struct slice key, const struct list_head *head);
enum acta_code list_head_decode(struct list_head *head, struct slice key,
                                struct slice value,
                                struct acta_err *err) ACTA_CHECKED;

/* A list without events. */
void list_head_init(struct list_head *head, uint64_t number);

/* Add a position to the head. True if its newest postings are full now: they
 * have to be stored as a chunk, and then list_head_start_next() called, before
 * the next one is added.
 */
bool list_head_add(struct list_head *head, uint64_t position);
void list_head_start_next(struct list_head *head);

#endif

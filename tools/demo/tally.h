/* Counts by name: how often, and how many lines were added and removed. One
 * thread.
 */

#ifndef ACTA_DEMO_TALLY_H
#define ACTA_DEMO_TALLY_H

#include <stddef.h>
#include <stdint.h>

struct tally_row {
    char *name; /* owned; NULL: the place is free */
    uint64_t count;
    uint64_t added;
    uint64_t removed;
};

/* All zero is empty. */
struct tally {
    struct tally_row *rows; /* owned: a hash table, half of it free */
    size_t capacity;
    size_t count;
};

void tally_add(struct tally *tally, const char *name, uint64_t added,
               uint64_t removed);
void tally_fini(struct tally *tally);

/* Which of two rows comes first: negative if @a does. */
typedef int tally_order(const struct tally_row *a, const struct tally_row *b);

int tally_by_count(const struct tally_row *a, const struct tally_row *b);
int tally_by_name_backward(const struct tally_row *a,
                           const struct tally_row *b);

/* The first @top_max rows by @order, to @top. Returns how many there are. */
size_t tally_top(const struct tally *tally, tally_order *order,
                 const struct tally_row **top, size_t top_max);

#endif

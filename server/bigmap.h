/* Memory in the processor's large pages, where the system has them: for what is
 * looked into anywhere, or grows all the time.
 *
 * The first touch of a large page has the kernel clear two megabytes, which the
 * host of a virtual machine may have to find first: milliseconds, and a new
 * memtable is touched everywhere by its first events. So maps that were used
 * are kept for who needs the next ones of their size.
 */

#ifndef ACTA_BIGMAP_H
#define ACTA_BIGMAP_H

#include <stdatomic.h>
#include <stddef.h>

#define BIGMAP_SIZE     ((size_t)2 << 20) /* Of a large page. */
#define BIGMAP_KEPT_MAX 64

struct bigmap;

/* Maps that nobody uses. All zeros: none. Any thread, at once: who finds one
 * taken by another, or no room, maps or unmaps memory of its own.
 */
struct bigmaps {
    _Atomic(struct bigmap *) kept[BIGMAP_KEPT_MAX];
};

/* @size bytes, from 16 on, aligned to a large page if there are as many: one
 * of this size that was given back, with what it had in it but for its first 16
 * bytes, which are zero; or a new one, all zeros. NULL if there is no memory.
 */
void *bigmap_take(struct bigmaps *maps, size_t size);

/* Give back what bigmap_take() returned for @size. It is kept if there is room
 * for it.
 */
void bigmap_give(struct bigmaps *maps, void *map, size_t size);

/* The same, and it is not kept. */
void bigmap_unmap(void *map, size_t size);

/* Unmap what is kept. */
void bigmap_drop(struct bigmaps *maps);

#endif

/* One list, in the store or in a memtable, walked in either direction.
 *
 * A cursor is the same to its user wherever the list is. It lives as long as
 * the view, or as the lock on the memtable, that it was opened with. One
 * thread.
 */

#ifndef ACTA_LIST_CURSOR_H
#define ACTA_LIST_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "list.h"
#include "memtable.h"
#include "postings.h"
#include "store.h"

#define POSITION_NONE_AHEAD  UINT64_MAX
#define POSITION_NONE_BEFORE 0

struct list_cursor {
    enum list_kind kind;
    uint64_t count; /* Events in the list, here. */

    /* In a memtable. */
    const struct memlist *memlist; /* NULL: in the store. */
    uint64_t first_position;

    /* In the store. */
    struct store_view *view;
    struct list_head head;
    struct postings chunk;
    const struct postings *current; /* &head.newest, &chunk or NULL */
};

/* Open the list @name of the store. A list that is not there is empty. */
enum acta_code list_cursor_open_store(struct list_cursor *cursor,
                                      struct store_view *view,
                                      const struct list_name *name,
                                      struct acta_err *err) ACTA_CHECKED;

/* Open the first list of @kind in the store whose name is behind @after, or is
 * @after if @inclusive. *@name is what it is called, valid as long as the view;
 * *@found is false if there is none.
 */
enum acta_code list_cursor_open_next(struct list_cursor *cursor,
                                     struct store_view *view,
                                     enum list_kind kind, struct slice after,
                                     bool inclusive, struct slice *name,
                                     bool *found,
                                     struct acta_err *err) ACTA_CHECKED;

/* Open the list @name of a memtable that is locked, as far as the position
 * @head.
 */
void list_cursor_open_memtable(struct list_cursor *cursor,
                               const struct memtable *memtable,
                               const struct list_name *name, uint64_t head);

/* The same for a list that is at hand; with NULL for one without events. */
void list_cursor_open_memlist(struct list_cursor *cursor,
                              const struct memtable *memtable,
                              const struct memlist *memlist,
                              enum list_kind kind, uint64_t head);

/* The first position >= @position, POSITION_NONE_AHEAD if there is none. */
enum acta_code list_cursor_ahead(struct list_cursor *cursor, uint64_t position,
                                 uint64_t *found,
                                 struct acta_err *err) ACTA_CHECKED;

/* The last position <= @position, POSITION_NONE_BEFORE if there is none. */
enum acta_code list_cursor_before(struct list_cursor *cursor, uint64_t position,
                                  uint64_t *found,
                                  struct acta_err *err) ACTA_CHECKED;

/* Put those from @from up to @last that are at hand where the cursor is,
 * @count_max at most, into @positions. Returns how many: after 0, and behind
 * them, list_cursor_ahead() tells if there are more.
 */
size_t list_cursor_run(const struct list_cursor *cursor, uint64_t from,
                       uint64_t last, uint64_t *positions, size_t count_max);

/* How many positions here are >= @position. */
enum acta_code list_cursor_count_ahead(struct list_cursor *cursor,
                                       uint64_t position, uint64_t *count,
                                       struct acta_err *err) ACTA_CHECKED;

/* The position of a stream's event number @ordinal of those that are here: 1
 * to count.
 */
enum acta_code list_cursor_at(struct list_cursor *cursor, uint64_t ordinal,
                              uint64_t *found,
                              struct acta_err *err) ACTA_CHECKED;

#endif

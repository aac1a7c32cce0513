/* A page that many ask for: those who follow one query live are all at one
 * position, and get the same events in every round.
 *
 * The question asked last is remembered with the position at which its answer
 * ends. Asked again with the same end, the page that answers it is kept, and it
 * is given out from then on without a look at any event. So one who reads alone
 * pays for no copy.
 *
 * What is given out is what a read would find: events do not change, and which
 * of them are shown is told by rows of their streams alone. A page with an
 * event whose stream has rows is not kept, and one that is kept is given out no
 * more when some stream was marked as having rows since it was read.
 */

#include <stdlib.h>

#include "reader_view.h"

/* What a reader keeps at most: a step of a subscription. Who reads more at a
 * time is not one of many that live from commit to commit.
 */
#define SHARED_SIZE_MAX ((size_t)256 << 10)

struct shared_page {
    struct buf query; /* owned: as on the wire; empty: nothing was asked */
    struct buf asked; /* owned: as above, of the question at hand */
    uint64_t from;
    struct read_bounds bounds;
    uint64_t end;         /* The position where it ends. */
    uint64_t marks_count; /* When it was read. */
    bool is_kept;
    struct buf events; /* owned: the answer, if it is kept */
    struct read_result result;
};

struct shared_page *
shared_page_new(void)
{
    struct shared_page *page = calloc(1, sizeof(*page));

    if (page != NULL) {
        buf_init(&page->query, QUERY_ENCODED_MAX);
        buf_init(&page->asked, QUERY_ENCODED_MAX);
        buf_init(&page->events, SHARED_SIZE_MAX);
    }
    return page;
}

void
shared_page_free(struct shared_page *page)
{
    if (page == NULL) {
        return;
    }
    buf_fini(&page->query);
    buf_fini(&page->asked);
    buf_fini(&page->events);
    free(page);
}

/* True if that is what was asked last. page->asked has the query then, else it
 * may have.
 */
static bool
is_same(struct shared_page *page, const struct query *query, uint64_t from,
        const struct read_bounds *bounds)
{
    if (page->from != from || page->bounds.events_max != bounds->events_max ||
        page->bounds.bytes_max != bounds->bytes_max) {
        return false;
    }
    buf_clear(&page->asked);
    query_encode(&page->asked, query);
    return !buf_failed(&page->asked) && !buf_failed(&page->query) &&
           slice_equal(buf_slice(&page->query), buf_slice(&page->asked));
}

bool
reader_recall(struct reader *reader, const struct query *query, uint64_t from,
              const struct read_bounds *bounds, struct buf *out,
              struct read_result *result)
{
    struct shared_page *page = reader->shared;
    uint64_t head = tail_head(&reader->rooms->tail);

    if (!page->is_kept || page->end != read_bounds_end(bounds, head) ||
        page->marks_count != marks_count(&reader->rooms->marks) ||
        !is_same(page, query, from, bounds)) {
        return false;
    }
    buf_append_slice(out, buf_slice(&page->events));
    *result = page->result;
    result->head = head;
    return !buf_failed(out);
}

static void
keep(struct shared_page *page, struct slice events,
     const struct read_result *result)
{
    buf_clear(&page->events);
    buf_append_slice(&page->events, events);
    page->result = *result;
    page->is_kept = !buf_failed(&page->events);
}

static void
ask(struct shared_page *page, const struct query *query, uint64_t from,
    const struct read_bounds *bounds, uint64_t end)
{
    buf_clear(&page->query);
    query_encode(&page->query, query);
    page->from = from;
    page->bounds = *bounds;
    page->end = end;
    page->is_kept = false;
}

void
reader_remember(struct reader *reader, const struct query *query, uint64_t from,
                const struct read_bounds *bounds, struct slice events,
                const struct read_result *result)
{
    struct shared_page *page = reader->shared;
    uint64_t end = read_bounds_end(bounds, reader->head);

    if (page->end != end || !is_same(page, query, from, bounds)) {
        ask(page, query, from, bounds, end);
    } else if (!reader->judged && events.size <= SHARED_SIZE_MAX) {
        page->marks_count = reader->marks_count;
        keep(page, events, result);
    }
}

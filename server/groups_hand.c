/* Reading for groups, and handing out: from the reader through a group to the
 * mails of its members.
 */

#include "groups_inside.h"

#include <assert.h>

#include "event.h"
#include "log.h"
#include "msg_group.h"
#include "outer.h"
#include "pack.h"

/* What a group reads at once: so much that it is still in the processor's cache
 * when it is handed out. A step has some of these, of up to GROUPS_STEP_EVENTS
 * events.
 */
#define STEP_PAGE  ((size_t)64 << 10)
#define STEP_PAGES 16

/* A frame ends when it has so many bytes: members decode it as a whole, which
 * their processors' caches like better in pieces.
 */
#define FRAME_SIZE ((size_t)32 << 10)

/* Memory for reading that is kept. */
#define RECORDS_KEEP ((size_t)4 << 20)

/* Events that are shown to those that wait in one turn; with more than that
 * before them all are woken: looking for events of their own costs each less
 * than looking at all events costs the thread.
 */
#define SHOWN_MAX  8192
#define SHOWN_SIZE ((size_t)1 << 20)

/* ---- frames ---- */

static void
begin_frame(struct seat *seat, uint64_t fence)
{
    seat->frame_count = 0;
    seat->frame = msg_handed_begin(seat->out, seat->request_id, fence,
                                   seat->hosted->groups->head);
}

static void
end_frame(struct seat *seat)
{
    struct slice counts = buf_slice(&seat->counts);

    msg_handed_end(seat->out, seat->frame, seat->frame_count,
                   (const struct msg_count *)(const void *)counts.data,
                   counts.size / sizeof(struct msg_count));
    /* Events that cannot be told must not seem to have been: with a mail that
     * failed the connection ends.
     */
    peer_out(&seat->hosted->groups->peers, seat->peer)->failed |=
        buf_failed(&seat->counts) || buf_failed(seat->out);
    buf_clear(&seat->counts);
    buf_trim(&seat->counts, 0);
}

static void
open_frame(struct seat *seat, uint64_t fence)
{
    struct groups *groups = seat->hosted->groups;
    struct peer *peer = seat->peer;

    if (peer->writing == NULL) {
        peer->writing = seat;
        seat->out = peer_out(&groups->peers, peer);
    } else {
        seat->out = &seat->own;
    }
    begin_frame(seat, fence);
    TAILQ_INSERT_TAIL(&groups->open, seat, in_open);
}

static bool
is_frame_full(const struct seat *seat)
{
    return buf_size(seat->out) - seat->frame.frame >= FRAME_SIZE;
}

static void
close_frame(struct seat *seat)
{
    struct buf *mail = peer_out(&seat->hosted->groups->peers, seat->peer);

    end_frame(seat);
    if (seat->out == mail) {
        seat->peer->writing = NULL;
    } else {
        buf_append_slice(mail, buf_slice(seat->out));
        buf_clear(seat->out);
        buf_trim(seat->out, 0);
    }
    seat->out = NULL;
}

/* The one that writes right to a mail is open before others of its peer, and is
 * closed before them.
 */
static void
close_frames(struct groups *groups)
{
    struct seat *seat;

    while ((seat = TAILQ_FIRST(&groups->open)) != NULL) {
        TAILQ_REMOVE(&groups->open, seat, in_open);
        close_frame(seat);
    }
}

/* ---- what a group asks for ---- */

/* Hold all its members, or have them go on. */
static void
hold_peer(struct peer *peer, bool is_held)
{
    struct seat *seat;

    peer->is_held = is_held;
    LIST_FOREACH(seat, &peer->seats, in_peer)
    {
        group_hold(seat->hosted->group, seat->member, is_held);
        if (!is_held) {
            hosted_make_busy(seat->hosted);
        }
    }
}

void
groups_take_receipt(struct groups *groups, struct peer *peer)
{
    peer_take_receipt(&groups->peers, peer);
    if (peer->is_held && !peer_is_full(peer)) {
        hold_peer(peer, false);
    }
}

static void
hand(void *user, void *member, uint64_t fence, uint64_t deliveries,
     struct slice record)
{
    struct seat *seat = member;

    (void)user;
    if (seat->out == NULL) {
        open_frame(seat, fence);
    } else if (is_frame_full(seat)) {
        end_frame(seat);
        begin_frame(seat, fence);
    }
    if (deliveries > 1) {
        buf_append(&seat->counts,
                   &(struct msg_count){.index = seat->frame_count,
                                       .deliveries = deliveries},
                   sizeof(struct msg_count));
    }
    buf_append_slice(seat->out, record);
    seat->frame_count++;
    seat->peer->untaken += record.size;
    if (peer_is_full(seat->peer)) {
        hold_peer(seat->peer, true);
    }
}

static enum acta_code
fetch(void *user, uint64_t position, struct slice *record, struct acta_err *err)
{
    static const struct read_bounds one = {.events_max = 1};
    static const struct query all = {0};
    struct hosted *hosted = user;
    struct groups *groups = hosted->groups;
    struct read_result result;
    enum acta_code code;

    buf_clear(&groups->fetched);
    buf_trim(&groups->fetched, RECORDS_KEEP);
    code = reader_read_all(groups->reader, &all, position - 1, false, &one,
                           &groups->fetched, &result, err);
    if (code != ACTA_OK) {
        return code;
    }
    *record = buf_slice(&groups->fetched);
    if (result.events_count == 0 ||
        event_record_position(*record) != position) {
        return acta_fail(err, ACTA_NOT_FOUND, "event is not to be seen");
    }
    return ACTA_OK;
}

struct group_ports
hosted_ports(struct hosted *hosted)
{
    return (struct group_ports){.hand = hand, .fetch = fetch, .user = hosted};
}

/* ---- a step ---- */

/* What came of reading. */
enum reading {
    READ_ON,     /* There is more to do, */
    READ_LATER,  /* but others first. */
    READ_ENOUGH, /* The group wants nothing now. */
    READ_ALL,    /* There is nothing more to read. */
};

/* It is to be read again, perhaps by another query: events that came after that
 * was said must not be passed by the old one. So this is asked behind reading.
 */
static bool
is_changed(const struct hosted *hosted)
{
    return inbox_has_name(&hosted->groups->inbox, hosted_name(hosted));
}

/* One page, as it is read. */
struct page_reading {
    struct hosted *hosted;
    size_t size;     /* Bytes of records. */
    bool is_changed; /* It was not taken. */
};

static enum acta_code
take_page(void *user, const struct slice *records, size_t count,
          struct acta_err *err)
{
    struct page_reading *page = user;

    page->is_changed = is_changed(page->hosted);
    if (page->is_changed) {
        return ACTA_OK;
    }
    for (size_t i = 0; i < count; i++) {
        page->size += records[i].size;
    }
    return group_add_all(page->hosted->group, records, count, err);
}

/* Read one page, and hand it out. READ_ON: it was full, so that the next one is
 * as quick to read.
 */
static enum acta_code
read_page(struct hosted *hosted, uint64_t events_max, enum reading *reading,
          struct acta_err *err)
{
    struct groups *groups = hosted->groups;
    struct page_reading page = {.hosted = hosted};
    struct read_bounds bounds = {.events_max = events_max,
                                 .bytes_max = STEP_PAGE};
    struct reader_show show = {.show = take_page,
                               .user = &page,
                               .records = groups->shown,
                               .erased = &groups->records};
    struct read_result result;
    enum acta_code code;

    buf_clear(&groups->records);
    buf_trim(&groups->records, RECORDS_KEEP);
    code = reader_show_all(groups->reader, &hosted->query,
                           group_read_to(hosted->group), &bounds, &show,
                           &result, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (page.is_changed || (result.events_count == 0 && is_changed(hosted))) {
        *reading = READ_LATER;
        return ACTA_OK;
    }
    code = group_pass(hosted->group, result.next, err);
    if (result.at_end) {
        *reading = READ_ALL;
    } else if (page.size < STEP_PAGE / 2) {
        *reading = READ_LATER;
    }
    return code;
}

/* Read or load until nothing is wanted, or the step is over. */
static enum acta_code
hand_out(struct hosted *hosted, enum reading *reading, struct acta_err *err)
{
    uint64_t left = GROUPS_STEP_EVENTS;
    enum acta_code code = ACTA_OK;

    *reading = READ_ON;
    for (unsigned page = 0; page < STEP_PAGES && code == ACTA_OK; page++) {
        uint64_t wanted = group_wants(hosted->group);

        wanted = wanted < left ? wanted : left;
        if (wanted == 0 || *reading != READ_ON) {
            break;
        }
        left -= wanted;
        code = group_is_loading(hosted->group)
                   ? group_load(hosted->group, wanted, err)
                   : read_page(hosted, wanted, reading, err);
    }
    if (*reading == READ_ON && group_wants(hosted->group) == 0) {
        *reading = READ_ENOUGH;
    }
    return code;
}

/* It has read all that there is. */
static void
wait_for_events(struct hosted *hosted)
{
    struct groups *groups = hosted->groups;

    if (hosted->waiter.interest == NULL &&
        !waiter_init(&hosted->waiter, groups->interest, &hosted->query)) {
        hosted_trouble(hosted, &(struct acta_err){.code = ACTA_MEMORY,
                                                  .text = "out of memory"});
        return;
    }
    if (interest_count(groups->interest) == 0) {
        groups->seen = group_read_to(hosted->group);
    } else if (groups->seen > group_read_to(hosted->group)) {
        hosted_make_busy(hosted); /* What it waits for was shown already. */
        return;
    }
    waiter_wait(&hosted->waiter);
}

static void
set_timer(struct hosted *hosted, uint64_t time_us)
{
    struct heap *timers = &hosted->groups->timers;
    uint64_t now_us = hosted->groups->now_us;

    if (hosted->not_before > now_us &&
        (time_us <= now_us || time_us > hosted->not_before)) {
        time_us = hosted->not_before; /* What is due has to wait. */
    }
    heap_remove(timers, &hosted->timer);
    if (time_us != UINT64_MAX) {
        hosted->timer.time = time_us;
        heap_put(timers, &hosted->timer);
    }
}

static void
count_in_hand(struct hosted *hosted)
{
    struct groups *groups = hosted->groups;
    uint64_t in_hand = group_in_hand(hosted->group);

    atomic_fetch_add(&groups->in_hand, in_hand - hosted->in_hand);
    hosted->in_hand = in_hand;
}

/* Begin, read and hand out. */
static void
work(struct hosted *hosted)
{
    struct groups *groups = hosted->groups;
    enum reading reading = READ_ENOUGH;
    struct acta_err err;
    enum acta_code code;

    if (is_changed(hosted)) {
        hosted_make_busy(hosted);
        return;
    }
    groups->head = database_head(groups->database);
    code = group_begin(hosted->group, &err);
    if (code == ACTA_OK && hosted->passed > group_read_to(hosted->group)) {
        code = group_pass(hosted->group, hosted->passed, &err);
    }
    if (code == ACTA_OK) {
        code = hand_out(hosted, &reading, &err);
    }
    close_frames(groups);
    if (code == ACTA_CORRUPT) {
        hosted_end(hosted, code, err.text);
    } else if (code != ACTA_OK) {
        hosted_trouble(hosted, &err);
    } else if (reading == READ_ON || reading == READ_LATER) {
        hosted_make_busy(hosted);
    } else if (reading == READ_ALL) {
        wait_for_events(hosted);
    }
}

void
hosted_step(struct hosted *hosted)
{
    struct groups *groups = hosted->groups;
    uint64_t due;

    waiter_stop(&hosted->waiter);
    group_see_time(hosted->group, groups->now_us, groups->wall_us);
    due = group_tick(hosted->group);
    if (hosted->not_before > groups->now_us) {
        set_timer(hosted, due);
        return;
    }
    work(hosted);
    hosted_save(hosted);
    set_timer(hosted, group_tick(hosted->group));
    count_in_hand(hosted);
}

/* ---- waking ---- */

static void
wake(struct waiter_list *woken, uint64_t passed)
{
    struct waiter *waiter;

    while ((waiter = TAILQ_FIRST(woken)) != NULL) {
        struct hosted *hosted = OUTER(struct hosted, waiter, waiter);

        TAILQ_REMOVE(woken, waiter, in_list);
        hosted->passed = passed;
        hosted_make_busy(hosted);
    }
}

/* Show the events behind groups->seen. */
static enum acta_code
show_some(struct groups *groups, struct acta_err *err)
{
    static const struct read_bounds bounds = {.events_max = SHOWN_MAX,
                                              .bytes_max = SHOWN_SIZE};
    static const struct query all = {0};
    struct waiter_list woken = TAILQ_HEAD_INITIALIZER(woken);
    struct pack_reader reader;
    struct read_result result;
    enum acta_code code;

    buf_clear(&groups->records);
    code = reader_read_all(groups->reader, &all, groups->seen, false, &bounds,
                           &groups->records, &result, err);
    if (code != ACTA_OK) {
        return code;
    }
    pack_reader_init(&reader, buf_slice(&groups->records), err);
    for (size_t i = 0; i < result.events_count; i++) {
        struct event event;

        event_decode_record(&reader, &event);
        if (pack_code(&reader) != ACTA_OK) {
            return pack_code(&reader);
        }
        interest_wake(groups->interest, &event, &woken);
        wake(&woken, event.position - 1);
    }
    groups->seen = result.next;
    return ACTA_OK;
}

void
groups_look_at_head(struct groups *groups)
{
    uint64_t head = database_head(groups->database);
    struct waiter_list woken = TAILQ_HEAD_INITIALIZER(woken);
    enum acta_code code = ACTA_OK;
    struct acta_err err;

    if (interest_count(groups->interest) == 0 || head <= groups->seen) {
        return;
    }
    if (head - groups->seen <= SHOWN_MAX) {
        code = show_some(groups, &err);
    }
    /* Whoever wants what could not be shown will say what is wrong. */
    if (head - groups->seen > SHOWN_MAX || code != ACTA_OK) {
        interest_wake_all(groups->interest, &woken);
        wake(&woken, groups->seen);
    }
}

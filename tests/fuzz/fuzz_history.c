/* Sessions in front of a real database, which is stopped and started and dies.
 * The input is a list of commands: appends, changes of streams, frames of any
 * kind with any body, bytes that are no frames, connections that are cut.
 *
 * Whatever that is: what sessions say is whole frames of replies that decode,
 * to requests that were sent, each answered once; and what was acknowledged is
 * there for ever, as history_model.h has it.
 */

#include <string.h>

#include "clock.h"
#include "frame.h"
#include "fuzz.h"
#include "fuzz_input.h"
#include "history_db.h"
#include "history_model.h"
#include "limit.h"
#include "opcode.h"
#include "reencode.h"
#include "session.h"

#define SESSIONS     3
#define COMMANDS_MAX 100
#define RESTARTS_MAX 3
#define OUT_MAX      ((size_t)64 << 20)
#define PENDING_MAX  128
#define PUMPS_MAX    100000

/* A connection, and what it waits for. */
struct link {
    bool is_up;
    bool is_wild; /* It sent bytes: nobody knows which requests they were. */
    uint64_t last_id;
    struct session session;
    struct buf out;
    struct {
        uint64_t id; /* 0: answered */
        bool has_command;
        struct history_append append;
    } pending[PENDING_MAX];
    size_t pending_count;
};

static struct link links[SESSIONS];
static uint64_t links_made;
static struct history_db db;
static struct outbox outbox;
static struct counters counters;
static struct session_host host;
static unsigned restarts;

static const struct server_info info = {
    .version = "9.9.9", .counters = &counters, .threads_count = 1};

/* ---- what a session says ---- */

static bool
is_told_unasked(uint8_t kind)
{
    return kind == OP_DELIVERY || kind == OP_CAUGHT_UP ||
           kind == OP_FELL_BEHIND || kind == OP_UNSUBSCRIBED ||
           kind == OP_HANDED || kind == OP_LEFT;
}

static void
hear_append(struct link *link, const struct frame *frame)
{
    struct msg_appended appended;
    struct acta_err err;
    size_t i = 0;

    while (i < link->pending_count &&
           link->pending[i].id != frame->request_id) {
        i++;
    }
    if (i == link->pending_count) {
        return; /* Of a frame whose body is not known here. */
    }
    link->pending[i].id = 0;
    if (frame->kind == OP_ERROR) {
        return;
    }
    FUZZ_PROMISE(frame->kind == OP_APPENDED);
    FUZZ_PROMISE(msg_appended_decode(&appended, frame->body, &err) == ACTA_OK);
    /* A repeat by its command tells of the events that this made first. */
    if (!link->pending[i].has_command || !appended.repeated) {
        history_acknowledge(&link->pending[i].append, &appended);
    }
}

static void
hear(struct link *link)
{
    while (buf_size(&link->out) > 0) {
        struct acta_err err;
        struct frame frame;
        struct buf again;
        size_t used;

        FUZZ_PROMISE(frame_decode(&frame, &used, buf_slice(&link->out),
                                  ACTA_FRAME_SIZE_MAX, &err) == ACTA_OK);
        FUZZ_PROMISE(used > 0);
        FUZZ_PROMISE(frame.kind >= OP_REPLY_FIRST);
        buf_init(&again, OUT_MAX);
        FUZZ_PROMISE(reencode(&again, frame.kind, frame.request_id, frame.body,
                              &err) == ACTA_OK);
        buf_fini(&again);
        FUZZ_PROMISE(link->is_wild || frame.request_id <= link->last_id);
        if (!is_told_unasked(frame.kind)) {
            hear_append(link, &frame);
        }
        buf_consume(&link->out, used);
    }
    FUZZ_PROMISE(!buf_failed(&link->out));
    session_sent(&link->session);
}

/* ---- turns ---- */

static void
give_back(struct job *job)
{
    while (job != NULL) {
        struct job *next = job->next;
        struct link *link = links;

        while (link < links + SESSIONS &&
               !(link->is_up && link->session.id == job->connection_id)) {
            link++;
        }
        if (link == links + SESSIONS) {
            job_free(job); /* The connection is gone. */
        } else {
            session_complete(&link->session, job);
            hear(link);
        }
        job = next;
    }
}

static bool
is_awaited(const struct link *link)
{
    return link->is_up && link->session.jobs_count > link->session.waits_count;
}

static void
pump(struct link *link)
{
    unsigned pumps = 0;

    session_wake(&link->session, database_head(link->session.host->database));
    while (session_pump(&link->session) > 0) {
        FUZZ_PROMISE(++pumps < PUMPS_MAX);
        hear(link);
    }
    session_tick(&link->session);
    hear(link);
}

/* Until nothing is on its way any more but what waits for something. */
static void
settle(void)
{
    bool awaited = true;

    while (awaited) {
        outbox_flush(&outbox, db.database);
        awaited = outbox.first != NULL;
        for (size_t i = 0; i < SESSIONS; i++) {
            awaited = awaited || is_awaited(&links[i]);
        }
        give_back(awaited ? history_db_wait(&db) : history_db_take(&db));
        for (size_t i = 0; i < SESSIONS; i++) {
            if (links[i].is_up) {
                pump(&links[i]);
            }
        }
    }
}

/* Bytes arrive; what is left of them was taken for the front of a frame. */
static void
arrive(struct link *link, struct slice bytes)
{
    size_t used = 0;

    reader_set_time(db.reader, clock_wall().us);
    do {
        size_t now = session_feed(
            &link->session, slice_make(bytes.data + used, bytes.size - used));

        FUZZ_PROMISE(now <= bytes.size - used);
        used += now;
        hear(link);
        settle();
    } while (link->session.left_frame);
}

/* ---- connections ---- */

static void
hang_up(struct link *link)
{
    bool was_over = link->session.state == SESSION_OVER;

    if (!link->is_up) {
        return;
    }
    for (size_t i = 0; i < link->pending_count; i++) {
        FUZZ_PROMISE(link->pending[i].id == 0 || was_over || link->is_wild);
    }
    session_end_input(&link->session);
    settle();
    link->is_up = false;
    session_fini(&link->session);
    buf_fini(&link->out);
    outbox_flush(&outbox, db.database);
}

static struct link *
link_of(uint8_t number)
{
    struct link *link = &links[number % SESSIONS];
    struct msg_hello hello = {1, 1, slice_of("fuzz"), slice_of("")};
    struct buf buf;

    if (link->is_up && link->session.state == SESSION_OVER) {
        hang_up(link);
    }
    if (link->is_up) {
        return link;
    }
    *link = (struct link){.is_up = true, .last_id = 1};
    buf_init(&link->out, OUT_MAX);
    session_init(&link->session, &host, ++links_made, &link->out);
    if (number < 128) { /* Else hello is left to the input. */
        buf_init(&buf, OUT_MAX);
        msg_hello_encode(&buf, 1, &hello);
        arrive(link, buf_slice(&buf));
        buf_fini(&buf);
    }
    return link;
}

static void
hang_up_all(void)
{
    for (size_t i = 0; i < SESSIONS; i++) {
        hang_up(&links[i]);
    }
}

static void
restart(bool killed)
{
    if (restarts == RESTARTS_MAX) {
        return;
    }
    restarts++;
    hang_up_all();
    FUZZ_PROMISE(outbox.first == NULL);
    history_check(db.reader);
    history_db_restart(&db, killed);
    give_back(history_db_take(&db));
    host.database = db.database;
    host.reader = db.reader;
    history_check(db.reader);
}

/* ---- commands ---- */

static int64_t
take_expected(struct fuzz_input *input)
{
    uint8_t byte = fuzz_take_byte(input);

    return byte >= 254 ? (int64_t)byte - 256 : (int64_t)byte;
}

static void
append(struct fuzz_input *input)
{
    struct link *link = link_of(fuzz_take_byte(input));
    struct history_append what = {.stream =
                                      fuzz_take_byte(input) % HISTORY_STREAMS};
    int64_t expected = take_expected(input);
    uint8_t flags = fuzz_take_byte(input), id[16], command[16];
    struct msg_append_more more = {0};
    struct msg_check check = {history_stream(flags), 1};
    struct event event = {.type = slice_of("T"), .id = id};
    struct slice tag = slice_of("t:1");
    size_t start;
    struct buf buf;

    what.count = (uint8_t)(1 + flags % HISTORY_EVENTS_MAX);
    what.id = fuzz_take_byte(input) & 0x7f;
    if ((flags & 0x10) != 0) {
        history_id(command, (uint8_t)(fuzz_take_byte(input) | 0x80));
        more.command_id = command;
    }
    if ((flags & 0x20) != 0) {
        more.unseen.events_max = 5;
    }
    if ((flags & 0x40) != 0) {
        more.checks = &check;
        more.checks_count = 1;
    }
    if (link->session.state != SESSION_READY ||
        link->pending_count == PENDING_MAX) {
        return;
    }
    buf_init(&buf, OUT_MAX);
    start = msg_append_begin(&buf, ++link->last_id, 1);
    msg_append_write(&buf, history_stream(what.stream), expected, what.count);
    for (uint8_t i = 0; i < what.count; i++) {
        history_id(id, (uint8_t)(what.id + i));
        event.data = slice_make(id, sizeof(id));
        event_encode_content(&buf, &event, &tag, i % 2);
    }
    msg_append_end(&buf, start, &more);
    link->pending[link->pending_count].id = link->last_id;
    link->pending[link->pending_count].has_command = more.command_id != NULL;
    link->pending[link->pending_count++].append = what;
    arrive(link, buf_slice(&buf));
    buf_fini(&buf);
}

static void
change(struct fuzz_input *input)
{
    struct link *link = link_of(fuzz_take_byte(input));
    struct msg_change change = {.stream =
                                    history_stream(fuzz_take_byte(input))};
    struct buf buf;

    change.kind = (enum msg_change_kind)(fuzz_take_byte(input) % 4);
    change.expected = take_expected(input);
    change.version = fuzz_take_byte(input);
    if (change.kind == MSG_SET) {
        change.given = MSG_HAS_MAX_COUNT | MSG_HAS_TRUNCATE_BEFORE;
        change.settings.max_count = change.version;
        change.settings.truncate_before = fuzz_take_byte(input);
        change.version = 0;
    } else if (change.kind != MSG_ERASE) {
        change.version = 0;
    }
    history_may_hide();
    buf_init(&buf, OUT_MAX);
    msg_change_encode(&buf, ++link->last_id, &change);
    arrive(link, buf_slice(&buf));
    buf_fini(&buf);
}

/* A request of any kind: it may change streams as well. */
static void
send_frame(struct fuzz_input *input)
{
    struct link *link = link_of(fuzz_take_byte(input));
    uint8_t kind = fuzz_take_byte(input);
    struct slice body = fuzz_take_bytes(input);
    size_t start;
    struct buf buf;

    if (kind == OP_CHANGE_STREAM) {
        history_may_hide();
    }
    buf_init(&buf, OUT_MAX);
    start = frame_begin(&buf, kind, ++link->last_id);
    buf_append_slice(&buf, body);
    frame_end(&buf, start);
    arrive(link, buf_slice(&buf));
    buf_fini(&buf);
}

static void
send_bytes(struct fuzz_input *input)
{
    struct link *link = link_of(fuzz_take_byte(input));

    link->is_wild = true;
    history_may_hide();
    arrive(link, fuzz_take_bytes(input));
}

static void
obey(struct fuzz_input *input)
{
    switch (fuzz_take_byte(input) % 12) {
    case 0:
    case 1:
    case 2:
        append(input);
        break;
    case 3:
        change(input);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        send_frame(input);
        break;
    case 8:
        send_bytes(input);
        break;
    case 9:
        hang_up(&links[fuzz_take_byte(input) % SESSIONS]);
        break;
    case 10:
        restart(fuzz_take_byte(input) % 2 == 1);
        break;
    case 11:
        history_check(db.reader);
        break;
    }
}

/* Marks that are low, so that they are reached. */
static void
set_up(void)
{
    history_clear();
    history_db_open(&db);
    outbox_init(&outbox);
    memset(&counters, 0, sizeof(counters));
    memset(links, 0, sizeof(links));
    restarts = 0;
    host = (struct session_host){
        .database = db.database,
        .reader = db.reader,
        .outbox = &outbox,
        .completions = &db.completions,
        .counters = &counters,
        .limits = {.requests_max = 3,
                   .requests_memory = 4 << 10,
                   .output_high = 2 << 10,
                   .output_low = 1 << 10,
                   .subscription_step = 512},
        .info = &info,
    };
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {slice_make(data, size)};

    set_up();
    for (unsigned i = 0; i < COMMANDS_MAX && !fuzz_input_is_over(&input); i++) {
        obey(&input);
    }
    hang_up_all();
    history_check(db.reader);
    FUZZ_PROMISE(atomic_load(&counters.subscriptions) == 0);
    outbox_fini(&outbox);
    history_db_close(&db);
    return 0;
}

#include "little.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "limit.h"
#include "msg.h"

#define OUT_MAX ((size_t)64 << 20)

static uint64_t
head(const struct little *little)
{
    return little->events_count;
}

static void
welcome(struct little *little, struct buf *out, uint64_t id)
{
    struct msg_welcome welcome = {
        .protocol = PROTOCOL_VERSION,
        .server_version = slice_of("little"),
        .database = slice_of("main"),
        .head = head(little),
        .limits = msg_limits_default,
    };

    msg_welcome_encode(out, id, &welcome);
}

static void
refuse(struct buf *out, uint64_t id, enum acta_code code, const char *text)
{
    struct msg_error error = {.code = code, .text = slice_of(text)};

    msg_error_encode(out, id, &error);
}

/* Where the event of this id is, from 1; 0: nowhere. */
static size_t
find(const struct little *little, const uint8_t *id)
{
    for (size_t i = 0; i < little->events_count; i++) {
        if (memcmp(little->ids[i], id, sizeof(little->ids[i])) == 0) {
            return i + 1;
        }
    }
    return 0;
}

static void
store(struct little *little, struct event *event)
{
    struct buf *record = &little->records[little->events_count];
    size_t size;

    ck_assert_uint_lt(little->events_count, LITTLE_EVENTS_MAX);
    memcpy(little->ids[little->events_count], event->id, UUID_SIZE);
    event->position = ++little->events_count;
    event->version = event->position;
    size = event_record_size(event);
    buf_init(record, ACTA_FRAME_SIZE_MAX);
    event_write_record(buf_reserve(record, size), event);
    buf_advance(record, size);
}

static void
put_records(const struct little *little, struct buf *out, uint64_t after,
            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_append_slice(out, buf_slice(&little->records[after + i]));
    }
}

/* Deliver what is behind @after to the subscription of this connection. */
static void
deliver(struct little *little, struct buf *out, uint64_t after)
{
    struct msg_open open;
    struct msg_delivery delivery = {
        .events_count = head(little) - after,
        .position = head(little),
        .head = head(little),
    };

    if (little->subscription == 0 || delivery.events_count == 0) {
        return;
    }
    open = msg_delivery_begin(out, little->subscription);
    put_records(little, out, after, delivery.events_count);
    msg_delivery_end(out, open, &delivery);
}

/* A check that fails refuses the append, with all events behind the version
 * that was expected.
 */
static bool
refuse_append(const struct little *little, struct buf *out, uint64_t id,
              const struct msg_append *append)
{
    const struct msg_append_more *more = &append->more;
    struct msg_error error = {
        .code = ACTA_CONFLICT,
        .text = slice_of("a check has failed"),
        .failures_count = 1,
        .has_unseen = more->unseen.events_max > 0,
        .unseen_complete = true,
        .unseen_head = head(little),
    };
    struct msg_open open;
    uint64_t expected;

    if (more->checks_count == 0 ||
        more->checks[0].expected == (int64_t)head(little)) {
        return false;
    }
    expected = (uint64_t)more->checks[0].expected;
    error.unseen_count = head(little) - expected;
    error.failures[0] = (struct msg_failure){
        .kind = MSG_FAILED_CHECK,
        .expected = more->checks[0].expected,
        .actual = head(little),
    };
    open = msg_error_begin(out, id, &error);
    put_records(little, out, expected, error.unseen_count);
    msg_error_end(out, open, &error);
    return true;
}

/* One write of events that are all new, or all stored. */
static void
append(struct little *little, struct buf *out, const struct frame *frame)
{
    uint64_t before = head(little);
    struct msg_append append;
    struct msg_run run;
    size_t start, first;

    ck_assert_int_eq(msg_append_decode(&append, frame->body, NULL), ACTA_OK);
    first = find(little, append.events[0].id);
    if (first == 0 && refuse_append(little, out, frame->request_id, &append)) {
        msg_append_fini(&append);
        return;
    }
    if (first == 0) {
        for (size_t i = 0; i < append.events_count; i++) {
            store(little, &append.events[i]);
        }
    } else {
        little->repeats++;
    }
    run = (struct msg_run){
        .first_version = first == 0 ? before + 1 : first,
        .first_position = first == 0 ? before + 1 : first,
        .count = append.events_count,
    };
    start = msg_appended_begin(out, frame->request_id, first != 0, 1);
    msg_appended_run(out, &run);
    msg_appended_end(out, start, 0);
    msg_append_fini(&append);
    deliver(little, out, before);
}

/* A page of what is behind @from, of @max events at most. */
static void
page(struct little *little, struct buf *out, uint64_t id, uint64_t from,
     uint64_t max)
{
    uint64_t left = head(little) - from;
    uint64_t count = max != 0 && max < left ? max : left;
    struct msg_open open = msg_page_begin(out, id);
    struct msg_page page = {
        .events_count = count,
        .next = from + count,
        .at_end = count == left,
        .head = head(little),
        .version = head(little),
    };

    put_records(little, out, from, count);
    msg_page_end(out, open, &page);
}

static void
read_event(struct little *little, struct buf *out, const struct frame *frame)
{
    struct msg_read_event read;
    struct msg_page page = {.head = head(little)};
    struct msg_open open;
    size_t at;

    ck_assert_int_eq(msg_read_event_decode(&read, frame->body, NULL), ACTA_OK);
    at = read.id != NULL ? find(little, read.id) : read.version;
    open = msg_page_begin(out, frame->request_id);
    if (at > 0 && at <= head(little)) {
        put_records(little, out, at - 1, 1);
        page.events_count = 1;
    }
    msg_page_end(out, open, &page);
}

/* There is one stream: it can be truncated and deleted. */
static void
change_stream(struct little *little, struct buf *out, const struct frame *frame)
{
    struct msg_settings *settings = &little->settings;
    struct msg_changed changed = {
        .version = head(little),
        .head = head(little),
    };
    struct msg_change change;

    ck_assert_int_eq(msg_change_decode(&change, frame->body, NULL), ACTA_OK);
    if (change.expected >= 0 && (uint64_t)change.expected != head(little)) {
        refuse(out, frame->request_id, ACTA_CONFLICT, "another version");
        return;
    }
    if (change.kind == MSG_SET) {
        changed.changed =
            settings->truncate_before != change.settings.truncate_before;
        settings->truncate_before = change.settings.truncate_before;
    } else {
        changed.changed = !little->deleted;
        little->deleted = true;
    }
    little->changes += changed.changed;
    msg_changed_encode(out, frame->request_id, &changed);
}

static void
describe_stream(struct little *little, struct buf *out,
                const struct frame *frame)
{
    struct msg_description description = {
        .stream = {.version = head(little),
                   .state =
                       little->deleted ? MSG_STREAM_DELETED : MSG_STREAM_LIVE,
                   .settings = little->settings},
        .first_version = 1,
    };

    ck_assert_int_eq(
        msg_describe_stream_decode(&description.stream.name, frame->body, NULL),
        ACTA_OK);
    msg_description_encode(out, frame->request_id, &description);
}

/* One name, that of the kind that is asked for. */
static void
list_names(struct little *little, struct buf *out, const struct frame *frame)
{
    static const char *const kinds[] = {
        [MSG_NAME_CATEGORY] = "category",
        [MSG_NAME_TYPE] = "type",
        [MSG_NAME_TAG] = "tag",
    };
    struct msg_open open = msg_names_begin(out, frame->request_id);
    struct msg_names names = {.names_count = 1, .at_end = true};
    struct msg_name name = {.count = head(little)};
    struct msg_list_names list;

    ck_assert_int_eq(msg_list_names_decode(&list, frame->body, NULL), ACTA_OK);
    name.name = slice_of(kinds[list.kind]);
    msg_names_add(out, &name);
    msg_names_end(out, open, &names);
}

static void
list_streams(struct little *little, struct buf *out, uint64_t id)
{
    struct msg_open open = msg_streams_begin(out, id);
    struct msg_streams streams = {.streams_count = 2, .at_end = true};
    struct msg_stream stream = {
        .name = slice_of("first"),
        .version = head(little),
    };

    msg_streams_add(out, &stream);
    stream.name = slice_of("second");
    msg_streams_add(out, &stream);
    msg_streams_end(out, open, &streams);
}

static void
status(struct little *little, struct buf *out, uint64_t id)
{
    struct msg_open open = msg_status_begin(out, id);

    msg_status_number(out, &open, "head", head(little));
    msg_status_text(out, &open, "version", "little");
    msg_status_text(out, &open, "empty", "");
    msg_status_end(out, open);
}

static void
subscribe(struct little *little, struct buf *out, const struct frame *frame)
{
    struct msg_subscribe subscribe;

    ck_assert_int_eq(msg_subscribe_decode(&subscribe, frame->body, NULL),
                     ACTA_OK);
    query_fini(&subscribe.query);
    little->subscription = frame->request_id;
    msg_number_encode(out, OP_SUBSCRIBED, frame->request_id, head(little));
    deliver(little, out, subscribe.after);
    msg_number_encode(out, OP_CAUGHT_UP, frame->request_id, head(little));
}

static void
handle(struct little *little, struct buf *out, const struct frame *frame)
{
    struct msg_read_stream read_stream;
    struct msg_read_all read_all;

    switch (frame->kind) {
    case OP_HELLO:
        welcome(little, out, frame->request_id);
        break;
    case OP_PING:
        msg_number_encode(out, OP_PONG, frame->request_id, head(little));
        break;
    case OP_STATUS:
        status(little, out, frame->request_id);
        break;
    case OP_APPEND:
        append(little, out, frame);
        break;
    case OP_READ_STREAM:
        ck_assert_int_eq(
            msg_read_stream_decode(&read_stream, frame->body, NULL), ACTA_OK);
        page(little, out, frame->request_id, read_stream.from,
             read_stream.bounds.events_max);
        break;
    case OP_READ_ALL:
        ck_assert_int_eq(msg_read_all_decode(&read_all, frame->body, NULL),
                         ACTA_OK);
        query_fini(&read_all.query);
        page(little, out, frame->request_id, read_all.from,
             read_all.bounds.events_max);
        break;
    case OP_READ_EVENT:
        read_event(little, out, frame);
        break;
    case OP_LIST_STREAMS:
        list_streams(little, out, frame->request_id);
        break;
    case OP_CHANGE_STREAM:
        change_stream(little, out, frame);
        break;
    case OP_DESCRIBE_STREAM:
        describe_stream(little, out, frame);
        break;
    case OP_LIST_NAMES:
        list_names(little, out, frame);
        break;
    case OP_FIND_TIME:
        msg_number_encode(out, OP_FOUND_TIME, frame->request_id, head(little));
        break;
    case OP_SUBSCRIBE:
        subscribe(little, out, frame);
        break;
    case OP_CREDIT:
        break;
    case OP_UNSUBSCRIBE:
        little->subscription = 0;
        break;
    default:
        refuse(out, frame->request_id, ACTA_UNSUPPORTED, "too little for this");
        break;
    }
}

static bool
send_all(int fd, struct slice bytes)
{
    while (bytes.size > 0) {
        ssize_t sent = send(fd, bytes.data, bytes.size, MSG_NOSIGNAL);

        if (sent <= 0) {
            return false;
        }
        bytes.data += sent;
        bytes.size -= (size_t)sent;
    }
    return true;
}

/* Say what is in @out, or a part of it and then break the connection. False if
 * it is broken.
 */
static bool
say(struct little *little, int fd, struct buf *out)
{
    struct slice bytes = buf_slice(out);
    bool breaks = little->breaks_once_in > 0 &&
                  rnd_once_in(&little->rnd, little->breaks_once_in);

    if (breaks) {
        little->broken++;
        bytes.size = rnd_below(&little->rnd, bytes.size + 1);
    }
    return send_all(fd, bytes) && !breaks;
}

static void
serve(struct little *little, int fd)
{
    struct buf in, out;
    bool goes_on = true;

    buf_init(&in, OUT_MAX);
    buf_init(&out, OUT_MAX);
    little->subscription = 0;
    if (little->greeting != NULL) {
        goes_on = send_all(fd, slice_of(little->greeting));
    }
    while (goes_on) {
        uint8_t *room = buf_reserve(&in, 65536);
        ssize_t got = recv(fd, room, 65536, 0);
        struct frame frame;
        size_t used;

        if (got <= 0) {
            break;
        }
        buf_advance(&in, (size_t)got);
        while (goes_on && little->greeting == NULL && buf_size(&in) > 0) {
            ck_assert_int_eq(frame_decode(&frame, &used, buf_slice(&in),
                                          ACTA_FRAME_SIZE_MAX, NULL),
                             ACTA_OK);
            if (used == 0) {
                break;
            }
            handle(little, &out, &frame);
            ck_assert(!buf_failed(&out));
            goes_on = say(little, fd, &out);
            buf_clear(&out);
            buf_consume(&in, used);
        }
    }
    buf_fini(&in);
    buf_fini(&out);
}

static void *
run(void *arg)
{
    struct little *little = arg;
    int fd;

    while ((fd = accept(little->fd, NULL, NULL)) >= 0) {
        serve(little, fd);
        close(fd);
    }
    return NULL;
}

/* Listen on a free port. Returns the descriptor. */
static int
listen_somewhere(struct sockaddr_in *address)
{
    socklen_t size = sizeof(*address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)address, size), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)address, &size), 0);
    return fd;
}

void
little_start(struct little *little, unsigned breaks_once_in,
             const char *greeting)
{
    struct sockaddr_in address;

    memset(little, 0, sizeof(*little));
    little->breaks_once_in = breaks_once_in;
    little->greeting = greeting;
    if (breaks_once_in > 0) {
        rnd_init(&little->rnd);
    }
    little->fd = listen_somewhere(&address);
    ck_assert_int_eq(listen(little->fd, 16), 0);
    snprintf(little->url, sizeof(little->url), "acta://127.0.0.1:%d",
             ntohs(address.sin_port));
    ck_assert_int_eq(pthread_create(&little->thread, NULL, run, little), 0);
}

void
little_stop(struct little *little)
{
    shutdown(little->fd, SHUT_RDWR);
    pthread_join(little->thread, NULL);
    close(little->fd);
    for (size_t i = 0; i < little->events_count; i++) {
        buf_fini(&little->records[i]);
    }
}

void
little_nobody(char text[32])
{
    struct sockaddr_in address;
    int fd = listen_somewhere(&address);

    /* A port that was bound and never listened at is not given out again at
     * once.
     */
    snprintf(text, 32, "127.0.0.1:%d", ntohs(address.sin_port));
    close(fd);
}

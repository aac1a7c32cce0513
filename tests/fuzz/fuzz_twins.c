/* The server and the store in memory, asked the same: the input is a list of
 * commands, which are requests of every kind that is answered at once, frames
 * with any body, and the passing of time. The database is stopped, started and
 * killed meanwhile.
 *
 * Whatever that is: both say the same, byte for byte, but for the texts of
 * errors and the rest of a lease's time.
 */

#include <string.h>

#include "fuzz.h"
#include "fuzz_input.h"
#include "msg.h"
#include "msg_consumer.h"
#include "msg_lease.h"
#include "twins.h"

#define COMMANDS_MAX 100
#define OUT_MAX      ((size_t)1 << 26)
#define EVENTS_MAX   4
#define TERMS_MAX    4

static struct buf request;

/* ---- arguments ---- */

static struct slice
take_name(struct fuzz_input *input, const char *const names[static TERMS_MAX])
{
    return slice_of(names[fuzz_take_byte(input) % TERMS_MAX]);
}

static struct slice
take_stream(struct fuzz_input *input)
{
    static const char *const names[TERMS_MAX] = {"a-0", "a-1", "b-2", "b"};

    return take_name(input, names);
}

static struct slice
take_label(struct fuzz_input *input)
{
    static const char *const names[TERMS_MAX] = {"", "n", "nn", "o"};

    return take_name(input, names);
}

/* Mostly any version, so that most appends are taken. */
static int64_t
take_expected(struct fuzz_input *input)
{
    uint8_t byte = fuzz_take_byte(input);

    switch (byte % 16) {
    case 0:
        return MSG_EXPECT_EXISTS;
    case 1:
    case 2:
    case 3:
        return byte / 16;
    default:
        return MSG_EXPECT_ANY;
    }
}

/* Mostly one that there is; now and then, far too much. */
static uint64_t
take_number(struct fuzz_input *input)
{
    uint8_t byte = fuzz_take_byte(input);

    if (byte >= 254) {
        return byte == 254 ? 1000000 : INT64_MAX;
    }
    return byte < 192 ? byte % 24 : byte;
}

static void
make_id(uint8_t to[static 16], uint8_t number)
{
    memset(to, 0, 16);
    to[0] = 0xa7;
    to[15] = number;
}

static struct msg_bounds
take_bounds(struct fuzz_input *input)
{
    uint8_t byte = fuzz_take_byte(input);

    return (struct msg_bounds){byte & 0xf, (uint64_t)(byte >> 4) * 100};
}

/* ---- queries ---- */

struct asked {
    struct query query;
    struct query_item items[2];
};

static const struct slice *
term_of(enum query_field field, unsigned number)
{
    static struct slice terms[QUERY_FIELDS][2];
    static uint8_t correlations[2][16];
    static const char *const texts[][2] = {
        {"a", "b"}, {"T", "U"}, {"x", "y:1"}, {"a-0", "b-2"}};

    for (unsigned i = 0; i < 2; i++) {
        make_id(correlations[i], (uint8_t)i);
        terms[field][i] = field == QUERY_CORRELATION_IDS
                              ? slice_make(correlations[i], 16)
                              : slice_of(texts[field][i]);
    }
    return &terms[field][number];
}

/* Of each field none, one of two terms, or both; or it begins with one. */
static void
take_item(struct fuzz_input *input, struct query_item *item)
{
    uint16_t bits = fuzz_take_short(input);

    *item = (struct query_item){.fields = {{.count = 0}}};
    for (enum query_field f = 0; f < QUERY_FIELDS; f++, bits >>= 3) {
        struct query_terms *terms = &item->fields[f];

        if ((bits & 4) != 0 && (f == QUERY_TYPES || f == QUERY_STREAMS)) {
            terms->prefixes = term_of(f, bits & 1);
            terms->prefixes_count = 1;
        } else if ((bits & 3) == 3) {
            terms->texts = term_of(f, 0);
            terms->count = 2;
        } else if ((bits & 3) != 0) {
            terms->texts = term_of(f, (bits & 3) - 1u);
            terms->count = 1;
        }
    }
}

static const struct query *
take_query(struct fuzz_input *input, struct asked *asked)
{
    size_t count = fuzz_take_byte(input) % 3;

    for (size_t i = 0; i < count; i++) {
        take_item(input, &asked->items[i]);
    }
    asked->query = (struct query){asked->items, count, NULL};
    return &asked->query;
}

/* ---- appends ---- */

static void
put_event(struct fuzz_input *input, uint8_t number)
{
    static const char *const types[TERMS_MAX] = {"T", "U", "TT", "V"};
    struct slice tags[] = {slice_of("x"), slice_of("y:1"), slice_of("y:2")};
    uint8_t id[16], correlation[16], bits = fuzz_take_byte(input);
    struct event event = {
        .type = slice_of(types[bits % TERMS_MAX]), .id = id, .data = {id, 16}};

    make_id(id, number);
    make_id(correlation, bits >> 6 & 1);
    event.correlation_id = (bits & 0x80) != 0 ? correlation : NULL;
    event.format = (bits & 4) != 0 ? EVENT_JSON : EVENT_BINARY;
    if (event.format == EVENT_JSON) {
        event.data = slice_of("{}");
    }
    event_encode_content(&request, &event, tags, (bits >> 3) % 4);
}

static void
put_writes(struct fuzz_input *input, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct slice stream = take_stream(input);
        int64_t expected = take_expected(input);
        size_t events = 1 + fuzz_take_byte(input) % EVENTS_MAX;
        uint8_t id = fuzz_take_byte(input);

        msg_append_write(&request, stream, expected, events);
        for (size_t k = 0; k < events; k++) {
            put_event(input, (uint8_t)(id + k));
        }
    }
}

static void
append(struct fuzz_input *input)
{
    uint8_t bits = fuzz_take_byte(input), command[16];
    size_t writes = 1 + (bits & 1), start;
    struct asked asked[2];
    struct msg_check check;
    struct msg_condition conditions[2];
    struct msg_checkpoint checkpoint;
    struct msg_fence fence;
    struct msg_snapshot snapshot;
    struct msg_append_more more = {.checks = &check,
                                   .conditions = conditions,
                                   .checkpoints = &checkpoint,
                                   .leases = &fence,
                                   .snapshots = &snapshot};

    if ((bits & 2) != 0) {
        bits = 0; /* Only events. */
    } else if (bits >= 0xf0) {
        writes = 0;
    }
    start = msg_append_begin(&request, twins_next_id(), writes);
    put_writes(input, writes);
    if ((bits & 4) != 0) {
        make_id(command, (uint8_t)(fuzz_take_byte(input) | 0x80));
        more.command_id = command;
    }
    if ((bits & 8) != 0) {
        check.stream = take_stream(input);
        check.expected = take_expected(input);
        more.checks_count = 1;
    }
    if ((bits & 16) != 0) {
        more.conditions_count = 1 + fuzz_take_byte(input) % 2;
        for (size_t i = 0; i < more.conditions_count; i++) {
            conditions[i].query = *take_query(input, &asked[i]);
            conditions[i].after = take_number(input);
        }
    }
    if ((bits & 32) != 0) {
        more.unseen = take_bounds(input);
    }
    if ((bits & 64) != 0) {
        checkpoint = (struct msg_checkpoint){.consumer = take_label(input)};
        checkpoint.epoch = take_number(input);
        checkpoint.from = take_number(input);
        checkpoint.has_from = checkpoint.from % 2 == 0;
        checkpoint.to = take_number(input);
        more.checkpoints_count = 1;
        fence.lease = take_label(input);
        fence.fence = take_number(input);
        more.leases_count = fence.fence < 100;
    }
    if ((bits & 128) != 0) {
        snapshot = (struct msg_snapshot){.stream = take_stream(input)};
        snapshot.version = take_number(input);
        snapshot.schema = take_number(input) % 3;
        snapshot.data = slice_of("state");
        if (snapshot.schema == 2) {
            snapshot = (struct msg_snapshot){.stream = snapshot.stream,
                                             .is_removed = true};
        }
        more.snapshots_count = 1;
    }
    msg_append_end(&request, start, &more);
}

static void
change_stream(struct fuzz_input *input)
{
    struct msg_change change = {.stream = take_stream(input)};

    change.kind = (enum msg_change_kind)(fuzz_take_byte(input) % 4);
    change.expected = take_expected(input);
    if (change.kind == MSG_SET) {
        change.given = fuzz_take_byte(input) % 8;
        change.settings.truncate_before =
            change.given & MSG_HAS_TRUNCATE_BEFORE ? take_number(input) : 0;
        change.settings.max_count =
            change.given & MSG_HAS_MAX_COUNT ? take_number(input) : 0;
        change.settings.max_age_us =
            change.given & MSG_HAS_MAX_AGE ? take_number(input) << 20 : 0;
    } else if (change.kind == MSG_ERASE) {
        change.version = take_number(input);
    }
    msg_change_encode(&request, twins_next_id(), &change);
}

/* ---- reads ---- */

static void
read_stream(struct fuzz_input *input)
{
    struct msg_read_stream read = {.stream = take_stream(input)};

    read.from = take_number(input);
    read.backward = fuzz_take_byte(input) % 2 == 1;
    read.bounds = take_bounds(input);
    msg_read_stream_encode(&request, twins_next_id(), &read);
}

static void
read_all(struct fuzz_input *input)
{
    struct asked asked;
    struct msg_read_all read = {.query = *take_query(input, &asked)};

    read.from = take_number(input);
    read.backward = fuzz_take_byte(input) % 2 == 1;
    read.bounds = take_bounds(input);
    msg_read_all_encode(&request, twins_next_id(), &read);
}

static void
read_event(struct fuzz_input *input)
{
    struct msg_read_event read = {.id = NULL};
    uint8_t id[16];

    if (fuzz_take_byte(input) % 2 == 0) {
        make_id(id, fuzz_take_byte(input));
        read.id = id;
    } else {
        read.stream = take_stream(input);
        read.version = take_number(input);
    }
    msg_read_event_encode(&request, twins_next_id(), &read);
}

static void
load(struct fuzz_input *input)
{
    struct msg_load load = {.stream = take_stream(input)};
    uint8_t bits = fuzz_take_byte(input);

    load.has_version = bits % 2 == 1;
    load.has_schema = !load.has_version && (bits & 2) != 0;
    load.version = load.has_version ? take_number(input) : 0;
    load.schema = load.has_schema ? take_number(input) : 0;
    load.bounds = take_bounds(input);
    msg_load_encode(&request, twins_next_id(), &load);
}

static void
find(struct fuzz_input *input)
{
    uint8_t id[16];

    switch (fuzz_take_byte(input) % 3) {
    case 0:
        make_id(id, (uint8_t)(fuzz_take_byte(input) | 0x80));
        msg_find_command_encode(&request, twins_next_id(), id);
        break;
    case 1: /* The time at which both begin, or later. */
        msg_number_encode(&request, OP_FIND_TIME, twins_next_id(),
                          UINT64_C(946684800000000) +
                              (take_number(input) << 20));
        break;
    case 2:
        msg_describe_stream_encode(&request, twins_next_id(),
                                   take_stream(input));
        break;
    }
}

static void
list(struct fuzz_input *input)
{
    static const uint8_t kinds[] = {OP_LIST_CONSUMERS, OP_LIST_LEASES,
                                    OP_LIST_SCHEDULES};
    static const char *const prefixes[TERMS_MAX] = {"", "a", "T", "y:"};
    static const char *const afters[TERMS_MAX] = {"", "a-0", "U", "y:1"};
    uint8_t kind = fuzz_take_byte(input);
    struct slice prefix = take_name(input, prefixes);
    struct slice after = take_name(input, afters);
    uint64_t max = fuzz_take_byte(input) % 4;
    struct msg_list_streams streams = {prefix, after, max};
    struct msg_list_names names = {kind % 3, prefix, after, max};
    struct msg_list others = {prefix, after, max};

    switch (kind / 3 % 3) {
    case 0:
        msg_list_streams_encode(&request, twins_next_id(), &streams);
        break;
    case 1:
        msg_list_names_encode(&request, twins_next_id(), &names);
        break;
    case 2:
        msg_list_encode(&request, kinds[kind % 3], twins_next_id(), &others);
        break;
    }
}

/* ---- consumers, leases ---- */

static void
change_consumer(struct fuzz_input *input)
{
    struct msg_change_consumer change = {.name = take_label(input)};
    struct asked asked;

    change.kind = (enum msg_consumer_change)(fuzz_take_byte(input) % 8);
    change.query = *take_query(input, &asked);
    change.position = take_number(input);
    change.epoch = take_number(input);
    change.given = fuzz_take_byte(input) % 16;
    change.settings.ack_timeout_us = MSG_ACK_TIMEOUT_US_DEFAULT;
    change.settings.deliveries_max = take_number(input);
    if (change.kind == MSG_CONSUMER_NOTE) {
        change.note = take_label(input);
    }
    msg_change_consumer_encode(&request, twins_next_id(), &change);
}

static void
ask_consumer(struct fuzz_input *input)
{
    struct msg_list_parked parked = {.group = take_label(input)};
    struct msg_await await = {.consumer = parked.group};

    switch (fuzz_take_byte(input) % 4) {
    case 0:
        msg_describe_consumer_encode(&request, twins_next_id(), parked.group);
        break;
    case 1:
        msg_list_parked_encode(&request, twins_next_id(), &parked);
        break;
    case 2:
        msg_change_parked_encode(&request, twins_next_id(), parked.group,
                                 MSG_PARKED_DROP, NULL, 0, true);
        break;
    case 3:
        await.position = take_number(input);
        msg_await_encode(&request, twins_next_id(), &await);
        break;
    }
}

static void
change_lease(struct fuzz_input *input)
{
    struct msg_change_lease change = {.name = take_label(input)};
    uint8_t claim[16];

    change.kind = (enum msg_lease_change)(fuzz_take_byte(input) % 3);
    change.duration_us = 3 * TWINS_PASS_US_MAX;
    if (change.kind == MSG_LEASE_ACQUIRE) {
        change.holder = take_label(input);
        make_id(claim, fuzz_take_byte(input));
        change.claim = claim;
    } else {
        change.fence = take_number(input);
    }
    msg_change_lease_encode(&request, twins_next_id(), &change);
}

/* ---- anything ---- */

static void
put_frame(struct fuzz_input *input)
{
    uint8_t kind = fuzz_take_byte(input);
    size_t start = frame_begin(&request, kind, twins_next_id());

    buf_append_slice(&request, fuzz_take(input, fuzz_take_byte(input)));
    frame_end(&request, start);
}

static void
obey(struct fuzz_input *input)
{
    static void (*const requests[])(struct fuzz_input *) = {
        append,       append,        append,        append,
        append,       read_stream,   read_all,      read_all,
        load,         read_event,    find,          list,
        put_frame,    change_stream, change_stream, change_consumer,
        ask_consumer, change_lease};
    size_t count = sizeof(requests) / sizeof(requests[0]);
    size_t what = fuzz_take_byte(input) % (count + 3);

    buf_clear(&request);
    if (what < count) {
        requests[what](input);
        twins_ask(&request);
    } else if (what == count) {
        twins_pass((uint64_t)fuzz_take_byte(input) << 20);
    } else if (what == count + 1) {
        twins_restart(fuzz_take_byte(input) % 2 == 1);
    } else {
        twins_compare();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {slice_make(data, size)};

    twins_open();
    buf_init(&request, OUT_MAX);
    for (unsigned i = 0; i < COMMANDS_MAX && !fuzz_input_is_over(&input); i++) {
        obey(&input);
    }
    twins_compare();
    buf_fini(&request);
    twins_close();
    return 0;
}

/* Events that flow: all that is stored, from the start, and what is appended to
 * those who follow.
 */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../clock.h"
#include "drive.h"

#define SEED 2

/* ---- read ---- */

struct reading {
    struct sink sink; /* First: an event finds the reading by it. */
    uint64_t events;
    uint64_t bytes;
    bool arrived;
};

static void
on_read(struct sink *sink, const void *data, size_t size)
{
    struct reading *reading = (struct reading *)sink;

    (void)data;
    reading->events++;
    reading->bytes += size;
}

static void
on_end(struct sink *sink)
{
    ((struct reading *)sink)->arrived = true;
}

/* Of @streams, whose category is their number modulo the categories, so many
 * have that of number @category.
 */
static uint64_t
streams_of(uint64_t streams, uint64_t categories, uint64_t category)
{
    return (streams + categories - 1 - category) / categories;
}

/* How many events of @category, "c07", were stored before appends were
 * measured; NULL: of all.
 */
static uint64_t
stored_of(const struct field *field, const char *category)
{
    uint64_t categories = field->short_ones.categories;
    uint64_t number;

    if (category == NULL) {
        return field_events(field);
    }
    number = strtoull(category + 1, NULL, 10);
    return streams_of(field->shorts, categories, number) * WORK_SHORT +
           streams_of(field->longs, categories, number) * WORK_LONG;
}

enum acta_code
work_read(struct peer *peer, const struct work *work, struct field *field,
          struct figures *figures, struct acta_err *err)
{
    struct reading reading = {.sink = {on_read, on_end}};
    struct gauge start, end;
    enum acta_code code;
    double events;

    code = peer_open(peer, 1, true, err);
    gauge_read(&start, peer);
    if (code == ACTA_OK) {
        peer->kind->read(peer, 0, work->category, &reading.sink);
    }
    while (code == ACTA_OK && !reading.arrived) {
        code = peer_turn(peer, err);
    }
    gauge_read(&end, peer);
    peer_close(peer);
    if (code == ACTA_OK &&
        (reading.events < stored_of(field, work->category) ||
         reading.bytes != reading.events * field->appended.payload_size)) {
        code = acta_fail(err, ACTA_CORRUPT, "%ju events have %ju bytes",
                         (uintmax_t)reading.events, (uintmax_t)reading.bytes);
    }
    events = (double)reading.events;
    figures_add(figures, "rate", "/s",
                events / (double)(end.read_ns - start.read_ns) * 1e9);
    figures_add(figures, "server_cpu", "us",
                (end.server_us - start.server_us) / events);
    figures_add(figures, "client_cpu", "us",
                (end.client_us - start.client_us) / events);
    return code;
}

/* ---- live ---- */

struct live {
    struct sink sink; /* First, as above. */
    struct ask ask;
    struct peer *peer;
    struct field *field;
    size_t followers;
    size_t arrived; /* Followers that are live. */
    uint64_t random;
    uint64_t stream;
    uint64_t sent, answered, delivered;
    bool waits; /* For all followers, with the next append. */
    bool over;
    bool counts;
    struct hist hist;
};

static void
send_event(struct live *live)
{
    char name[SAMPLE_NAME_SIZE];
    struct sample *sample = &live->field->appended;
    uint64_t now_ns = clock_ns();
    struct peer_append append = {
        .stream = name,
        .type = drive_type(live->sent),
        .data = sample->payload,
        .data_size = sample->payload_size,
        .events_count = 1,
        .told = live->followers > 0,
    };

    live->stream = (sample_random(&live->random) >> 16) % live->field->streams;
    append.expected = live->peer->expected[live->stream];
    sample_stream(sample, live->stream, name);
    memcpy(sample->payload, &now_ns, sizeof(now_ns));
    live->sent++;
    live->peer->kind->append(live->peer, 0, &append, &live->ask);
}

static void
go_on(struct live *live)
{
    if (!live->over && live->answered == live->sent &&
        (!live->waits || live->delivered == live->sent * live->followers)) {
        send_event(live);
    }
}

static void
on_appended(struct ask *ask)
{
    struct live *live =
        (struct live *)((char *)ask - offsetof(struct live, ask));

    live->peer->expected[live->stream] = ask->answer;
    live->answered++;
    go_on(live);
}

static void
on_delivered(struct sink *sink, const void *data, size_t size)
{
    struct live *live = (struct live *)sink;
    uint64_t sent_ns;

    (void)size;
    memcpy(&sent_ns, data, sizeof(sent_ns));
    live->delivered++;
    if (live->counts) {
        hist_add(&live->hist, clock_ns() - sent_ns);
    }
    if (live->waits) {
        go_on(live);
    }
}

static void
on_live(struct sink *sink)
{
    ((struct live *)sink)->arrived++;
}

static enum acta_code
wait_until(struct live *live, uint64_t until_ns, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && clock_ns() < until_ns) {
        code = peer_turn(live->peer, err);
    }
    return code;
}

static enum acta_code
drain(struct live *live, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    live->over = true;
    while (code == ACTA_OK &&
           (live->answered < live->sent ||
            (live->waits && live->delivered < live->sent * live->followers))) {
        code = peer_turn(live->peer, err);
    }
    return code;
}

/* The same for latency and for the rate: a tenth of the time passes before what
 * counts.
 */
static enum acta_code
run_half(struct live *live, bool waits, struct gauge gauges[2],
         uint64_t counts[2][2], struct acta_err *err)
{
    uint64_t begin_ns = clock_ns();
    uint64_t from_ns = begin_ns + (uint64_t)(live->field->seconds * 1e8);
    uint64_t to_ns = from_ns + (uint64_t)(live->field->seconds * 5e8);
    enum acta_code code;

    live->waits = waits;
    live->over = false;
    go_on(live);
    code = wait_until(live, from_ns, err);
    gauge_read(&gauges[0], live->peer);
    counts[0][0] = live->answered;
    counts[0][1] = live->delivered;
    live->counts = true;
    if (code == ACTA_OK) {
        code = wait_until(live, to_ns, err);
    }
    live->counts = false;
    gauge_read(&gauges[1], live->peer);
    counts[1][0] = live->answered;
    counts[1][1] = live->delivered;
    return code == ACTA_OK ? drain(live, err) : code;
}

static void
tell(struct figures *figures, const struct gauge gauges[2],
     uint64_t counts[2][2])
{
    double seconds = (double)(gauges[1].read_ns - gauges[0].read_ns) / 1e9;
    double appends = (double)(counts[1][0] - counts[0][0]);
    double deliveries = (double)(counts[1][1] - counts[0][1]);

    figures_add(figures, "deliveries", "/s", deliveries / seconds);
    figures_add(figures, "writer", "/s", appends / seconds);
    figures_add(figures, "server_cpu", "us",
                (gauges[1].server_us - gauges[0].server_us) / deliveries);
}

static enum acta_code
run_live(struct live *live, struct figures *figures, struct acta_err *err)
{
    struct gauge gauges[2];
    uint64_t counts[2][2];
    enum acta_code code = ACTA_OK;

    for (size_t i = 0; i < live->followers; i++) {
        live->peer->kind->follow(live->peer, i + 1, &live->sink);
    }
    while (code == ACTA_OK && live->arrived < live->followers) {
        code = peer_turn(live->peer, err);
    }
    if (code == ACTA_OK) {
        code = run_half(live, true, gauges, counts, err);
    }
    figures_add(figures, "delivery_p50", "us",
                (double)hist_percentile(&live->hist, 50) / NS_PER_US);
    figures_add(figures, "delivery_p99", "us",
                (double)hist_percentile(&live->hist, 99) / NS_PER_US);
    if (code == ACTA_OK) {
        code = run_half(live, false, gauges, counts, err);
    }
    if (code == ACTA_OK && counts[1][1] == counts[0][1]) {
        code = acta_fail(err, ACTA_TIMEOUT, "no event was delivered");
    }
    if (code == ACTA_OK) {
        tell(figures, gauges, counts);
    }
    return code;
}

enum acta_code
work_live(struct peer *peer, const struct work *work, struct field *field,
          struct figures *figures, struct acta_err *err)
{
    static struct live live; /* Large. */
    enum acta_code code;

    live = (struct live){
        .sink = {on_delivered, on_live},
        .ask.done = on_appended,
        .peer = peer,
        .field = field,
        .followers = work->conns - 1,
        .random = sample_random_start(SEED),
    };
    hist_clear(&live.hist);
    code = peer_open(peer, work->conns, true, err);
    if (code == ACTA_OK) {
        code = run_live(&live, figures, err);
    }
    live.over = true;
    peer_close(peer);
    return code;
}

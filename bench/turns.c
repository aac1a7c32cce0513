#include "turns.h"

#include <stdlib.h>

#include "clock.h"
#include "meter.h"
#include "progress.h"
#include "settle.h"

struct slot {
    struct turns *turns;
    struct acta_client *client;
    struct turn *turn; /* Whose append is under way. */
    uint64_t start_ns;
};

static void on_appended(void *user, const struct acta_err *err,
                        const struct acta_appended *appended);

static void
send_next(struct slot *slot)
{
    struct turns *turns = slot->turns;
    struct acta_err err;

    acta_append_clear(turns->append);
    turns->now->make(turns, turns->append);
    slot->turn = turns->now;
    slot->start_ns = clock_ns();
    turns->under_way++;
    if (acta_append(slot->client, turns->append, 0, on_appended, slot, &err) ==
        0) {
        fleet_fail(&turns->fleet, &err);
    }
}

static void
on_appended(void *user, const struct acta_err *err,
            const struct acta_appended *appended)
{
    struct slot *slot = user;
    struct turns *turns = slot->turns;
    uint64_t now_ns = clock_ns();

    turns->under_way--;
    if (err != NULL) {
        fleet_fail(&turns->fleet, err);
        return;
    }
    if (turns->appended != NULL) {
        turns->appended(turns, appended);
    }
    if (turns->counts) {
        hist_add(&slot->turn->hist, now_ns - slot->start_ns);
        slot->turn->appends++;
    }
    if (turns->now != NULL) {
        send_next(slot);
    }
}

static enum acta_code
take_turn(struct turns *turns, struct turn *turn, struct slot *slots,
          size_t slots_count, uint64_t length_ns, struct acta_err *err)
{
    const struct daemon *daemon = &turns->bench->daemon;
    enum acta_code code = ACTA_OK;
    struct meter start, answered, end;
    struct settled settled;

    if (turn->begin != NULL) {
        turn->begin(turns);
    }
    meter_read(&start, daemon);
    turns->now = turn;
    for (size_t i = 0; i < slots_count; i++) {
        send_next(&slots[i]);
    }
    while (code == ACTA_OK && clock_ns() - start.read_ns < length_ns) {
        progress_show("measuring", "appends", turn->appends, 0);
        code = fleet_turn(&turns->fleet, err);
    }
    turns->now = NULL;
    while (code == ACTA_OK && turns->under_way > 0) {
        code = fleet_turn(&turns->fleet, err);
    }
    meter_read(&answered, daemon);
    if (code == ACTA_OK && turns->settles) {
        code = settle(&turns->fleet, &settled, err);
    }
    meter_read(&end, daemon);
    if (turn->end != NULL) {
        turn->end(turns);
    }
    if (turns->counts) {
        turn->seconds += meter_seconds(&start, &answered);
        turn->cpu_us += end.server.cpu_us - start.server.cpu_us;
        turn->written += end.server.written - start.server.written;
    }
    return code;
}

static enum acta_code
take_turns(struct turns *turns, struct slot *slots, size_t slots_count,
           struct acta_err *err)
{
    const struct options *options = turns->bench->options;
    uint64_t rounds = option_number(options, OPTION_ROUNDS);
    uint64_t length_ns =
        option_number(options, OPTION_DURATION) * NS_PER_MS / rounds;
    enum acta_code code = ACTA_OK;

    for (uint64_t round = 0; round <= rounds; round++) {
        turns->counts = round > 0;
        for (size_t i = 0; code == ACTA_OK && i < turns->count; i++) {
            code = take_turn(turns, &turns->list[i], slots, slots_count,
                             length_ns, err);
        }
    }
    progress_clear();
    return code;
}

enum acta_code
turns_run(struct turns *turns, struct acta_err *err)
{
    size_t slots_count = turns->clients * turns->pipeline;
    struct slot *slots = calloc(slots_count, sizeof(*slots));
    enum acta_code code;

    if (slots == NULL) {
        return acta_fail(err, ACTA_MEMORY, "%zu requests", slots_count);
    }
    turns->append = acta_append_new();
    code = fleet_open(&turns->fleet, turns->bench->url, turns->clients, err);
    for (size_t i = 0; i < slots_count && code == ACTA_OK; i++) {
        slots[i].turns = turns;
        slots[i].client = fleet_client(&turns->fleet, i % turns->clients);
    }
    if (code == ACTA_OK) {
        code = take_turns(turns, slots, slots_count, err);
    }
    fleet_close(&turns->fleet);
    acta_append_free(turns->append);
    free(slots);
    return code;
}

void
turns_tell(const struct turns *turns, struct figures *figures)
{
    double first = (double)hist_percentile(&turns->list[0].hist, 50);

    for (size_t i = 0; i < turns->count; i++) {
        const struct turn *turn = &turns->list[i];
        const char *const *names = turn->figures;
        double p50 = (double)hist_percentile(&turn->hist, 50);
        double p99 = (double)hist_percentile(&turn->hist, 99);
        double events = (double)turn->appends * (double)turns->events;

        figures_add(figures, names[0], "/s",
                    (double)turn->appends / turn->seconds);
        figures_add(figures, names[1], "us", p50 / NS_PER_US);
        figures_add(figures, names[2], "us", p99 / NS_PER_US);
        figures_add(figures, names[3], "us",
                    (double)turn->hist.max / NS_PER_US);
        if (turns->bench->daemon.pid != 0) {
            figures_add(figures, names[4], "us/event", turn->cpu_us / events);
            figures_add(figures, names[5], "bytes/event",
                        turn->written / events);
        }
        if (i > 0) {
            figures_add(figures, names[6], "", p50 / first);
        }
    }
}

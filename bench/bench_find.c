/* Finds: is what is rare read at the rate of what is returned, whatever lies
 * between?
 *
 *     rare   a tag that one event in --tags-of has, among all events
 *     tenth  the same tag, among the last tenth of all events
 *     near   a type that one event in sixteen has, among so many of the last
 *            events that it is found as often as the rare tag among all
 *
 * Of events that were there at the start. They are read in turns, page by page.
 * Last comes, once, all that there is: what a scan would have to go through.
 * Rates are medians.
 */

#include <stdio.h>

#include "bench.h"
#include "clock.h"
#include "fleet.h"
#include "progress.h"

struct find {
    const char *figures[4]; /* Rate, time, events, ratio. */
    struct acta_query *query;
    uint64_t after;
    uint64_t until; /* Stop behind this position. */
    uint64_t found; /* In the last round. */
    struct hist event_ns;
    struct hist whole_ns;
};

#define FINDS_COUNT 3
#define FIND_FIGURES(name)                                                     \
    {                                                                          \
        name "_rate", name "_time", name "_events", name "_ratio",             \
    }

struct finder {
    struct fleet fleet;
    struct find *find;
    struct acta_read read;
    bool at_end;
};

static void on_page(void *user, const struct acta_err *err,
                    const struct acta_page *page);

static void
ask_for_page(struct finder *finder)
{
    struct acta_err err;

    if (acta_read(fleet_client(&finder->fleet, 0), &finder->read, 0, on_page,
                  finder, &err) == 0) {
        fleet_fail(&finder->fleet, &err);
    }
}

static void
on_page(void *user, const struct acta_err *err, const struct acta_page *page)
{
    struct finder *finder = user;
    struct find *find = finder->find;

    if (err != NULL) {
        fleet_fail(&finder->fleet, err);
        return;
    }
    for (size_t i = 0; i < page->events_count; i++) {
        find->found += page->events[i]->position <= find->until;
    }
    finder->read.from = page->next;
    finder->at_end = page->at_end || page->next >= find->until;
    if (!finder->at_end) {
        ask_for_page(finder);
    }
}

static enum acta_code
read_once(struct finder *finder, struct find *find, bool counts,
          struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    uint64_t start_ns = clock_ns();
    uint64_t took_ns;

    find->found = 0;
    finder->find = find;
    finder->read = acta_read_of_query(find->query);
    finder->read.from = find->after;
    finder->at_end = false;
    ask_for_page(finder);
    while (code == ACTA_OK && !finder->at_end) {
        progress_show("finding", "events", find->found, 0);
        code = fleet_turn(&finder->fleet, err);
    }
    progress_clear();
    took_ns = clock_ns() - start_ns;
    if (code == ACTA_OK && find->found == 0) {
        return acta_fail(err, ACTA_NOT_FOUND,
                         "there is nothing to find: fill with --tags");
    }
    if (code == ACTA_OK && counts) {
        hist_add(&find->event_ns, took_ns / find->found);
        hist_add(&find->whole_ns, took_ns);
    }
    return code;
}

static void
tell(const struct find *find, double first, struct figures *figures)
{
    double event_ns = (double)hist_percentile(&find->event_ns, 50);

    figures_add(figures, find->figures[0], "/s", 1e9 / event_ns);
    figures_add(figures, find->figures[1], "ms",
                (double)hist_percentile(&find->whole_ns, 50) / NS_PER_MS);
    figures_add(figures, find->figures[2], "events", (double)find->found);
    if (first > 0) {
        figures_add(figures, find->figures[3], "", event_ns / first);
    }
}

static enum acta_code
find_in_turns(struct finder *finder, struct find *finds, uint64_t rounds,
              struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    for (uint64_t round = 0; round <= rounds; round++) {
        for (size_t i = 0; i < FINDS_COUNT && code == ACTA_OK; i++) {
            code = read_once(finder, &finds[i], round > 0, err);
        }
    }
    return code;
}

/* How far before @head an event is, @count events that one in @rarity is
 * ago.
 */
static uint64_t
back(uint64_t head, uint64_t count, uint64_t rarity)
{
    return count * rarity < head ? head - count * rarity : 0;
}

enum acta_code
bench_find(struct bench *bench, struct figures *figures, struct acta_err *err)
{
    static struct find finds[FINDS_COUNT], whole; /* Large. */
    struct acta_query *tag = acta_query_new();
    struct acta_query *type = acta_query_new();
    struct finder finder = {.find = NULL};
    uint64_t head = bench->head;
    enum acta_code code;
    char text[SAMPLE_TAG_SIZE];

    sample_tag(&bench->sample, 0, 1 % bench->sample.tags_of, text);
    acta_query_tag(tag, text);
    acta_query_type(type, "T7");
    code = fleet_open(&finder.fleet, bench->url, 1, err);
    if (code == ACTA_OK) {
        finds[0] = (struct find){
            .figures = FIND_FIGURES("rare"), .query = tag, .until = head};
        finds[1] = (struct find){.figures = FIND_FIGURES("tenth"),
                                 .query = tag,
                                 .after = head - head / 10,
                                 .until = head};
        finds[2] = (struct find){
            .figures = FIND_FIGURES("near"),
            .query = type,
            .after = back(head, head / bench->sample.tags_of, SAMPLE_TYPES),
            .until = head};
        whole = (struct find){.figures = FIND_FIGURES("whole"), .until = head};
        code = find_in_turns(&finder, finds,
                             option_number(bench->options, OPTION_ROUNDS), err);
    }
    if (code == ACTA_OK) {
        code = read_once(&finder, &whole, true, err);
    }
    if (code == ACTA_OK) {
        double first = (double)hist_percentile(&finds[0].event_ns, 50);

        tell(&finds[0], 0, figures);
        tell(&finds[1], first, figures);
        tell(&finds[2], first, figures);
        tell(&whole, 0, figures);
    }
    fleet_close(&finder.fleet);
    acta_query_free(tag);
    acta_query_free(type);
    return code == ACTA_OK ? code : acta_wrap(err, code, "find");
}

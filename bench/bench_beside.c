/* Does reading with filters, and listing, delay appends?
 *
 *     alone   appends, and nobody reads
 *     beside  the same, while one connection looks for what streams with a
 *             bare prefix have, which is a walk through their category, and
 *             another lists streams and tags, each without a pause
 *
 * The readers have a thread of their own, so that an answer to an append does
 * not wait for pages to be decoded. How long their own answers take tells what
 * a bounded step is.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "turns.h"

/* The last digits of a stream's name, which the prefix leaves out. */
#define DIGITS_LEFT_OUT 4

struct readers {
    struct bench *bench;
    struct fleet fleet;
    struct acta_query *query; /* owned */
    struct acta_read read;
    char last[256]; /* Name that was listed last. */
    bool lists_tags;

    _Atomic bool wanted; /* Read! */
    _Atomic bool counts; /* Appends are measured beside it. */
    _Atomic bool over;
    _Atomic bool failed;
    uint64_t walk_ns; /* When it was sent; 0: none is under way. */
    uint64_t list_ns;
    struct hist walks;
    struct hist listings;
    atomic_ullong walks_count; /* All answers, */
    atomic_ullong listings_count;
    atomic_ullong positions; /* and what was in those that count. */
    atomic_ullong names;
    struct acta_err err;

    /* Of the appending thread. */
    uint64_t number;
    uint64_t random;
};

/* ---- the readers' thread ---- */

static void
on_page(void *user, const struct acta_err *err, const struct acta_page *page)
{
    struct readers *readers = user;

    uint64_t took_ns = clock_ns() - readers->walk_ns;

    readers->walk_ns = 0;
    if (err != NULL) {
        fleet_fail(&readers->fleet, err);
        return;
    }
    readers->walks_count++;
    if (readers->counts) {
        hist_add(&readers->walks, took_ns);
        readers->positions += page->next - readers->read.from;
    }
    readers->read.from = page->at_end ? 0 : page->next;
}

static void
note_listed(struct readers *readers, size_t count, const char *last,
            bool at_end)
{
    uint64_t took_ns = clock_ns() - readers->list_ns;

    readers->list_ns = 0;
    readers->listings_count++;
    if (readers->counts) {
        hist_add(&readers->listings, took_ns);
        readers->names += count;
    }
    snprintf(readers->last, sizeof(readers->last), "%s",
             at_end || count == 0 ? "" : last);
    if (at_end) {
        readers->lists_tags = !readers->lists_tags;
    }
}

static void
on_streams(void *user, const struct acta_err *err,
           const struct acta_streams *streams)
{
    struct readers *readers = user;
    size_t count;

    if (err != NULL) {
        fleet_fail(&readers->fleet, err);
        return;
    }
    count = streams->streams_count;
    note_listed(readers, count,
                count == 0 ? "" : streams->streams[count - 1]->name,
                streams->at_end);
}

static void
on_names(void *user, const struct acta_err *err, const struct acta_names *names)
{
    struct readers *readers = user;
    size_t count;

    if (err != NULL) {
        fleet_fail(&readers->fleet, err);
        return;
    }
    count = names->names_count;
    note_listed(readers, count, count == 0 ? "" : names->names[count - 1]->name,
                names->at_end);
}

static void
ask(struct readers *readers)
{
    struct acta_err err;

    if (readers->walk_ns == 0) {
        readers->walk_ns = clock_ns();
        if (acta_read(fleet_client(&readers->fleet, 0), &readers->read, 0,
                      on_page, readers, &err) == 0) {
            fleet_fail(&readers->fleet, &err);
        }
    }
    if (readers->list_ns == 0) {
        struct acta_client *client = fleet_client(&readers->fleet, 1);
        const char *after = *readers->last == '\0' ? NULL : readers->last;

        readers->list_ns = clock_ns();
        if ((readers->lists_tags ? acta_list_tags(client, NULL, after, 0, 0,
                                                  on_names, readers, &err)
                                 : acta_list(client, NULL, after, 0, 0,
                                             on_streams, readers, &err)) == 0) {
            fleet_fail(&readers->fleet, &err);
        }
    }
}

static void *
read_and_list(void *argument)
{
    struct readers *readers = argument;
    enum acta_code code = ACTA_OK;

    while (code == ACTA_OK && !readers->over) {
        if (readers->wanted) {
            ask(readers);
        }
        code = fleet_turn(&readers->fleet, &readers->err);
    }
    readers->failed = code != ACTA_OK;
    return NULL;
}

static void
make_prefix(struct readers *readers)
{
    char name[SAMPLE_NAME_SIZE];

    sample_stream(&readers->bench->sample, 0, name);
    name[strlen(name) - DIGITS_LEFT_OUT] = '\0';
    readers->query = acta_query_new();
    acta_query_stream_prefix(readers->query, name);
    readers->read = acta_read_of_query(readers->query);
}

/* ---- the appending thread ---- */

static void
make_append(struct turns *turns, struct acta_append *append)
{
    struct readers *readers = turns->user;
    struct bench *bench = turns->bench;
    uint64_t stream = (sample_random(&readers->random) >> 16) % bench->streams;
    char name[SAMPLE_NAME_SIZE];

    sample_stream(&bench->sample, stream, name);
    acta_append_stream(append, name, ACTA_EXPECT_ANY);
    for (uint64_t i = 0; i < turns->events; i++) {
        sample_event(&bench->sample, readers->number++, append);
        bench->versions[stream]++;
    }
}

/* Until both readers have had an answer, so that they do read. */
static void
let_read(struct turns *turns)
{
    const struct timespec pause = {.tv_nsec = NS_PER_MS};
    struct readers *readers = turns->user;
    uint64_t walks = readers->walks_count;
    uint64_t listings = readers->listings_count;

    readers->wanted = true;
    while ((readers->walks_count == walks ||
            readers->listings_count == listings) &&
           !readers->failed) {
        nanosleep(&pause, NULL);
    }
    readers->counts = turns->counts;
}

static void
let_rest(struct turns *turns)
{
    struct readers *readers = turns->user;

    readers->wanted = false;
    readers->counts = false;
}

static enum acta_code
run_beside(struct readers *readers, struct turns *turns, struct acta_err *err)
{
    enum acta_code code;
    pthread_t thread;
    int rc;

    rc = pthread_create(&thread, NULL, read_and_list, readers);
    if (rc != 0) {
        return acta_fail(err, ACTA_IO, "thread: %s", strerror(rc));
    }
    code = turns_run(turns, err);
    readers->over = true;
    pthread_join(thread, NULL);
    if (code == ACTA_OK && readers->err.code != ACTA_OK) {
        *err = readers->err;
        return acta_wrap(err, err->code, "readers");
    }
    return code;
}

static void
tell(const struct readers *readers, const struct turns *turns,
     struct figures *figures)
{
    const struct turn *alone = &turns->list[0], *beside = &turns->list[1];

    turns_tell(turns, figures);
    figures_add(figures, "beside_p99_ratio", "",
                (double)hist_percentile(&beside->hist, 99) /
                    (double)hist_percentile(&alone->hist, 99));
    figures_add(figures, "walk_p50", "us",
                (double)hist_percentile(&readers->walks, 50) / NS_PER_US);
    figures_add(figures, "walk_max", "us",
                (double)readers->walks.max / NS_PER_US);
    figures_add(figures, "listing_p50", "us",
                (double)hist_percentile(&readers->listings, 50) / NS_PER_US);
    figures_add(figures, "listing_max", "us",
                (double)readers->listings.max / NS_PER_US);
    figures_add(figures, "beside_walked", "/s",
                (double)readers->positions / beside->seconds);
    figures_add(figures, "beside_listed", "/s",
                (double)readers->names / beside->seconds);
}

enum acta_code
bench_beside(struct bench *bench, struct figures *figures, struct acta_err *err)
{
    /* Large. */
    static struct turns turns;
    static struct readers readers;
    enum acta_code code;

    readers = (struct readers){
        .bench = bench,
        .random =
            sample_random_start(option_number(bench->options, OPTION_SEED)),
    };
    turns = (struct turns){
        .bench = bench,
        .user = &readers,
        .clients = option_number(bench->options, OPTION_CLIENTS),
        .pipeline = option_number(bench->options, OPTION_PIPELINE),
        .events = option_number(bench->options, OPTION_EVENTS),
        .count = 2,
        .list =
            {
                {.figures = TURN_FIGURES("alone"), .make = make_append},
                {
                    .figures = TURN_FIGURES("beside"),
                    .make = make_append,
                    .begin = let_read,
                    .end = let_rest,
                },
            },
    };
    make_prefix(&readers);
    code = fleet_open(&readers.fleet, bench->url, 2, err);
    if (code == ACTA_OK) {
        code = run_beside(&readers, &turns, err);
    }
    if (code == ACTA_OK) {
        tell(&readers, &turns, figures);
    }
    fleet_close(&readers.fleet);
    acta_query_free(readers.query);
    return code == ACTA_OK ? code : acta_wrap(err, code, "beside");
}

/* The command line of acta-bench: one table of options, from which come the
 * parser, --help and the settings in the output.
 */

#ifndef ACTA_BENCH_OPTIONS_H
#define ACTA_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Workloads, as bits, to say which of them an option means something to. */
enum workload_bit {
    W_APPEND = 1u << 0,
    W_READ = 1u << 1,
    W_SUBSCRIBE = 1u << 2,
    W_LIVE = 1u << 3,
    W_LOAD = 1u << 4,
    W_START = 1u << 5,
    W_MACHINE = 1u << 6,
    W_FILL = 1u << 7,
    W_FIND = 1u << 8,
    W_CONDITION = 1u << 9,
    W_SPREAD = 1u << 10,
    W_BESIDE = 1u << 11,
    W_GROUP = 1u << 12,
    W_IDLE = 1u << 13,
    W_LEASE = 1u << 14,
    W_EFFECTS = 1u << 15,
    W_SCHEDULE = 1u << 16,
    W_SNAPSHOT = 1u << 17,
    W_DECIDE = 1u << 18,
    W_PROJECT = 1u << 19,
    W_WAIT = 1u << 20,
    W_TURNS = W_CONDITION | W_SPREAD | W_BESIDE | W_IDLE | W_EFFECTS |
              W_DECIDE | W_WAIT,
    W_SERVER = W_APPEND | W_READ | W_SUBSCRIBE | W_LIVE | W_LOAD | W_START |
               W_FILL | W_FIND | W_TURNS | W_GROUP | W_LEASE | W_SCHEDULE |
               W_SNAPSHOT | W_PROJECT,
    W_ALL = W_SERVER | W_MACHINE,
};

#define PAYLOAD_LEAST   8
#define PAYLOAD_LARGEST 1000000

/* X(constant, name, type, default, least, largest, workloads, text)
 *
 * Types: NUMBER takes k and M for thousands and millions, DURATION takes ms, s
 * and min and is kept in milliseconds, FLAG takes nothing. An empty default is
 * set by the workload, or is none.
 */
#define OPTIONS(X)                                                             \
    X(SERVER, "server", TEXT, "", 0, 0, W_SERVER & ~W_START,                   \
      "URL of a server that runs already; without it one is started")          \
    X(ACTAD, "actad", TEXT, "", 0, 0, W_SERVER,                                \
      "the server to start: that of this build if it is not given")            \
    X(DIR, "dir", TEXT, "", 0, 0, W_ALL,                                       \
      "data goes into a temporary directory in this one: $TMPDIR or /tmp")     \
    X(DATA, "data", TEXT, "", 0, 0, W_SERVER,                                  \
      "a directory that keeps the data of the server that is started, for "    \
      "other runs with the same --names; what a run before has left there is " \
      "what is measured")                                                      \
    X(NAMES, "names", NUMBER, "0", 0, UINT32_MAX, W_SERVER,                    \
      "the streams are those of other runs with the same number; 0: of this "  \
      "run alone")                                                             \
    X(CLIENTS, "clients", NUMBER, "1", 1, 4096,                                \
      W_SERVER & ~(W_START | W_FILL | W_FIND | W_CONDITION | W_GROUP |         \
                   W_EFFECTS | W_SCHEDULE | W_SNAPSHOT | W_PROJECT | W_WAIT),  \
      "connections; with live these are subscribers, with decide threads, "    \
      "256 at most")                                                           \
    X(PIPELINE, "pipeline", NUMBER, "1", 1, 4000,                              \
      W_APPEND | W_LOAD | W_SPREAD | W_BESIDE | W_IDLE,                        \
      "requests of a connection that wait for an answer at a time")            \
    X(EVENTS, "events", NUMBER, "1", 1, 10000,                                 \
      W_APPEND | W_CONDITION | W_BESIDE | W_IDLE | W_EFFECTS,                  \
      "events of an append, all for one stream")                               \
    X(BATCH, "batch", NUMBER, "100", 1, 10000, W_SPREAD,                       \
      "events of an append of spread, each for a stream at random")            \
    X(EXPECT, "expect", TEXT, "any", 0, 0, W_APPEND,                           \
      "any, or version: each append expects the version its stream has; "      \
      "then a stream belongs to one connection; or seen: the version that "    \
      "the last answer told, so that others may be faster")                    \
    X(CONDITIONS, "conditions", NUMBER, "0", 0, 100, W_APPEND,                 \
      "of 100 appends so many want no new event with a tag of some value")     \
    X(ZIPF, "zipf", TEXT, "", 0, 0, W_APPEND,                                  \
      "some streams are hotter than others: 0 is even, 0.99 is steep")         \
    X(READERS, "readers", NUMBER, "0", 0, 4096, W_APPEND,                      \
      "connections beside that load streams all the time")                     \
    X(FOLLOWERS, "followers", NUMBER, "0", 0, 4096, W_APPEND,                  \
      "connections beside that follow everything")                             \
    X(TIMELINE, "timeline", TEXT, "", 0, 0, W_APPEND,                          \
      "write how it went over time to this file, as CSV, and draw it")         \
    X(INTERVAL, "interval", DURATION, "100ms", 1, 3600000, W_APPEND,           \
      "of the timeline")                                                       \
    X(RATE, "rate", NUMBER, "0", 0, 100000000, W_APPEND | W_LIVE,              \
      "open loop: so many appends a second, timed from when they were due; "   \
      "0: each connection sends when it has an answer")                        \
    X(BUSY_POLL, "busy-poll", FLAG, "", 0, 1, W_APPEND | W_LIVE | W_LOAD,      \
      "look for answers all the time, and never sleep: latency without that "  \
      "of waking up, for a processor")                                         \
    X(PAYLOAD, "payload", NUMBER, "256", PAYLOAD_LEAST, PAYLOAD_LARGEST,       \
      W_SERVER, "bytes of data of an event")                                   \
    X(SIZES, "sizes", TEXT, "", 0, 0, W_APPEND,                                \
      "data of several sizes in place of it, with weights: "                   \
      "64:50,256:40,4k:10")                                                    \
    X(TAGS, "tags", NUMBER, "0", 0, 32, W_SERVER, "tags of an event")          \
    X(TAGS_OF, "tags-of", NUMBER, "4096", 1, 16777216, W_SERVER,               \
      "values that each of these tags has: one event in so many has it")       \
    X(CORRELATED, "correlated", NUMBER, "0", 0, 1000000000, W_SERVER,          \
      "events in a row that share a correlation id; 0: they have none")        \
    X(COMMANDS, "commands", FLAG, "", 0, 1, W_APPEND | W_FILL,                 \
      "each append has a command id")                                          \
    X(STREAMS, "streams", NUMBER, "10k", 1, 100000000, W_SERVER,               \
      "streams, written at random")                                            \
    X(FIRST, "first", NUMBER, "0", 0, 1000000000, W_SERVER,                    \
      "number of the first of these streams")                                  \
    X(TOGETHER, "together", NUMBER, "0", 0, 100000000, W_FILL,                 \
      "streams that get their events at the same time, before others get "     \
      "theirs; 0: all")                                                        \
    X(CATEGORIES, "categories", NUMBER, "20", 1, 256, W_SERVER,                \
      "categories of these streams: c00, c01, ...")                            \
    X(FILL, "fill", NUMBER, "", 0, 1000000000,                                 \
      W_SERVER & ~(W_LOAD | W_SNAPSHOT),                                       \
      "events to store before the measurement")                                \
    X(LENGTH, "length", NUMBER, "10", 1, 10000, W_LOAD | W_SNAPSHOT,           \
      "events of each stream that is loaded")                                  \
    X(STATE, "state", NUMBER, "1k", 1, 16000000, W_SNAPSHOT,                   \
      "bytes of a snapshot")                                                   \
    X(BEHIND, "behind", NUMBER, "5", 0, 10000, W_SNAPSHOT,                     \
      "events of a stream behind its snapshot")                                \
    X(MEMBERS, "members", NUMBER, "8", 1, 256, W_GROUP,                        \
      "members of the group, each on a connection of its own")                 \
    X(SLOTS, "slots", NUMBER, "700", 1, 10000, W_GROUP,                        \
      "events that a member may have in hand")                                 \
    X(GROUPS, "groups", NUMBER, "10k", 1, 1000000, W_IDLE,                     \
      "groups with a member that waits")                                       \
    X(CONNECTIONS, "connections", NUMBER, "40", 1, 4096, W_IDLE,               \
      "connections of these members, 256 on each at most")                     \
    X(LEASES, "leases", NUMBER, "0", 0, 4096, W_LEASE,                         \
      "leases that all connections share; 0: each has its own")                \
    X(SCHEDULES, "schedules", NUMBER, "10k", 1, 1000000, W_SCHEDULE,           \
      "scheduled appends that are due at once")                                \
    X(HOT, "hot", NUMBER, "4", 1, 1000000, W_DECIDE,                           \
      "aggregates that all connections share")                                 \
    X(TRANSACTION, "transaction", NUMBER, "1k", 1, 1000000, W_PROJECT,         \
      "events that are projected in one transaction, at most")                 \
    X(DIRTY, "dirty", NUMBER, "100k", 0, 1000000000, W_START,                  \
      "events to append between a start and the kill")                         \
    X(CATEGORY, "category", TEXT, "", 0, 0, W_READ | W_SUBSCRIBE,              \
      "read this category only")                                               \
    X(TYPE, "type", TEXT, "", 0, 0, W_READ | W_SUBSCRIBE,                      \
      "read this type only: T0 to TF")                                         \
    X(TAG, "tag", TEXT, "", 0, 0, W_READ | W_SUBSCRIBE,                        \
      "read events with this tag only: t00:000 to t00:fff")                    \
    X(STREAM, "stream", TEXT, "", 0, 0, W_READ, "read this stream")            \
    X(FROM, "from", NUMBER, "0", 0, UINT64_C(1) << 48, W_READ | W_SUBSCRIBE,   \
      "read what is behind this position, or in a stream this version")        \
    X(MOST, "most", NUMBER, "0", 0, UINT64_C(1) << 48, W_READ | W_SUBSCRIBE,   \
      "end after so many events, or a few more; 0: at the end")                \
    X(PAGE, "page", NUMBER, "0", 0, 65536, W_READ,                             \
      "events of a page; 0: as many as the server gives")                      \
    X(DURATION, "duration", DURATION, "5s", 1, 86400000,                       \
      W_APPEND | W_LIVE | W_LOAD | W_TURNS | W_LEASE | W_SNAPSHOT,             \
      "how long to measure; in turns: each of what is compared")               \
    X(ROUNDS, "rounds", NUMBER, "10", 1, 1000,                                 \
      W_FIND | W_TURNS | W_GROUP | W_SNAPSHOT | W_PROJECT,                     \
      "turns of each of what is compared; there is one more before, "          \
      "which does not count")                                                  \
    X(WARMUP, "warmup", DURATION, "1s", 0, 600000,                             \
      W_APPEND | W_LIVE | W_LOAD | W_LEASE, "how long to run before that")     \
    X(COUNT, "count", NUMBER, "0", 0, 1000000000,                              \
      W_APPEND | W_LIVE | W_LOAD | W_LEASE,                                    \
      "end after so many requests, without warming up; 0: after the time")     \
    X(SEED, "seed", NUMBER, "1", 0, UINT32_MAX, W_SERVER,                      \
      "of what is chosen at random")                                           \
    X(RUNS, "runs", NUMBER, "1", 1, 101, W_ALL,                                \
      "repeat, and tell the medians")                                          \
    X(FILE, "file", TEXT, "", 0, 0, W_ALL,                                     \
      "read options from a file, one in a line, as in \"clients 64\"")         \
    X(CSV, "csv", FLAG, "", 0, 1, W_ALL, "tell the results as CSV")            \
    X(JSON, "json", FLAG, "", 0, 1, W_ALL, "tell the results as JSON")

enum option {
#define X(constant, ...) OPTION_##constant,
    OPTIONS(X)
#undef X
        OPTIONS_COUNT,
};

struct option_value {
    const char *text; /* As given, or the default; lives as long as argv. */
    uint64_t number;  /* Of all types but TEXT. */
    bool given;
};

struct options {
    unsigned workloads; /* Bits. */
    struct option_value values[OPTIONS_COUNT];
    char **server_arguments; /* Behind "--", for actad; ends with NULL. */
    char *file;              /* owned: what --file has, or NULL */
};

/* Read argv[1...] behind the name of the workload, or of several: an option has
 * to mean something to one of them. Of what is given twice, also in a file, the
 * last counts. What is wrong is told on stderr. Always to be ended with
 * options_free().
 */
bool options_parse(struct options *options, unsigned workloads,
                   char **arguments);
void options_free(struct options *options);

static inline uint64_t
option_number(const struct options *options, enum option option)
{
    return options->values[option].number;
}

/* NULL if it is empty. */
static inline const char *
option_text(const struct options *options, enum option option)
{
    const char *text = options->values[option].text;

    return *text == '\0' ? NULL : text;
}

/* Set an option that was not given. */
void options_default(struct options *options, enum option option,
                     uint64_t number);

/* The options that mean something to any of @workloads. */
void options_print_help(unsigned workloads, FILE *out);

/* The settings of this run, with those of its server: "clients=64 ... --
 * --io-threads 2".
 */
void options_print(const struct options *options, FILE *out);
void options_print_json(const struct options *options, FILE *out);

#endif

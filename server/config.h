/* The configuration of actad: one table of keys, from which come the options
 * of the command line, the variables of the environment, the file, --help and
 * the manual page.
 *
 * A value is taken from the first of these that has it:
 *
 *     the command line         --data-dir DIR or --data-dir=DIR
 *     the environment          ACTA_DATA_DIR
 *     the file                 data-dir = DIR
 *     the default
 *
 * The file has one key a line; blanks around '=' and lines that are empty or
 * begin with '#' do not matter. Its name is the value of --config, of
 * ACTA_CONFIG, or CONFIG_FILE, which need not exist.
 *
 * A struct config does not change once it is loaded: many threads may read it.
 */

#ifndef ACTA_CONFIG_H
#define ACTA_CONFIG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config_value.h"
#include "err.h"

#define CONFIG_FILE "/etc/acta/actad.conf"

/* X(constant, key, type, default, least, largest, text)
 *
 * Bounds are in bytes, milliseconds or as they are, and not for texts.
 */
#define CONFIG_KEYS(X)                                                         \
    X(DATA_DIR, "data-dir", TEXT, "/var/lib/acta", 0, 0,                       \
      "Directory of all data. It is made if it is not there. One server at "   \
      "a time.")                                                               \
    X(LISTEN, "listen", ADDRESS, "127.0.0.1:2282", 0, 0,                       \
      "Address and port for clients, an IPv6 address in brackets. Port 0 is "  \
      "any free one. Addresses that others can reach are refused, since "      \
      "there is no authentication.")                                           \
    X(PORT_FILE, "port-file", TEXT, "", 0, 0,                                  \
      "File to write the port to when the server is ready; empty: none.")      \
    X(PID_FILE, "pid-file", TEXT, "", 0, 0,                                    \
      "File to write the process id to when the server is ready; empty: "      \
      "none.")                                                                 \
    X(LOG_LEVEL, "log-level", LEVEL, "info", 0, 0,                             \
      "What is logged: error, warning, info or debug. Read again from the "    \
      "file on SIGHUP.")                                                       \
    X(IO_THREADS, "io-threads", NUMBER, "0", 0, 64,                            \
      "Threads that serve connections. 0: half as many as there are cores, "   \
      "one at least.")                                                         \
    X(BUSY_POLL, "busy-poll", NUMBER, "50", 0, 1000,                           \
      "Microseconds. A thread that serves one client alone, which sends its "  \
      "next request within so long of each answer, looks for it that long "    \
      "before it sleeps: then none waits until a processor has woken. Not "    \
      "with a single processor. 0: never.")                                    \
    X(CONNECTIONS_MAX, "connections-max", NUMBER, "4096", 1, 100000,           \
      "Connections at a time. More wait unaccepted until others close. Fewer " \
      "if the process may not have as many descriptors; some are kept for "    \
      "files.")                                                                \
    X(HELLO_TIMEOUT, "hello-timeout", DURATION, "5s", 10, 600000,              \
      "A client that has not said hello by then is cut.")                      \
    X(PEER_TIMEOUT, "peer-timeout", DURATION, "30s", 100, 3600000,             \
      "A client that answers nothing, or takes none of what is sent to it, "   \
      "for so long is cut. One that is gone without a word is noticed after "  \
      "this time, or a quarter of it more, a second at least.")                \
    X(STOP_TIMEOUT, "stop-timeout", DURATION, "10s", 0, 600000,                \
      "On SIGTERM, connections have this long to take their last answers.")    \
    X(OUTPUT_HIGH, "output-high", SIZE, "1MiB", 4096, 1 << 30,                 \
      "With more than this waiting to be sent to a connection, its requests "  \
      "and subscriptions wait, and its memberships of groups get no events.")  \
    X(OUTPUT_LOW, "output-low", SIZE, "256KiB", 0, 1 << 30,                    \
      "They go on when less than this waits. Not above output-high.")          \
    X(REQUESTS_MAX, "requests-max", NUMBER, "4096", 1, 4096,                   \
      "Appends of one connection that may wait for their answers. It is not "  \
      "read from while there are so many.")                                    \
    X(REQUESTS_MEMORY, "requests-memory", SIZE, "128MiB", 4096,                \
      UINT64_C(1) << 40,                                                       \
      "Memory of these appends. A single one may be larger.")                  \
    X(CONNECTIONS_MEMORY, "connections-memory", SIZE, "1GiB", 1 << 20,         \
      UINT64_C(1) << 40,                                                       \
      "Memory of all connections, with the queries of their subscriptions. "   \
      "Above it, those that hold much are not read from, and cut after "       \
      "peer-timeout.")                                                         \
    X(SUBSCRIPTION_STEP, "subscription-step", SIZE, "256KiB", 1024, 4 << 20,   \
      "What one subscription is sent before it is another's turn.")            \
    X(JOURNAL_SEGMENT_SIZE, "journal-segment-size", SIZE, "64MiB", 1 << 20,    \
      UINT64_C(1) << 32, "Size of a file of the journal.")                     \
    X(STORE_MAP_SIZE, "store-map-size", SIZE, "1TiB", 1 << 20,                 \
      UINT64_C(1) << 46,                                                       \
      "Largest size of the store: address space, not memory or disk.")         \
    X(EVENT_IDS, "event-ids", SWITCH, "on", 0, 0,                              \
      "Said when a database is made, and for ever. off: it does not keep the " \
      "ids of events (about 50 bytes each). Appends then have to expect a "    \
      "version, or to have a command id, so that one that is sent again is "   \
      "not stored again; and no event is found by its id.")                    \
    X(COMMAND_IDS, "command-ids", SWITCH, "on", 0, 0,                          \
      "Said when a database is made, and for ever. off: appends with a "       \
      "command id (about 45 bytes each) are refused.")                         \
    X(DISK_RESERVE, "disk-reserve", SIZE, "256MiB", 0, UINT64_C(1) << 46,      \
      "With less free on the disk, appends are refused.")                      \
    X(CHECKPOINT_EVENTS, "checkpoint-events", NUMBER, "131072", 1,             \
      UINT64_C(1) << 26,                                                       \
      "A checkpoint, which moves events from journal and memory to the "       \
      "store, begins at so many events.")                                      \
    X(CHECKPOINT_SIZE, "checkpoint-size", SIZE, "48MiB", 1, UINT64_C(1) << 40, \
      "Or at so many bytes of events.")                                        \
    X(CHECKPOINT_JOURNAL, "checkpoint-journal", SIZE, "256MiB", 1,             \
      UINT64_C(1) << 40, "Or at so many bytes of the journal.")                \
    X(CHECKPOINT_PAGES, "checkpoint-pages", NUMBER, "32768", 1,                \
      UINT64_C(1) << 40,                                                       \
      "Or when it would change so many pages of the store, judged by the "     \
      "last "                                                                  \
      "one. A page takes 4 KiB of memory, which is kept until nothing is "     \
      "appended any more. With millions of streams, fewer pages take less "    \
      "memory and write more for an event.")                                   \
    X(CHECKPOINT_AGE, "checkpoint-age", DURATION, "1min", 1,                   \
      UINT64_C(1) << 32, "Or when the oldest event has waited for so long.")   \
    X(SWEEP_INTERVAL, "sweep-interval", DURATION, "1min", 1,                   \
      UINT64_C(1) << 32,                                                       \
      "So often is looked for events that their streams hide, to take their "  \
      "space back. Erasures do not wait for that.")                            \
    X(BACKUP_KEEP, "backup-keep", SIZE, "1GiB", 0, UINT64_C(1) << 46,          \
      "Bytes of the journal that are kept after a backup, so that the next "   \
      "one copies only what is new. When there are more, or an event was "     \
      "erased, or the server was restarted, the next one copies all. 0: none " \
      "are.")                                                                  \
    X(QUEUE_SIZE, "queue-size", SIZE, "128MiB", 4096, UINT64_C(1) << 40,       \
      "Memory of appends that may wait for the writer. Connections wait "      \
      "while it is full.")

enum config_key {
#define X(constant, ...) CONFIG_##constant,
    CONFIG_KEYS(X)
#undef X
        CONFIG_KEYS_COUNT,
};

#define CONFIG_TEXT_SIZE   1024
#define CONFIG_ORIGIN_SIZE (CONFIG_TEXT_SIZE + 32)

struct config_value {
    char text[CONFIG_TEXT_SIZE]; /* As it was given. */
    uint64_t number;             /* Of all types but TEXT and ADDRESS. */
    /* "default", "/etc/acta/actad.conf:3", "ACTA_LISTEN", "--listen" */
    char origin[CONFIG_ORIGIN_SIZE];
};

/* What is asked for besides running. */
enum config_action {
    CONFIG_RUN,
    CONFIG_RUN_DEV,      /* --dev */
    CONFIG_HELP,         /* --help */
    CONFIG_VERSION,      /* --version */
    CONFIG_CHECK,        /* --check-config */
    CONFIG_PRINT_MANUAL, /* --print-manual-options */
};

struct config {
    struct config_value values[CONFIG_KEYS_COUNT];
    enum config_action action;
};

/* Load everything. @environment ends with NULL. INVALID, IO: the text says
 * where and what, as in
 *
 *     actad.conf:3:1: unknown key "lisen", did you mean "listen"?
 */
enum acta_code config_load(struct config *config, int argc, char **argv,
                           char **environment,
                           struct acta_err *err) ACTA_CHECKED;

/* Give @key a value of the program's own, as from @origin: always, or only if
 * no source had one. The value must be a valid one.
 */
void config_set(struct config *config, enum config_key key, const char *text,
                const char *origin);
void config_set_default(struct config *config, enum config_key key,
                        const char *text, const char *origin);

static inline uint64_t
config_number(const struct config *config, enum config_key key)
{
    return config->values[key].number;
}

static inline const char *
config_text(const struct config *config, enum config_key key)
{
    return config->values[key].text;
}

/* The row of a key in the table. */
struct config_row {
    const char *name;
    enum config_type type;
    const char *initial; /* The default. */
    uint64_t min, max;
    const char *text;
};

extern const struct config_row config_rows[CONFIG_KEYS_COUNT];

/* --help; the values in effect, each with its origin; the options as a part of
 * a manual page.
 */
void config_print_help(FILE *out);
void config_print_values(const struct config *config, FILE *out);
void config_print_manual(FILE *out);

#endif

/* An actad of the benchmark's own: on loopback, on any free port, with its data
 * in a temporary directory, for as long as the benchmark runs, or in one that
 * is kept.
 *
 * The struct is the caller's; one thread at a time.
 */

#ifndef ACTA_BENCH_DAEMON_H
#define ACTA_BENCH_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <acta/acta.h>

struct daemon {
    pid_t pid;        /* 0: it does not run. */
    uint16_t port;    /* Of the last start. */
    uint64_t exec_ns; /* When it was last started. */
    char dir[512];    /* "": none was made. */
    bool is_kept;     /* The directory stays. */
    const char *path; /* Of actad. */
    char **arguments; /* Further ones; ends with NULL. */
};

/* Where actad is: @given, or beside this program in the tree of its build, or
 * in one of the directories of $PATH. Lives for ever.
 */
const char *daemon_path(const char *given);

/* Make a directory in @parent (NULL: $TMPDIR or /tmp), or use @kept, which is
 * made if it is not there. Nothing runs yet. The caller calls daemon_remove()
 * in the end, whatever this returns.
 */
enum acta_code daemon_init(struct daemon *daemon, const char *path,
                           const char *parent, const char *kept,
                           char **arguments, struct acta_err *err);

/* Start it on the data that is there, and wait until it has a port.
 *
 * IO: it did not start; @err says what it said last. INVALID: it has too many
 * arguments.
 */
enum acta_code daemon_start(struct daemon *daemon, struct acta_err *err);

/* End it with @signal, and wait until it is gone. IO: it ended badly, which
 * for SIGKILL it cannot.
 */
enum acta_code daemon_stop(struct daemon *daemon, int signal,
                           struct acta_err *err);

/* Let it stand still, so that what it does in the background takes nothing
 * from what is measured without it; or let it go on.
 */
void daemon_pause(const struct daemon *daemon, bool paused);

/* If it has ended by itself, put how, and what it said last, in front of
 * @err, which tells what followed from that.
 */
void daemon_explain(struct daemon *daemon, struct acta_err *err);

/* Kill what runs and remove the directory with everything in it; but if it is
 * kept, end what runs in order, and leave it.
 */
void daemon_remove(struct daemon *daemon);

/* What it has used so far; all 0 if it does not run. */
struct daemon_usage {
    double cpu_us;
    double written;  /* Bytes, to files. */
    double device;   /* Bytes, to the disk below its data, by anybody. */
    double anon_mib; /* Private memory now. */
};

struct daemon_usage daemon_usage(const struct daemon *daemon);

#endif

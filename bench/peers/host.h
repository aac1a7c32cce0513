/* A database server of the benchmark's own: one process and its children, on
 * loopback, with its data in a directory of its own, for as long as the
 * benchmark runs.
 *
 * The struct is the caller's; one thread at a time.
 */

#ifndef ACTA_PEERS_HOST_H
#define ACTA_PEERS_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <acta/acta.h>

#include "../place.h"

#define HOST_PATH_SIZE PLACE_PATH_SIZE

struct host {
    pid_t pid; /* 0: it does not run. */
    uint16_t port;
    char dir[512]; /* "": none was made. */
    uid_t uid;     /* What it runs as. */
    gid_t gid;
    int stop_signal; /* What ends it, and its children, at once. */
};

/* Make a directory named @name in @parent, and find a free port. @user: whom
 * it belongs to and what the server runs as, if this process is root's; NULL:
 * the same as this process. The caller calls host_remove() in the end,
 * whatever this returns.
 */
enum acta_code host_init(struct host *host, const char *parent,
                         const char *name, const char *user,
                         struct acta_err *err);

/* Put the path of @name in the host's directory into @path. */
void host_path(const struct host *host, const char *name,
               char path[HOST_PATH_SIZE]);

/* Copy the file at @from to where host_path() has @name. */
enum acta_code host_copy(const struct host *host, const char *from,
                         const char *name, struct acta_err *err);

/* Run a program to its end. IO: @err says what it said last. */
enum acta_code host_run(const struct host *host, char *const *arguments,
                        struct acta_err *err);

/* Start the server, and wait until it can be connected to at its port. */
enum acta_code host_start(struct host *host, char *const *arguments,
                          struct acta_err *err);

/* Does the server run? */
bool host_runs(const struct host *host);

/* Stop the server, and remove the directory with everything in it. */
void host_remove(struct host *host);

/* Let the server and its children stand still, so that others can be measured
 * without what it does in the background; or let them go on.
 */
void host_pause(const struct host *host, bool paused);

/* Let every write to a file in directory @name be on disk before it returns,
 * or not any more: the attribute S of files. Files that are made there have it,
 * too. UNSUPPORTED: the file system cannot do that.
 */
enum acta_code host_sync_writes(const struct host *host, const char *name,
                                bool synced, struct acta_err *err);

/* Of the process and all children that live. */
double host_cpu_us(const struct host *host);
double host_memory_mib(const struct host *host); /* Private and shared memory,
                                                    without files' pages. */

/* Bytes on disk of all that is in directory @name. */
double host_disk_bytes(const struct host *host, const char *name);

#endif

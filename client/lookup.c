#include "lookup.h"

#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "thread.h"

/* Owned by two, the caller and the thread: who lets go last frees it. The
 * thread writes result and addresses, then signals the descriptor; the caller
 * reads them after that.
 */
struct lookup {
    atomic_int owners;
    int fd;
    int result; /* Of getaddrinfo(). */
    struct addrinfo *addresses;
    char *port; /* Behind name. */
    char name[];
};

static int
resolve(struct lookup *lookup, int flags)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV | flags,
    };

    return getaddrinfo(lookup->name, lookup->port, &hints, &lookup->addresses);
}

static void
let_go(struct lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->owners, 1) > 1) {
        return;
    }
    if (lookup->addresses != NULL) {
        freeaddrinfo(lookup->addresses);
    }
    close(lookup->fd);
    free(lookup);
}

/* Make the descriptor readable. */
static void
signal_done(struct lookup *lookup)
{
    uint64_t one = 1;
    ssize_t written;

    do {
        written = write(lookup->fd, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
}

static void *
run(void *arg)
{
    struct lookup *lookup = arg;

    lookup->result = resolve(lookup, AI_ADDRCONFIG);
    signal_done(lookup);
    let_go(lookup);
    return NULL;
}

static int
start_thread(struct lookup *lookup)
{
    pthread_t thread;
    int error = thread_start(&thread, run, lookup);

    if (error == 0) {
        pthread_detach(thread);
    }
    return error;
}

enum acta_code
lookup_start(struct lookup **lookup, const struct host *host,
             struct acta_err *err)
{
    size_t name_size = strlen(host->name) + 1;
    size_t port_size = strlen(host->port) + 1;
    struct lookup *made = malloc(sizeof(*made) + name_size + port_size);
    int error;

    *lookup = NULL;
    if (made == NULL) {
        return acta_fail(err, ACTA_MEMORY, "look up %s", host->name);
    }
    *made = (struct lookup){
        .owners = 1,
        .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
        .port = made->name + name_size,
    };
    memcpy(made->name, host->name, name_size);
    memcpy(made->port, host->port, port_size);
    if (made->fd < 0) {
        error = errno;
        free(made);
        return acta_fail(err, ACTA_IO, "look up %s: %s", host->name,
                         strerror(error));
    }

    made->result = resolve(made, AI_NUMERICHOST);
    if (made->result == 0) {
        signal_done(made);
        *lookup = made;
        return ACTA_OK;
    }
    atomic_store(&made->owners, 2);
    error = start_thread(made);
    if (error != 0) {
        atomic_store(&made->owners, 1);
        let_go(made);
        return acta_fail(err, ACTA_IO, "look up %s: %s", host->name,
                         strerror(error));
    }
    *lookup = made;
    return ACTA_OK;
}

int
lookup_fd(const struct lookup *lookup)
{
    return lookup->fd;
}

enum acta_code
lookup_take(struct lookup *lookup, struct addrinfo **addresses,
            struct acta_err *err)
{
    uint64_t signals;

    *addresses = NULL;
    if (read(lookup->fd, &signals, sizeof(signals)) < 0) {
        return acta_fail(err, ACTA_BUSY, "look up %s: not done yet",
                         lookup->name);
    }
    if (lookup->result != 0) {
        return acta_fail(err, ACTA_UNREACHABLE, "look up %s: %s", lookup->name,
                         gai_strerror(lookup->result));
    }
    *addresses = lookup->addresses;
    lookup->addresses = NULL;
    return ACTA_OK;
}

void
lookup_free(struct lookup *lookup)
{
    if (lookup != NULL) {
        let_go(lookup);
    }
}

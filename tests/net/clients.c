#include "clients.h"

#include <check.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appender.h"
#include "require.h"
#include "watcher.h"

#define APPENDERS 3

/* In the clients' process. */
struct crew {
    struct appender *appenders[APPENDERS];
    struct watcher *resuming;
    struct watcher *from_start;
};

static void
start_all(struct crew *crew, const char *url, const char *dir, uint64_t seed)
{
    struct watcher_options options = {
        .url = url,
        .dir = dir,
        .number = 1,
        .type = "OrderPaid",
        .restarts = true,
        .seed = seed,
        .patience_ms = CLIENTS_PATIENCE_MS,
    };

    for (unsigned i = 0; i < APPENDERS; i++) {
        crew->appenders[i] = appender_start(&(struct appender_options){
            .url = url,
            .dir = dir,
            .number = i + 1,
            .seed = seed,
            .patience_ms = CLIENTS_PATIENCE_MS,
        });
    }
    crew->resuming = watcher_start(&options);
    options.number = 2;
    options.type = NULL;
    options.restarts = false;
    crew->from_start = watcher_start(&options);
}

static void
live(int words, const char *url, const char *dir, uint64_t seed)
{
    struct crew crew;
    uint64_t head = 0;
    char word = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    start_all(&crew, url, dir, seed);
    require(read(words, &word, 1) == 1);
    appenders_stop();
    for (unsigned i = 0; i < APPENDERS; i++) {
        appender_join(crew.appenders[i]);
    }
    require(write(words, &word, 1) == 1);
    require(read(words, &head, sizeof(head)) == sizeof(head));
    watcher_finish(crew.resuming, head);
    watcher_finish(crew.from_start, head);
}

void
clients_start(struct clients *clients, const char *url, const char *dir,
              uint64_t seed)
{
    int words[2];

    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, words) == 0);
    clients->pid = fork();
    require(clients->pid >= 0);
    if (clients->pid == 0) {
        close(words[0]);
        live(words[1], url, dir, seed);
        _exit(0);
    }
    close(words[1]);
    clients->words = words[0];
}

void
clients_rest(struct clients *clients)
{
    char word = 0;

    require(write(clients->words, &word, 1) == 1);
    ck_assert_int_eq(read(clients->words, &word, 1), 1);
}

void
clients_finish(struct clients *clients, uint64_t head)
{
    int status = 0;

    require(write(clients->words, &head, sizeof(head)) == sizeof(head));
    ck_assert_int_eq(waitpid(clients->pid, &status, 0), clients->pid);
    ck_assert_int_eq(status, 0);
    close(clients->words);
}

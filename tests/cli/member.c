/* A member of a group, for the tests of the command line:
 *
 *     member URL GROUP ANSWER...
 *
 * joins, settles an event by each answer in turn, prints them, and leaves. The
 * answers are ack, skip, retry, park:REASON; hold keeps all that comes until
 * SIGTERM, rest acks it.
 */

#include <acta/acta_group.h>
#include <acta/acta_sync.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "patient.h"

#define WAIT_MS 30000

static struct acta_worker *worker; /* For the signal handler. */

static void
on_signal(int number)
{
    (void)number;
    acta_worker_interrupt(worker);
}

static void
settle(const char *answer, uint64_t number)
{
    if (strcmp(answer, "ack") == 0 || strcmp(answer, "rest") == 0) {
        acta_worker_ack(worker, number);
    } else if (strcmp(answer, "skip") == 0) {
        acta_worker_skip(worker, number);
    } else if (strcmp(answer, "retry") == 0) {
        acta_worker_retry(worker, number, 0);
    } else if (strncmp(answer, "park:", 5) == 0) {
        acta_worker_park(worker, number, answer + 5);
    }
}

static enum acta_code
answer_next(const char *answer, int wait_ms, struct acta_err *err)
{
    const struct acta_handed *handed;
    enum acta_code code = acta_worker_next(worker, wait_ms, &handed, err);

    if (code == ACTA_OK) {
        printf("%s %s@%" PRIu64 " try %" PRIu64 "\n", answer,
               handed->event->stream, handed->event->version,
               handed->deliveries);
        fflush(stdout);
        settle(answer, handed->number);
    }
    return code;
}

static enum acta_code
answer_all(char **answers, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;

    for (; *answers != NULL && code == ACTA_OK; answers++) {
        bool is_last =
            strcmp(*answers, "hold") == 0 || strcmp(*answers, "rest") == 0;

        do {
            code = answer_next(*answers, is_last ? -1 : WAIT_MS, err);
        } while (is_last && code == ACTA_OK);
    }
    return code == ACTA_OK ? acta_worker_settle(worker, err) : code;
}

int
main(int argc, char **argv)
{
    struct acta_options options;
    struct acta_sync *sync = NULL;
    struct acta_join join;
    enum acta_code code;
    struct acta_err err;

    if (argc < 4) {
        fprintf(stderr, "usage: %s URL GROUP ANSWER...\n", argv[0]);
        return EXIT_FAILURE;
    }
    options = patient_options(argv[1]);
    join = acta_join_of(argv[2], 10);
    join.member = "tester";
    code = acta_sync_open(&sync, &options, &err);
    if (code == ACTA_OK) {
        code = acta_worker_open(&worker, sync, &join, &err);
    }
    if (code == ACTA_OK) {
        signal(SIGTERM, on_signal);
        code = answer_all(argv + 3, &err);
    }
    acta_worker_close(worker);
    acta_sync_close(sync);
    if (code != ACTA_OK && code != ACTA_CANCELLED) {
        fprintf(stderr, "member: %s\n", err.text);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

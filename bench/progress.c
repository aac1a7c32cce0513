#include "progress.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"

#define SHOW_EVERY_NS (NS_PER_S / 5)

static struct {
    uint64_t started_ns; /* 0: no line is shown. */
    uint64_t shown_ns;
    uint64_t done; /* When it was shown last. */
} line;

void
progress_show(const char *what, const char *things, uint64_t done,
              uint64_t whole)
{
    uint64_t now_ns = clock_ns();
    double rate;

    if (now_ns - line.shown_ns < SHOW_EVERY_NS) {
        return;
    }
    if (!isatty(STDERR_FILENO)) {
        line.shown_ns = now_ns;
        return;
    }
    if (line.started_ns == 0) {
        line.started_ns = line.shown_ns = now_ns;
        line.done = done;
        return;
    }
    rate = (double)(done - line.done) * (double)NS_PER_S /
           (double)(now_ns - line.shown_ns);
    fprintf(stderr, "\r\033[K%s: %" PRIu64 " %s", what, done, things);
    if (whole > 0) {
        fprintf(stderr, " of %" PRIu64, whole);
    }
    fprintf(stderr, ", %.0f/s, %.0f s", rate,
            (double)(now_ns - line.started_ns) / (double)NS_PER_S);
    line.shown_ns = now_ns;
    line.done = done;
}

void
progress_clear(void)
{
    if (line.started_ns != 0) {
        fprintf(stderr, "\r\033[K");
    }
    line.started_ns = 0;
}

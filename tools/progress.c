#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "when.h"

#define BAR_SIZE    20
#define INTERVAL_US 100000

void
progress_start(struct progress *progress, bool wanted)
{
    *progress = (struct progress){
        .shown = wanted && isatty(STDERR_FILENO),
        .started_us = when_mono_us(),
    };
}

double
progress_seconds(const struct progress *progress)
{
    return (double)(when_mono_us() - progress->started_us) / 1e6;
}

static void
draw_left(double share, double seconds)
{
    double left = share > 0 ? seconds / share - seconds : 0;

    fprintf(stderr, "%3.0f%%  ", share * 100);
    for (int i = 0; i < BAR_SIZE; i++) {
        fputs((i + 0.5) / BAR_SIZE < share ? "█" : "░", stderr);
    }
    if (left >= 90) {
        fprintf(stderr, "  %.0f min %02.0f s left", (double)(int)(left / 60),
                left - 60 * (double)(int)(left / 60));
    } else {
        fprintf(stderr, "  %.0f s left", left);
    }
    fputs("  ", stderr);
}

void
progress_draw(struct progress *progress, uint64_t count, uint64_t done,
              uint64_t whole)
{
    uint64_t now = when_mono_us();
    double seconds;

    if (!progress->shown || now - progress->drawn_us < INTERVAL_US) {
        return;
    }
    progress->drawn_us = now;
    seconds = progress_seconds(progress);
    fputs("\r", stderr);
    if (whole > 0) {
        draw_left(done < whole ? (double)done / (double)whole : 1, seconds);
    }
    fprintf(stderr, "%" PRIu64 " events  %.0f/s\033[K", count,
            seconds > 0 ? (double)count / seconds : 0);
}

void
progress_expect(struct progress *progress, uint64_t count, uint64_t whole)
{
    progress->count = count;
    progress->whole = whole;
}

void
progress_add(void *user, uint64_t bytes)
{
    struct progress *progress = user;

    progress->done += bytes;
    progress_draw(progress, progress->count, progress->done, progress->whole);
}

void
progress_end(struct progress *progress)
{
    if (progress->shown && progress->drawn_us > 0) {
        fputs("\r\033[K", stderr);
    }
    progress->shown = false;
}

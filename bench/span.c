#include "span.h"

void
span_start(struct span *span, const struct options *options,
           const struct daemon *daemon)
{
    uint64_t count = option_number(options, OPTION_COUNT);
    uint64_t now_ns = clock_ns();

    *span = (struct span){.daemon = daemon, .wanted = UINT64_MAX};
    if (count > 0) {
        span->wanted = count;
        span->from_ns = now_ns;
        span->to_ns = UINT64_MAX;
        meter_read(&span->start, daemon);
        return;
    }
    span->from_ns = now_ns + option_number(options, OPTION_WARMUP) * NS_PER_MS;
    span->to_ns =
        span->from_ns + option_number(options, OPTION_DURATION) * NS_PER_MS;
}

static void
begin_measuring(struct span *span)
{
    if (span->start.read_ns == 0) {
        meter_read(&span->start, span->daemon);
    }
}

static void
end_measuring(struct span *span)
{
    if (!span->over) {
        begin_measuring(span);
        meter_read(&span->end, span->daemon);
        span->over = true;
    }
}

bool
span_counts(struct span *span, uint64_t now_ns)
{
    if (span->over || now_ns < span->from_ns) {
        return false;
    }
    if (now_ns >= span->to_ns) {
        end_measuring(span);
        return false;
    }
    begin_measuring(span);
    span->counted++;
    if (span->counted == span->wanted) {
        end_measuring(span);
    }
    return true;
}

void
span_tick(struct span *span)
{
    uint64_t now_ns = clock_ns();

    if (now_ns >= span->to_ns) {
        end_measuring(span);
    } else if (now_ns >= span->from_ns) {
        begin_measuring(span);
    }
}

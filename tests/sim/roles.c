#include "roles.h"

#include "task.h"

static uint64_t end_ns;
static unsigned writing; /* Who append, and have not come to their end. */

static struct roles_counts counts;

struct roles_counts *
roles_counts(void)
{
    return &counts;
}

void
roles_end(uint64_t time_ns)
{
    end_ns = time_ns;
}

bool
roles_go_on(void)
{
    return task_now_ns() < end_ns;
}

bool
roles_are_written(void)
{
    return !roles_go_on() && writing == 0;
}

void
roles_begin_writing(void)
{
    writing++;
}

void
roles_end_writing(void)
{
    writing--;
}

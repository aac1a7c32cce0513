#include "roles.h"

#include "task.h"

static uint64_t end_ns;
static unsigned deriving; /* The same, of events from others. */
static unsigned writing;  /* Who append, and have not come to their end. */

static struct roles_counts counts;

struct roles_counts *
roles_counts(void)
{
    return &counts;
}

struct acta_id
role_command_id(void)
{
    struct acta_id id;

    rnd_bytes(task_rnd(), &id, sizeof(id));
    id.bytes[6] = 0x70;
    id.bytes[8] = 0x80;
    return id;
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
roles_have_sources(void)
{
    return !roles_go_on() && writing == 0;
}

bool
roles_are_written(void)
{
    return roles_have_sources() && deriving == 0;
}

void
roles_begin_deriving(void)
{
    deriving++;
}

void
roles_end_deriving(void)
{
    deriving--;
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

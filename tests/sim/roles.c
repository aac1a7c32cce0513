#include "roles.h"

#include "task.h"

static uint64_t end_ns;

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

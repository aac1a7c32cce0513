/* Schedules are due some milliseconds before their time. */

#include "schedules.h"

#define EARLY_US 10000

struct schedule_slot *__real_schedules_take(struct schedules *schedules,
                                            uint64_t now_us);
struct schedule_slot *__wrap_schedules_take(struct schedules *schedules,
                                            uint64_t now_us);

struct schedule_slot *
__wrap_schedules_take(struct schedules *schedules, uint64_t now_us)
{
    return __real_schedules_take(schedules, now_us + EARLY_US);
}

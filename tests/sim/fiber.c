#include "fiber.h"

#if defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif

#ifdef WATCHED
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

void
fiber_init(struct fiber *fiber, void *stack, size_t stack_size)
{
    *fiber = (struct fiber){.stack = stack, .stack_size = stack_size};
#ifdef WATCHED
    ASAN_UNPOISON_MEMORY_REGION(stack, stack_size);
#endif
}

void
fiber_leave(struct fiber *from, const struct fiber *to)
{
#ifdef WATCHED
    __sanitizer_start_switch_fiber(from == NULL ? NULL : &from->frames,
                                   to->stack, to->stack_size);
#else
    (void)from;
    (void)to;
#endif
}

void
fiber_arrive(const struct fiber *self, struct fiber *home)
{
#ifdef WATCHED
    const void *stack;
    size_t stack_size;

    __sanitizer_finish_switch_fiber(self->frames, &stack, &stack_size);
    if (home != NULL) {
        home->stack = stack;
        home->stack_size = stack_size;
    }
#else
    (void)self;
    (void)home;
#endif
}

/* Tells the address sanitizer, where there is one, that the program goes on
 * with another stack: it knows of one for each thread, and takes what lies on
 * another for the remains of something. Without it nothing is done here.
 *
 * Of a frame that another stack is left from, it forgets what lies between its
 * variables; it finds all else.
 */

#ifndef ACTA_SIM_FIBER_H
#define ACTA_SIM_FIBER_H

#include <stddef.h>

struct fiber {
    const void *stack; /* Its lowest byte. */
    size_t stack_size;
    void *frames; /* The sanitizer's own, while another one runs. */
};

/* One begins on a stack that may have been another's. */
void fiber_init(struct fiber *fiber, void *stack, size_t stack_size);

/* The next jump leads to @to. @from comes back; NULL: who runs does not. */
void fiber_leave(struct fiber *from, const struct fiber *to);

/* The first thing that is done behind the jump. With @home not NULL, whose
 * stack is the system's, its fields are set to what was left.
 */
void fiber_arrive(const struct fiber *self, struct fiber *home);

#endif

/* Payments of orders: the process manager that tests are written with. Amounts
 * are the data of events and commands, in figures.
 *
 *     OrderPlaced AMOUNT      of order-KEY: starts; asks for the amount by the
 *                             command RequestPayment, with a deadline
 *     PaymentReceived AMOUNT  with the tag order:KEY: when all is received, the
 *                             deadline is cancelled, and it ends
 *     OrderCancelled          of order-KEY: ends
 *     PaymentLate             the deadline: sends CancelOrder, and ends
 *     Reminder                another deadline: sends Remind
 *     Nudged KEY              of any stream: what the test says
 */

#ifndef ACTA_TEST_PAYMENTS_H
#define ACTA_TEST_PAYMENTS_H

#include <acta/acta_process.h>
#include <stdatomic.h>

struct payment {
    long asked;
    long received;
    char *memory; /* owned: memory that the state has allocated. */
};

/* States that were made and not freed yet. */
extern atomic_int payments_states;

/* So long after the order; 3600000 unless a test says otherwise. */
extern uint64_t payments_late_ms;

/* What comes of Nudged. NULL: nothing does. */
extern acta_react_fn *payments_nudge;

/* Called in each reaction, before it reacts. NULL: nothing is. */
extern void (*payments_before_reacting)(void);

/* The caller's to free. */
struct acta_process *payments_new(void);

#endif

/* Accounts that cannot be overdrawn: the decider that tests are written with.
 * Amounts are the data of commands and events, in figures.
 *
 *     Open  Deposit AMOUNT  Withdraw AMOUNT  Close
 */

#ifndef ACTA_TEST_BANK_H
#define ACTA_TEST_BANK_H

#include <acta/acta_decider.h>

struct account {
    bool is_open;
    long cents;
    unsigned events; /* Folded. */
    char *owner;     /* owned: memory that the state has allocated. */
};

/* States that were made and not freed yet. */
extern int bank_states;

/* Functions called when a command is decided, before it is: for what happens
 * in between. NULL: nothing does.
 */
extern void (*bank_before_deciding)(void);

/* The caller's to free. Snapshots are kept every @every events with @schema; 0:
 * none are. @upcasters may be NULL.
 */
struct acta_decider *bank_decider_new(uint64_t every, uint64_t schema,
                                      const struct acta_upcasters *upcasters);

#endif

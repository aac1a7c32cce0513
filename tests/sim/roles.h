/* What clients do, until trouble is over and all is done that they began. */

#ifndef ACTA_SIM_ROLES_H
#define ACTA_SIM_ROLES_H

#include "oracle.h"
#include "party.h"

/* Until when roles begin new things. */
void roles_end(uint64_t time_ns);
bool roles_go_on(void);

/* Send @append, which @attempt is, until its outcome is known. */
void role_append(struct party *party, struct attempt *attempt,
                 const struct acta_append *append);

/* Appends, in all ways, and reads what it wrote. */
void role_writer(struct party *party);

#endif

/* What is hidden and erased of the streams that are pruned, each by one client
 * alone: what may be so, since it was asked for, and what is, since the answer
 * came. What is hidden never comes back.
 */

#ifndef ACTA_SIM_PRUNE_H
#define ACTA_SIM_PRUNE_H

#include <acta/acta_event.h>
#include <stdbool.h>
#include <stdint.h>

/* Versions below @before are to be hidden; and are. */
void prune_hide(unsigned stream, uint64_t before);
void prune_hidden(unsigned stream, uint64_t before);

/* Its events will be hidden as they grow older, nobody knows when. */
void prune_fade(unsigned stream);
bool prune_fades(unsigned stream);

/* These versions are to be erased; and are. */
void prune_erase(unsigned stream, uint64_t first, uint64_t last);
void prune_erased(unsigned stream, uint64_t first, uint64_t last);

/* Of any stream: may this version be out of sight, or erased? */
bool prune_may_hide(unsigned stream, uint64_t version);
bool prune_may_erase(unsigned stream, uint64_t version);

/* The first version that is not hidden for sure. */
uint64_t prune_first(unsigned stream);

/* Who began to read when all that was asked for was done is shown @event, of
 * @stream.
 */
void prune_check(unsigned stream, const struct acta_event *event);

#endif

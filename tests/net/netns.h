/* A network of the test's own: a namespace in which there is loopback and
 * nothing else, whose packets are lost as the test says. It takes root, or user
 * namespaces, and nft(8).
 *
 * A process that entered it, and its children, see no other network.
 */

#ifndef ACTA_TEST_NETNS_H
#define ACTA_TEST_NETNS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this machine permits it; if not, why is printed. */
bool netns_is_possible(void);

/* Enter one. The process has no threads. */
void netns_enter(void);

/* Of TCP's packets lose @percent, at random. */
void netns_lose(unsigned percent);

/* Lose all packets but those from and to @port; 0: all. */
void netns_cut(unsigned port);

/* How many packets were lost since the last netns_lose() or netns_cut(). */
uint64_t netns_dropped(void);

/* Lose nothing any more. */
void netns_heal(void);

#endif

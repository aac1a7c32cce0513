/* Clients that append without a pause, and know up to which position what they
 * appended was acknowledged. Each is a thread of its own; what is left open by
 * a server that is killed is sent again.
 */

#ifndef ACTA_TEST_LOAD_H
#define ACTA_TEST_LOAD_H

#include <stdint.h>

struct load;

/* Start @clients of them at @url, which is borrowed. Whatever fails but a
 * server that is not there fails the test.
 */
struct load *load_start(const char *url, unsigned clients, uint64_t seed);

/* The highest position that any of them was told of. */
uint64_t load_acknowledged(struct load *load);

/* Let them end what they are at, wait for them, and free it. Returns how many
 * events were acknowledged.
 */
uint64_t load_stop(struct load *load);

#endif

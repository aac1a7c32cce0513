/* Writes down everything that is stored, and has tests/check/check.py judge
 * what clients wrote down.
 */

#ifndef ACTA_TEST_DUMP_H
#define ACTA_TEST_DUMP_H

#include <stdbool.h>
#include <stdint.h>

struct wire;

/* Read all events of the server at @url into @dir/dump-@number.log, and, if
 * @lists, also each stream, type and tag, forward and backward. Returns the
 * head. What cannot be read fails the test.
 */
uint64_t dump(const char *url, const char *dir, unsigned number, bool lists);

/* The same over a connection, without lists. The server must be up. */
void dump_by_wire(struct wire *wire, const char *dir, unsigned number);

/* Run the checker over @dir, print what it says, and return its exit code. */
int check_history(const char *dir);

/* The same, where the checker cannot tell if one of its counts is 0 of those in
 * @wanted: "refused,repeated".
 */
int check_history_with(const char *dir, const char *wanted);

/* The same for a control: whether it objects, and says that @promise is broken.
 * A checker that cannot tell has found nothing.
 */
bool check_finds(const char *dir, const char *promise);

#endif

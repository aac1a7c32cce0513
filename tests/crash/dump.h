/* Writes down everything that is stored, as a history for check.py. */

#ifndef ACTA_TEST_DUMP_H
#define ACTA_TEST_DUMP_H

#include <stdbool.h>
#include <stdint.h>

/* Read all events of the server at @url into @dir/dump-@number.log, and, if
 * @lists, also each stream, type and tag, forward and backward. Returns the
 * head. What cannot be read fails the test.
 */
uint64_t dump(const char *url, const char *dir, unsigned number, bool lists);

/* Run the checker over @dir, print its line, and return its exit code. */
int check_history(const char *dir);

/* The same with another checker of tests/check: "check_leases". */
int check_notes(const char *checker, const char *dir);

#endif

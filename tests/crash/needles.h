/* Events that can be found again in the files of a server: each has its number
 * in its data, as a text that occurs nowhere else. All are in one stream, so
 * that number, version and position are the same.
 */

#ifndef ACTA_TEST_NEEDLES_H
#define ACTA_TEST_NEEDLES_H

#include <acta/acta_sync.h>
#include <stddef.h>
#include <stdint.h>

#define NEEDLES_STREAM "order-1"

/* Connect; what fails, fails the test. */
struct acta_sync *needles_connect(const char *url);

/* Append number @from to @to, one at a time, with @size bytes of data each. */
void needles_append(struct acta_sync *sync, uint64_t from, uint64_t to,
                    size_t size);

/* Read one. Its data, if any comes, must be what was sent. */
enum acta_code needles_read(struct acta_sync *sync, uint64_t number,
                            struct acta_err *err);

/* Read number 1 to @to, which must all be there, and the last ones. */
void needles_check(struct acta_sync *sync, uint64_t to);

/* Wait until the store has all up to @number. */
void needles_await_stored(struct acta_sync *sync, uint64_t number);

/* Change one byte of needle @number wherever it is in the file @path, and
 * return how often that was. *@offset is that of the last one.
 */
unsigned needles_damage(const char *path, uint64_t number, size_t *offset);

/* Undo needles_damage(): the same byte is changed back. */
void needles_repair(const char *path, size_t offset);

#endif

/* UUIDs: RFC 9562. They are 16 bytes, compared with memcmp(). Any thread. */

#ifndef ACTA_UUID_H
#define ACTA_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

#define UUID_SIZE      16
#define UUID_TEXT_SIZE 37 /* 36 characters and the end of the string. */

struct uuid {
    uint8_t bytes[UUID_SIZE];
};

/* What makes version 7 ids of one source grow, also within a millisecond: one
 * per thread, all zero at the start.
 */
struct uuid_source {
    uint64_t last_ms;
    uint16_t counter;
};

/* Make a version 7 id from the time and 10 random bytes. Ids of one source are
 * ordered as they were made: the 12 bits behind the time count up (RFC 9562,
 * 6.2, method 1), and the time is moved on by a millisecond when they overflow
 * or the clock goes back.
 */
void uuid_v7(struct uuid *uuid, struct uuid_source *source, uint64_t now_ms,
             const uint8_t random[static 10]);

/* Make a version 8 id out of @digest, of which it keeps 122 bits: for ids that
 * have to come out the same every time.
 */
void uuid_v8(struct uuid *uuid, const uint8_t digest[static UUID_SIZE]);

/* "0190163d-8694-739b-aea5-966c26f8ad91" */
void uuid_format(const uint8_t bytes[static UUID_SIZE],
                 char text[static UUID_TEXT_SIZE]);

/* Read the text form, in either case. False if it is none. */
bool uuid_parse(struct uuid *uuid, struct slice text);

#endif

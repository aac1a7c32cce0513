/* A client that appends for as long as it is let, and writes down what it sent
 * and was told: one event and many, to one stream and several, expecting any
 * version, some version, or one that another client may have taken meanwhile.
 *
 * What may have been done is mostly sent again, and sometimes left open; what
 * was done is now and then sent again too, and read. Each appender runs in a
 * thread of its own.
 */

#ifndef ACTA_TEST_APPENDER_H
#define ACTA_TEST_APPENDER_H

#include <stdint.h>

struct appender;

/* Start the appender @number; its history is in @dir. Arguments are copied. */
struct appender *appender_start(const char *url, const char *dir,
                                unsigned number, uint64_t seed);

/* Let all appenders that are running end what they are at and stop. */
void appenders_stop(void);

/* Wait for its end, which appenders_stop() brings about, and free it. */
void appender_join(struct appender *appender);

#endif

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

struct appender_options {
    const char *url;
    const char *dir; /* For its history. */
    unsigned number; /* Of the history. */
    uint64_t seed;
    /* How long it waits for a connection, and for a word on it, before it gives
     * that up; 0: as long as the library does.
     */
    unsigned patience_ms;
};

/* Start one. Arguments are copied. */
struct appender *appender_start(const struct appender_options *options);

/* Have @told called for each answer that an appender has got and written down:
 * it is the @answer-th, from 1, of the appender @number. From several threads.
 * To be set while none is running.
 */
void appenders_tell(void (*told)(unsigned number, uint64_t answer));

/* Let all appenders that are running end what they are at and stop. */
void appenders_stop(void);

/* Wait for its end, which appenders_stop() brings about, and free it. */
void appender_join(struct appender *appender);

#endif

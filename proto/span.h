/* Spans of time, as errors tell them. Any thread. */

#ifndef ACTA_SPAN_H
#define ACTA_SPAN_H

#include <stdint.h>

#define SPAN_SIZE 32

/* "0.999 ms", "86400 s": milliseconds below a second, to the microsecond. */
void span_format(uint64_t us, char text[static SPAN_SIZE]);

#endif

/* What went wrong, in a form that a program can act on and a person can read.
 *
 * A function that can fail returns an enum acta_code and takes a struct
 * acta_err as its last argument. The place that detects the failure fills it
 * in with acta_fail(); callers on the way up may put what they were doing in
 * front with acta_wrap(). The caller owns the struct, usually on its stack,
 * and may pass NULL when the code says enough. Any thread.
 */

#ifndef ACTA_ERR_H
#define ACTA_ERR_H

#define ACTA_CHECKED           __attribute__((warn_unused_result))
#define ACTA_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#include "codes.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acta_err {
    enum acta_code code;
    char text[240]; /* "read snapshot: open /srv/acta: permission denied" */
};

/* Describe a failure and return @code, so that one line can do both:
 *
 *     return acta_fail(err, ACTA_INVALID, "stream name is %zu bytes", size);
 */
ACTA_API enum acta_code acta_fail(struct acta_err *err, enum acta_code code,
                                  const char *fmt, ...) ACTA_PRINTF(3, 4);

/* Put "@fmt: " in front of the text and return @code, which must be the code
 * that @err has.
 */
ACTA_API enum acta_code acta_wrap(struct acta_err *err, enum acta_code code,
                                  const char *fmt, ...) ACTA_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif

#endif

/* What assertions of Check are made of, for targets that use parts of the tests
 * outside of a test: one that fails aborts, one that holds costs nothing.
 */

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
_mark_point(const char *file, int line)
{
    (void)file;
    (void)line;
}

void
_ck_assert_failed(const char *file, int line, const char *expr, const char *msg,
                  ...)
{
    va_list args;

    fprintf(stderr, "%s:%d: %s: ", file, line, expr);
    if (msg != NULL) {
        va_start(args, msg);
        vfprintf(stderr, msg, args);
        va_end(args);
    }
    fprintf(stderr, "\n");
    abort();
}

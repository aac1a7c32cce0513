/* An assertion for the inside of loops: ck_assert() tells the process that runs
 * the tests of every success, which takes longer than most things that are
 * looked at.
 */

#ifndef ACTA_TEST_REQUIRE_H
#define ACTA_TEST_REQUIRE_H

#include <check.h>

#define require(condition)                                                     \
    do {                                                                       \
        if (!(condition)) {                                                    \
            ck_abort_msg("not so: %s", #condition);                            \
        }                                                                      \
    } while (0)

#endif

/* What the main() of every test does, and where things are. */

#ifndef ACTA_TEST_RUN_H
#define ACTA_TEST_RUN_H

#include <check.h>

/* What main() returns for a test that cannot run here; print why before. */
#define RUN_SKIPPED 77

/* Run one list of tests and free it. Returns what main() returns. */
int run_suite(Suite *suite);

/* @name below the root of the sources, or of the build, in memory that the
 * next call overwrites: run_source("proto/vectors/append.hex"),
 * run_build("server/actad").
 */
const char *run_source(const char *name);
const char *run_build(const char *name);

/* A file of real data, which lies beside the sources, in ../shared/data. NULL
 * if it is not there, after printing so: then skip.
 */
const char *run_data(const char *name);

#endif

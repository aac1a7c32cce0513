/* actad verify: prints what is whole in the database of a data directory that
 * no server uses, and each thing that is not.
 */

#ifndef ACTA_VERIFY_COMMAND_H
#define ACTA_VERIFY_COMMAND_H

#include <stdio.h>

#include "err.h"

#define VERIFY_USAGE "actad verify [--json] DIR"

/* Run it with the arguments behind "verify", and print to @out.
 *
 * OK        The database is whole.
 * CORRUPT   It is not; all is said.
 * INVALID   The arguments are wrong.
 * others    As of verify_database(): what could be said of it is.
 */
enum acta_code verify_command(int argc, char **argv, FILE *out,
                              struct acta_err *err) ACTA_CHECKED;

#endif

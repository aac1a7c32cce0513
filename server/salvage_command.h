/* actad salvage: makes a new data directory of what can be read of a damaged
 * one that no server uses, and prints what cannot.
 */

#ifndef ACTA_SALVAGE_COMMAND_H
#define ACTA_SALVAGE_COMMAND_H

#include <stdio.h>

#include "err.h"

#define SALVAGE_USAGE "actad salvage [--json] DIR NEWDIR"

/* Run it with the arguments behind "salvage", and print to @out.
 *
 * OK        The new database has all that the damaged one had.
 * CORRUPT   It is there, and lacks something; all is said.
 * INVALID   The arguments are wrong.
 * others    As of salvage(): there is no new database.
 */
enum acta_code salvage_command(int argc, char **argv, FILE *out,
                               struct acta_err *err) ACTA_CHECKED;

#endif

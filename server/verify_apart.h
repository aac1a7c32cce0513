/* Verifying in a process of its own. Files are mapped: a page that the disk
 * does not give, or a file that is cut short meanwhile, ends who reads it with
 * SIGBUS. That, and whatever else ends this process, is then a problem like
 * others.
 */

#ifndef ACTA_VERIFY_APART_H
#define ACTA_VERIFY_APART_H

#include "verify.h"

/* As verify_database(): @options' functions are called in this process. For one
 * that has no other threads, since it forks. IO also if someone has ended the
 * other process.
 */
enum acta_code verify_apart(const struct verify_options *options,
                            struct verify_report *report,
                            struct acta_err *err) ACTA_CHECKED;

#endif

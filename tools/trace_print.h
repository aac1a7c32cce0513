/* A trace as it is printed, to stdout: for people, for programs, and for
 * Graphviz. One thread.
 */

#ifndef ACTA_TRACE_PRINT_H
#define ACTA_TRACE_PRINT_H

#include "cmd.h"
#include "trace.h"

/* A row a node, effects below and behind their cause. */
void trace_print_text(const struct cli *cli, const struct trace *trace);

/* An object a line, a node each, in the order of trace_next(). */
void trace_print_json(const struct cli *cli, const struct trace *trace);

/* A graph for dot: arrows go from cause to effect. */
void trace_print_dot(const struct cli *cli, const struct trace *trace);

#endif

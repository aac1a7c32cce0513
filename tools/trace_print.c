#include "trace_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "out_json.h"
#include "out_text.h"
#include "table.h"
#include "when.h"

/* Effects further down than this are not moved further to the right: a chain of
 * a thousand would print half a million blanks.
 */
#define DEPTH_SHOWN_MAX 24

/* Bytes of what stands in front of an effect's name: three characters a level,
 * of which one may be of three bytes, and the depth.
 */
#define BRANCH_SIZE (DEPTH_SHOWN_MAX * 9 + 32)

/* ---- for people ---- */

static const struct table_column columns[] = {
    {"EVENT", false}, {"STREAM", false}, {"POSITION", true},
    {"AFTER", true},  {"TIME", false},
};

static const char *
kind_text(enum trace_kind kind)
{
    switch (kind) {
    case TRACE_EVENT:
        return "event";
    case TRACE_COMMAND:
        return "command";
    case TRACE_UNKNOWN:
        break;
    }
    return "unknown";
}

/* "│  ├─ " for the effect of an effect: from the last level backward, whether
 * there is more to come on each says the cause on it.
 */
static void
describe_branch(const struct trace *trace, size_t at, char branch[BRANCH_SIZE])
{
    size_t depth = trace->nodes[at].depth;
    const char *levels[DEPTH_SHOWN_MAX];
    size_t count = depth < DEPTH_SHOWN_MAX ? depth : DEPTH_SHOWN_MAX;
    size_t used = 0;

    for (size_t i = count; i > 0; i--) {
        bool goes_on = trace->nodes[at].next != TRACE_NONE;

        if (i == count) {
            levels[i - 1] = goes_on ? "├─ " : "└─ ";
        } else {
            levels[i - 1] = goes_on ? "│  " : "   ";
        }
        at = trace->nodes[at].cause;
    }
    branch[0] = '\0';
    if (count < depth) {
        used = (size_t)snprintf(branch, BRANCH_SIZE, "(%zu) ", depth);
    }
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(branch + used, BRANCH_SIZE - used, "%s",
                                 levels[i]);
    }
}

static void
describe_delay(const struct trace *trace, size_t at, char text[WHEN_SIZE + 1])
{
    int64_t delay_us;

    text[0] = '\0';
    if (trace_delay(trace, at, &delay_us)) {
        text[0] = delay_us < 0 ? '-' : '+';
        when_format_delay((uint64_t)(delay_us < 0 ? -delay_us : delay_us),
                          text + 1);
    }
}

static void
add_row(const struct trace *trace, size_t at, struct table *table)
{
    const struct trace_node *node = &trace->nodes[at];
    const char *asked = node->is_asked ? "  <-" : "";
    char id[ACTA_ID_TEXT_SIZE];
    char branch[BRANCH_SIZE];
    char delay[WHEN_SIZE + 1];
    char time[OUT_TIME_SIZE];

    describe_branch(trace, at, branch);
    table_row(table, columns, sizeof(columns) / sizeof(columns[0]));
    if (node->kind != TRACE_EVENT) {
        acta_id_format(&node->id, id);
        table_cell(table, "%s(%s)%s", branch, kind_text(node->kind), asked);
        table_cell(table, "%s", "");
        table_cell(table, "%s", "");
        table_cell(table, "%s", "");
        table_cell(table, "%s", id);
        return;
    }
    describe_delay(trace, at, delay);
    out_time_short(node->time_us, time);
    table_cell(table, "%s%s%s%s", branch, node->type,
               node->is_cut ? "  (circle)" : "", asked);
    table_cell(table, "%s@%" PRIu64, node->stream, node->version);
    table_cell(table, "%" PRIu64, node->position);
    table_cell(table, "%s", delay);
    table_cell(table, "%s", time);
}

void
trace_print_text(const struct cli *cli, const struct trace *trace)
{
    struct table table;

    table_init(&table);
    for (size_t at = trace->first; at != TRACE_NONE;
         at = trace_next(trace, at)) {
        add_row(trace, at, &table);
    }
    table_print(&table, dim(cli), plain(cli));
    table_fini(&table);
}

/* ---- for programs ---- */

static void
print_object(const struct trace *trace, const struct trace_node *node,
             size_t at)
{
    int64_t delay_us;

    printf("{\"depth\":%zu,\"kind\":\"%s\"", node->depth,
           kind_text(node->kind));
    if (node->kind == TRACE_EVENT) {
        fputs(",\"stream\":", stdout);
        json_put_text(stdout, node->stream);
        printf(",\"version\":%" PRIu64 ",\"position\":%" PRIu64, node->version,
               node->position);
        json_put_time(stdout, "time", node->time_us);
        fputs(",\"type\":", stdout);
        json_put_text(stdout, node->type);
    }
    json_put_id(stdout, "id", &node->id);
    json_put_id(stdout, "correlation_id",
                node->has_correlation ? &node->correlation_id : NULL);
    json_put_id(stdout, "causation_id",
                node->has_causation ? &node->causation_id : NULL);
    if (trace_delay(trace, at, &delay_us)) {
        printf(",\"cause_position\":%" PRIu64 ",\"delay_us\":%" PRId64,
               trace->nodes[node->cause].position, delay_us);
    }
    printf(",\"asked\":%s,\"circle\":%s}\n", node->is_asked ? "true" : "false",
           node->is_cut ? "true" : "false");
}

void
trace_print_json(const struct cli *cli, const struct trace *trace)
{
    (void)cli;
    for (size_t at = trace->first; at != TRACE_NONE;
         at = trace_next(trace, at)) {
        print_object(trace, &trace->nodes[at], at);
    }
}

/* ---- for Graphviz ---- */

/* In its quotes a quote and a backslash are escaped, and nothing else is. */
static void
put_label(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            putchar('\\');
        }
        putchar(*text);
    }
}

static void
print_node(const struct trace_node *node, size_t at)
{
    char text[ACTA_ID_TEXT_SIZE];
    char time[OUT_TIME_SIZE];

    printf("    n%zu [label=\"", at);
    if (node->kind == TRACE_EVENT) {
        out_time_short(node->time_us, time);
        put_label(node->type);
        fputs("\\n", stdout);
        put_label(node->stream);
        printf("@%" PRIu64 "\\n%s\"", node->version, time);
    } else {
        acta_id_format(&node->id, text);
        printf("%s\\n%s\", style=dashed", kind_text(node->kind), text);
    }
    printf("%s];\n", node->is_asked ? ", penwidth=2" : "");
}

void
trace_print_dot(const struct cli *cli, const struct trace *trace)
{
    char delay[WHEN_SIZE + 1];

    (void)cli;
    puts("digraph trace {\n    rankdir=LR;\n    node [shape=box];");
    for (size_t at = trace->first; at != TRACE_NONE;
         at = trace_next(trace, at)) {
        const struct trace_node *node = &trace->nodes[at];

        print_node(node, at);
        if (node->cause != TRACE_NONE) {
            describe_delay(trace, at, delay);
            printf("    n%zu -> n%zu [label=\"%s\"];\n", node->cause, at,
                   delay);
        }
    }
    puts("}");
}

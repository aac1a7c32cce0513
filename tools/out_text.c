#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "data_text.h"
#include "json.h"
#include "out.h"
#include "out_named.h"
#include "out_text.h"
#include "when.h"

void
out_time_short(uint64_t time_us, char text[OUT_TIME_SIZE])
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm tm;
    size_t used;

    gmtime_r(&seconds, &tm);
    used = strftime(text, OUT_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
    snprintf(text + used, OUT_TIME_SIZE - used, ".%03u",
             (unsigned)(time_us / 1000 % 1000));
}

const char *
out_state(enum acta_stream_state state)
{
    switch (state) {
    case ACTA_STREAM_LIVE:
        return "live";
    case ACTA_STREAM_DELETED:
        return "deleted";
    case ACTA_STREAM_TOMBSTONED:
        return "tombstoned";
    }
    return "unknown";
}

/* Metadata has no format of its own: mostly it is JSON. */
static enum acta_format
metadata_format(struct slice metadata)
{
    return json_is_value(metadata) ? ACTA_FORMAT_JSON : ACTA_FORMAT_BINARY;
}

/* ---- events ---- */

/* One of many: a line of its own, then its data. */
static void
print_event(const struct cli *cli, const struct acta_event *event)
{
    struct slice data = slice_make(event->data, event->data_size);
    char time[OUT_TIME_SIZE];

    out_time_short(event->time_us, time);
    printf("%s%7" PRIu64 "  %s%s  %s@%" PRIu64 "  %s%s%s%s", dim(cli),
           event->position, time, plain(cli), event->stream, event->version,
           bold(cli), cyan(cli), event->type, plain(cli));
    for (size_t i = 0; i < event->tags_count; i++) {
        printf("%s%s#%s%s", i == 0 ? "  " : " ", dim(cli), event->tags[i],
               plain(cli));
    }
    if (event->format == ACTA_FORMAT_ERASED) {
        printf("  %s(erased)%s", dim(cli), plain(cli));
    }
    putchar('\n');
    data_text_print(stdout, data, event->format, 9, cli->color);
}

static void
print_id_row(const struct cli *cli, const char *name, const struct acta_id *id)
{
    char text[ACTA_ID_TEXT_SIZE];

    if (id != NULL) {
        acta_id_format(id, text);
        printf("%s%-12s%s  %s\n", dim(cli), name, plain(cli), text);
    }
}

/* The only one: everything that it has. */
static void
print_single(const struct cli *cli, const struct acta_event *event)
{
    struct slice metadata = slice_make(event->metadata, event->metadata_size);
    struct slice data = slice_make(event->data, event->data_size);
    char time[OUT_TIME_SIZE];

    out_time(event->time_us, time);
    printf("%s%s%s%s\n", bold(cli), cyan(cli), event->type, plain(cli));
    printf("%sstream%s        %s\n", dim(cli), plain(cli), event->stream);
    printf("%sversion%s       %" PRIu64 "\n", dim(cli), plain(cli),
           event->version);
    printf("%sposition%s      %" PRIu64 "\n", dim(cli), plain(cli),
           event->position);
    printf("%stime%s          %s\n", dim(cli), plain(cli), time);
    print_id_row(cli, "id", event->id);
    print_id_row(cli, "correlation", event->correlation_id);
    print_id_row(cli, "causation", event->causation_id);
    for (size_t i = 0; i < event->tags_count; i++) {
        printf("%s%-12s%s  %s\n", dim(cli), i == 0 ? "tags" : "", plain(cli),
               event->tags[i]);
    }
    if (metadata.size > 0) {
        printf("%smetadata%s\n", dim(cli), plain(cli));
        data_text_print(stdout, metadata, metadata_format(metadata), 2,
                        cli->color);
    }
    if (event->format == ACTA_FORMAT_ERASED) {
        printf("%sdata%s          erased\n", dim(cli), plain(cli));
    }
    if (data.size > 0) {
        printf("%sdata%s\n", dim(cli), plain(cli));
        data_text_print(stdout, data, event->format, 2, cli->color);
    }
}

/* ---- all else ---- */

static void
print_appended(const struct cli *cli, const struct out_appended *what)
{
    char id[ACTA_ID_TEXT_SIZE];

    acta_id_format(what->id, id);
    printf("%s@%" PRIu64 "  position %" PRIu64 "  id %s  %.2f ms%s\n",
           what->stream, what->version, what->position, id,
           (double)what->took_us / 1000,
           what->repeated ? "  (was stored before)" : "");
    (void)cli;
}

static void
print_changed(const struct cli *cli, const struct out_changed *what)
{
    (void)cli;
    printf("%s\n", what->text);
}

static void
print_stream(const struct cli *cli, const struct acta_stream *stream)
{
    char time[OUT_TIME_SIZE];

    out_time_short(stream->last_time_us, time);
    printf("%10" PRIu64 "  %s%s%s  %s", stream->version, dim(cli), time,
           plain(cli), stream->name);
    if (stream->state != ACTA_STREAM_LIVE) {
        printf("  %s(%s)%s", dim(cli), out_state(stream->state), plain(cli));
    }
    putchar('\n');
}

void
out_row(const struct cli *cli, const char *name, const char *fmt, ...)
{
    va_list args;

    printf("%s%-15s%s  ", dim(cli), name, plain(cli));
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    putchar('\n');
}

static void
print_events_row(const struct cli *cli,
                 const struct acta_description *description)
{
    uint64_t first = description->first_version;
    uint64_t version = description->stream->version;

    if (first > version) {
        out_row(cli, "to be read", "nothing");
    } else {
        out_row(cli, "to be read", "version %" PRIu64 " to %" PRIu64, first,
                version);
    }
}

static void
print_settings(const struct cli *cli, const struct acta_stream *stream)
{
    char age[WHEN_SIZE];

    if (stream->truncate_before > 0) {
        out_row(cli, "truncate before", "%" PRIu64, stream->truncate_before);
    }
    if (stream->max_count > 0) {
        out_row(cli, "max count", "%" PRIu64, stream->max_count);
    }
    if (stream->max_age_us > 0) {
        when_format_span(stream->max_age_us, age);
        out_row(cli, "max age", "%s", age);
    }
}

static void
print_description(const struct cli *cli,
                  const struct acta_description *description)
{
    const struct acta_stream *stream = description->stream;
    char time[OUT_TIME_SIZE];

    printf("%s%s%s\n", bold(cli), stream->name, plain(cli));
    out_row(cli, "state", "%s", out_state(stream->state));
    out_row(cli, "version", "%" PRIu64, stream->version);
    if (stream->version > 0) {
        print_events_row(cli, description);
        out_time(stream->first_time_us, time);
        out_row(cli, "first event", "%s", time);
        out_time(stream->last_time_us, time);
        out_row(cli, "last event", "%s", time);
        out_row(cli, "last position", "%" PRIu64, stream->last_position);
    }
    print_settings(cli, stream);
}

static void
print_name(const struct cli *cli, const struct acta_name *name)
{
    char first[OUT_TIME_SIZE];
    char last[OUT_TIME_SIZE];

    out_time_short(name->first_time_us, first);
    out_time_short(name->last_time_us, last);
    printf("%10" PRIu64 "  %s%s  %s%s  %s\n", name->count, dim(cli), first,
           last, plain(cli), name->name);
}

static const char *
unit_of(const char *name)
{
    size_t size = strlen(name);

    if (size > 5 && strcmp(name + size - 5, "_size") == 0) {
        return "B";
    }
    if (strcmp(name, "database.disk_free") == 0 ||
        strncmp(name, "server.bytes", 12) == 0) {
        return "B";
    }
    return "";
}

void
out_digits(uint64_t number, char text[OUT_DIGITS_SIZE])
{
    char digits[OUT_DIGITS_SIZE];
    int size = snprintf(digits, sizeof(digits), "%" PRIu64, number);

    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0) {
            *text++ = ',';
        }
        *text++ = digits[i];
    }
    *text = '\0';
}

/* "1,234,567", or with a unit of bytes "1.2 MiB". */
static void
print_number(uint64_t number, const char *unit)
{
    static const char *const prefixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi"};
    double amount = (double)number;
    char digits[OUT_DIGITS_SIZE];
    size_t prefix = 0;

    if (*unit != '\0') {
        while (amount >= 1024 && prefix < 5) {
            amount /= 1024;
            prefix++;
        }
        printf("%.*f %s%s", prefix == 0 ? 0 : 1, amount, prefixes[prefix],
               unit);
        return;
    }
    out_digits(number, digits);
    fputs(digits, stdout);
}

/* Names are GROUP.NAME; each group has its headline. */
static void
print_status(const struct cli *cli, const struct acta_server *server,
             const struct acta_status *status)
{
    const char *group = "";
    size_t group_size = 0;

    printf("acta %s at %s, database %s, head %" PRIu64 "\n", server->version,
           cli->options.url, server->database, server->head);
    for (size_t i = 0; i < status->entries_count; i++) {
        const struct acta_status_entry *entry = status->entries[i];
        size_t size = strcspn(entry->name, ".");
        const char *name = entry->name + size + (entry->name[size] == '.');

        if (size != group_size || strncmp(group, entry->name, size) != 0) {
            group = entry->name;
            group_size = size;
            printf("\n%s%.*s%s\n", bold(cli), (int)size, group, plain(cli));
        }
        printf("  %s%-20s%s  ", dim(cli), name, plain(cli));
        if (entry->text != NULL) {
            fputs(entry->text, stdout);
        } else {
            print_number(entry->number, unit_of(entry->name));
        }
        putchar('\n');
    }
}

static void
print_ping(const struct cli *cli, const struct out_ping *ping)
{
    printf("%s: up, head %" PRIu64 ", round trip ", cli->options.url,
           ping->head);
    if (ping->count == 1) {
        printf("%.3f ms\n", (double)ping->p50_us / 1000);
        return;
    }
    printf("min %.3f  p50 %.3f  p90 %.3f  p99 %.3f  max %.3f ms of %" PRIu64
           "\n",
           (double)ping->min_us / 1000, (double)ping->p50_us / 1000,
           (double)ping->p90_us / 1000, (double)ping->p99_us / 1000,
           (double)ping->max_us / 1000, ping->count);
}

static void
print_counted(const struct cli *cli, const struct out_counted *counted)
{
    char first[OUT_TIME_SIZE];
    char last[OUT_TIME_SIZE];

    print_number(counted->events, "");
    printf(" %s, ", counted->events == 1 ? "event" : "events");
    print_number(counted->size, "B");
    putchar('\n');
    if (counted->events > 0) {
        out_time_short(counted->first_time_us, first);
        out_time_short(counted->last_time_us, last);
        out_row(cli, "first", "position %" PRIu64 "  %s",
                counted->first_position, first);
        out_row(cli, "last", "position %" PRIu64 "  %s", counted->last_position,
                last);
    }
}

static void
print_code(const struct cli *cli, enum acta_code code)
{
    printf("%4d  %s%-15s%s  %-7s  %4d  %s\n", (int)code, bold(cli),
           acta_code_name(code), plain(cli),
           acta_remedy_name(acta_code_remedy(code)), cli_exit_code(code),
           acta_code_text(code));
}

const struct out_format out_text = {
    .event = print_event,
    .single = print_single,
    .appended = print_appended,
    .changed = print_changed,
    .stream = print_stream,
    .description = print_description,
    .name = print_name,
    .status = print_status,
    .ping = print_ping,
    .counted = print_counted,
    .code = print_code,
    .named = &out_named_text,
};

/* One object a line. An event is printed with the fields that acta import
 * takes, so that what is exported can be imported.
 *
 * Data that is JSON goes out as it is stored, byte for byte. What cannot stand
 * in a line that way, since it is no JSON, or has line breaks or white space
 * around it, goes out as data_base64, with its format named.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base64.h"
#include "cmd.h"
#include "json.h"
#include "out.h"
#include "out_json.h"
#include "out_named.h"

void
out_time(uint64_t time_us, char text[OUT_TIME_SIZE])
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm tm;
    size_t used;

    gmtime_r(&seconds, &tm);
    used = strftime(text, OUT_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + used, OUT_TIME_SIZE - used, ".%06uZ",
             (unsigned)(time_us % 1000000));
}

void
json_put_text(FILE *out, const char *text)
{
    json_write_string(out, slice_of(text));
}

void
json_put_id(FILE *out, const char *name, const struct acta_id *id)
{
    char text[ACTA_ID_TEXT_SIZE];

    if (id != NULL) {
        acta_id_format(id, text);
        fprintf(out, ",\"%s\":\"%s\"", name, text);
    }
}

void
json_put_time(FILE *out, const char *name, uint64_t time_us)
{
    char text[OUT_TIME_SIZE];

    out_time(time_us, text);
    fprintf(out, ",\"%s\":\"%s\"", name, text);
}

bool
json_fits_in_line(struct slice bytes)
{
    return bytes.size > 0 && memchr(bytes.data, '\n', bytes.size) == NULL &&
           memchr(bytes.data, '\r', bytes.size) == NULL && json_is_value(bytes);
}

void
json_put_bytes(FILE *out, const char *name, struct slice bytes, bool as_json)
{
    if (as_json) {
        fprintf(out, ",\"%s\":", name);
        fwrite(bytes.data, 1, bytes.size, out);
        return;
    }
    fprintf(out, ",\"%s_base64\":\"", name);
    base64_write(out, bytes);
    fputc('"', out);
}

static void
put_data(FILE *out, const struct acta_event *event)
{
    static const char *const formats[] = {
        [ACTA_FORMAT_BINARY] = "binary",
        [ACTA_FORMAT_JSON] = "json",
        [ACTA_FORMAT_MSGPACK] = "msgpack",
    };
    struct slice metadata = slice_make(event->metadata, event->metadata_size);
    struct slice data = slice_make(event->data, event->data_size);
    bool as_json = event->format == ACTA_FORMAT_JSON && json_fits_in_line(data);

    if (event->format == ACTA_FORMAT_ERASED) {
        fputs(",\"format\":\"erased\"", out);
        return;
    }
    if (metadata.size > 0) {
        json_put_bytes(out, "metadata", metadata, json_fits_in_line(metadata));
    }
    if (!as_json) {
        fprintf(out, ",\"format\":\"%s\"", formats[event->format]);
    }
    json_put_bytes(out, "data", data, as_json);
}

void
json_put_event(FILE *out, const struct acta_event *event)
{
    fputs("{\"stream\":", out);
    json_put_text(out, event->stream);
    fprintf(out, ",\"version\":%" PRIu64 ",\"position\":%" PRIu64,
            event->version, event->position);
    json_put_time(out, "time", event->time_us);
    fputs(",\"type\":", out);
    json_put_text(out, event->type);
    json_put_id(out, "id", event->id);
    json_put_id(out, "correlation_id", event->correlation_id);
    json_put_id(out, "causation_id", event->causation_id);
    if (event->tags_count > 0) {
        fputs(",\"tags\":[", out);
        for (size_t i = 0; i < event->tags_count; i++) {
            fputs(i == 0 ? "" : ",", out);
            json_put_text(out, event->tags[i]);
        }
        fputc(']', out);
    }
    put_data(out, event);
    fputc('}', out);
}

void
out_event_line(FILE *out, const struct acta_event *event)
{
    json_put_event(out, event);
    fputc('\n', out);
}

static void
print_event(const struct cli *cli, const struct acta_event *event)
{
    (void)cli;
    out_event_line(stdout, event);
}

static void
print_appended(const struct cli *cli, const struct out_appended *what)
{
    (void)cli;
    fputs("{\"stream\":", stdout);
    json_put_text(stdout, what->stream);
    printf(",\"version\":%" PRIu64 ",\"position\":%" PRIu64, what->version,
           what->position);
    json_put_id(stdout, "id", what->id);
    printf(",\"repeated\":%s,\"took_us\":%" PRIu64 "}\n",
           what->repeated ? "true" : "false", what->took_us);
}

static void
print_changed(const struct cli *cli, const struct out_changed *what)
{
    (void)cli;
    fputs("{\"stream\":", stdout);
    json_put_text(stdout, what->stream);
    printf(",\"version\":%" PRIu64 ",\"head\":%" PRIu64 ",\"changed\":%s}\n",
           what->version, what->position, what->changed ? "true" : "false");
}

/* What streams and a description have in common, without the end. */
static void
put_stream(const struct acta_stream *stream)
{
    fputs("{\"stream\":", stdout);
    json_put_text(stdout, stream->name);
    printf(",\"state\":\"%s\",\"version\":%" PRIu64
           ",\"last_position\":%" PRIu64,
           out_state(stream->state), stream->version, stream->last_position);
    if (stream->version > 0) {
        json_put_time(stdout, "first_time", stream->first_time_us);
        json_put_time(stdout, "last_time", stream->last_time_us);
    }
    printf(",\"truncate_before\":%" PRIu64 ",\"max_count\":%" PRIu64
           ",\"max_age_us\":%" PRIu64,
           stream->truncate_before, stream->max_count, stream->max_age_us);
}

static void
print_stream(const struct cli *cli, const struct acta_stream *stream)
{
    (void)cli;
    put_stream(stream);
    puts("}");
}

static void
print_description(const struct cli *cli,
                  const struct acta_description *description)
{
    (void)cli;
    put_stream(description->stream);
    printf(",\"first_version\":%" PRIu64 "}\n", description->first_version);
}

static void
print_name(const struct cli *cli, const struct acta_name *name)
{
    (void)cli;
    fputs("{\"name\":", stdout);
    json_put_text(stdout, name->name);
    printf(",\"count\":%" PRIu64 ",\"last_position\":%" PRIu64, name->count,
           name->last_position);
    json_put_time(stdout, "first_time", name->first_time_us);
    json_put_time(stdout, "last_time", name->last_time_us);
    puts("}");
}

static void
print_status(const struct cli *cli, const struct acta_server *server,
             const struct acta_status *status)
{
    (void)cli;
    (void)server;
    putchar('{');
    for (size_t i = 0; i < status->entries_count; i++) {
        const struct acta_status_entry *entry = status->entries[i];

        fputs(i == 0 ? "" : ",", stdout);
        json_put_text(stdout, entry->name);
        putchar(':');
        if (entry->text != NULL) {
            json_put_text(stdout, entry->text);
        } else {
            printf("%" PRIu64, entry->number);
        }
    }
    puts("}");
}

static void
print_ping(const struct cli *cli, const struct out_ping *ping)
{
    (void)cli;
    printf("{\"head\":%" PRIu64 ",\"count\":%" PRIu64 ",\"min_us\":%" PRIu64
           ",\"p50_us\":%" PRIu64 ",\"p90_us\":%" PRIu64 ",\"p99_us\":%" PRIu64
           ",\"max_us\":%" PRIu64 "}\n",
           ping->head, ping->count, ping->min_us, ping->p50_us, ping->p90_us,
           ping->p99_us, ping->max_us);
}

static void
print_counted(const struct cli *cli, const struct out_counted *counted)
{
    (void)cli;
    printf("{\"events\":%" PRIu64 ",\"size\":%" PRIu64, counted->events,
           counted->size);
    if (counted->events > 0) {
        printf(",\"first_position\":%" PRIu64 ",\"last_position\":%" PRIu64,
               counted->first_position, counted->last_position);
        json_put_time(stdout, "first_time", counted->first_time_us);
        json_put_time(stdout, "last_time", counted->last_time_us);
    }
    puts("}");
}

static void
print_code(const struct cli *cli, enum acta_code code)
{
    (void)cli;
    printf("{\"code\":%d,\"name\":\"%s\",\"remedy\":\"%s\",\"exit\":%d,"
           "\"text\":",
           (int)code, acta_code_name(code),
           acta_remedy_name(acta_code_remedy(code)), cli_exit_code(code));
    json_put_text(stdout, acta_code_text(code));
    puts("}");
}

const struct out_format out_json = {
    .event = print_event,
    .single = print_event,
    .appended = print_appended,
    .changed = print_changed,
    .stream = print_stream,
    .description = print_description,
    .name = print_name,
    .status = print_status,
    .ping = print_ping,
    .counted = print_counted,
    .code = print_code,
    .named = &out_named_json,
};

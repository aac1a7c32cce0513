/* projection: read models that programs keep, by the notes that these make on
 * their consumers. A note is one JSON object: see client/service, which makes
 * it. Consumers whose note is none are not listed.
 */

#include <acta/acta_consumer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "json.h"
#include "listing.h"
#include "out_text.h"

#define TEXT_SIZE 1100 /* A note has less. */

/* What a note says, as far as it is shown. */
struct told {
    bool is_projection; /* It is the note of one. */
    char state[32];
    uint64_t events;
    uint64_t parked;
    uint64_t errors;
    bool has_error;
    uint64_t error_position;
    char error_text[TEXT_SIZE];
    uint64_t progress; /* With progress_of = 0 there is none. */
    uint64_t progress_of;
    uint64_t left_ms;
};

/* ---- reading notes ---- */

static uint64_t
number_of(struct slice value)
{
    return json_kind(value) == JSON_NUMBER
               ? strtoull((const char *)value.data, NULL, 10)
               : 0;
}

/* Keys come with their quotes. */
static bool
is_key(struct slice key, const char *name)
{
    return key.size == strlen(name) + 2 &&
           memcmp(key.data + 1, name, key.size - 2) == 0;
}

static void
take_text(char *to, size_t size, struct slice value)
{
    if (json_kind(value) == JSON_STRING && value.size < size) {
        json_decode_string(value, to);
    }
}

/* Take what a member says, if it is known. */
typedef void take_member(struct told *told, struct slice key,
                         struct slice value);

/* Go through a checked object. */
static void
read_members(struct told *told, struct slice object, take_member *take)
{
    struct slice key, value;
    struct json json;

    json_init(&json, object);
    json_open(&json, JSON_OBJECT);
    for (bool first = true; json_member(&json, first, &key, &value);
         first = false) {
        take(told, key, value);
    }
}

static void
take_error(struct told *told, struct slice key, struct slice value)
{
    if (is_key(key, "position")) {
        told->error_position = number_of(value);
    } else if (is_key(key, "text")) {
        take_text(told->error_text, sizeof(told->error_text), value);
    }
}

static void
take_progress(struct told *told, struct slice key, struct slice value)
{
    if (is_key(key, "position")) {
        told->progress = number_of(value);
    } else if (is_key(key, "of")) {
        told->progress_of = number_of(value);
    } else if (is_key(key, "left_ms")) {
        told->left_ms = number_of(value);
    }
}

static void
take_note(struct told *told, struct slice key, struct slice value)
{
    if (is_key(key, "projection")) {
        told->is_projection = true;
    } else if (is_key(key, "state")) {
        take_text(told->state, sizeof(told->state), value);
    } else if (is_key(key, "events")) {
        told->events = number_of(value);
    } else if (is_key(key, "parked")) {
        told->parked = number_of(value);
    } else if (is_key(key, "errors")) {
        told->errors = number_of(value);
    } else if (is_key(key, "error")) {
        told->has_error = true;
        read_members(told, value, take_error);
    } else if (is_key(key, "progress")) {
        read_members(told, value, take_progress);
    }
}

/* False if it is not the note of a projection. */
static bool
read_note(struct told *told, const char *note)
{
    struct slice text = slice_of(note);

    memset(told, 0, sizeof(*told));
    if (!json_is_value(text) || json_kind(text) != JSON_OBJECT) {
        return false;
    }
    read_members(told, text, take_note);
    return told->is_projection && told->state[0] != '\0';
}

/* ---- printing ---- */

/* What it says it is, unless its program has gone without saying so. */
static const char *
state_of(const struct acta_consumer *consumer, const struct told *told)
{
    return consumer->connected == 0 && strcmp(told->state, "stopped") != 0
               ? "gone"
               : told->state;
}

static void
print_row(struct table *table, const struct acta_consumer *consumer,
          const struct told *told)
{
    static const struct table_column columns[] = {
        {"PROJECTION", false}, {"STATE", false}, {"AT", true},
        {"BEHIND", true},      {"EVENTS", true}, {"PARKED", true},
        {"ERRORS", true},      {"NOTE", false},
    };
    const uint64_t numbers[] = {consumer->position, consumer->lag_events,
                                told->events, told->parked, told->errors};

    table_row(table, columns, sizeof(columns) / sizeof(columns[0]));
    table_cell(table, "%s", consumer->name);
    table_cell(table, "%s", state_of(consumer, told));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char digits[OUT_DIGITS_SIZE];

        out_digits(numbers[i], digits);
        table_cell(table, "%s", digits);
    }
    if (told->progress_of > 0) {
        table_cell(table, "%" PRIu64 "%%, %" PRIu64 " s left",
                   (uint64_t)(100.0 * (double)told->progress /
                              (double)told->progress_of),
                   told->left_ms / 1000);
    } else if (told->has_error) {
        table_cell(table, "%" PRIu64 ": %s", told->error_position,
                   told->error_text);
    } else {
        table_cell(table, "%s", "");
    }
}

/* The note is JSON already. */
static void
print_object(const struct acta_consumer *consumer, const struct told *told)
{
    fputs("{\"name\":", stdout);
    json_write_string(stdout, slice_of(consumer->name));
    fputs(",\"state\":", stdout);
    json_write_string(stdout, slice_of(state_of(consumer, told)));
    printf(",\"position\":%" PRIu64 ",\"head\":%" PRIu64
           ",\"lag_events\":%" PRIu64 ",\"lag_us\":%" PRIu64
           ",\"connected\":%" PRIu64 ",\"note\":%s}\n",
           consumer->position, consumer->head, consumer->lag_events,
           consumer->lag_us, consumer->connected, consumer->note);
}

static enum acta_code
print_page(struct cli *cli, struct listing *listing, struct acta_err *err)
{
    const struct acta_consumers *page;
    enum acta_code code = acta_sync_list_consumers(
        cli->sync, listing->prefix, listing_after(listing), 0, &page, err);

    if (code != ACTA_OK) {
        return code;
    }
    for (size_t i = 0; i < page->consumers_count; i++) {
        const struct acta_consumer *consumer = page->consumers[i];
        uint64_t count_left = listing->count_max;
        struct told told;

        listing_passed(listing, consumer->name);
        if (!read_note(&told, consumer->note)) {
            listing->count_max = count_left; /* It was passed over. */
            continue;
        }
        if (cli->json) {
            print_object(consumer, &told);
        } else {
            print_row(&listing->table, consumer, &told);
        }
        if (listing->count_max == 0) {
            break;
        }
    }
    listing->at_end = page->at_end;
    return ACTA_OK;
}

static int
cmd_ls(struct cli *cli, int argc, char **argv)
{
    return listing_command(cli, argc, argv, "read models", print_page);
}

const struct cmd projection_verbs[] = {
    {"projection ls", "[PREFIX]", "list them: state, lag, the last error",
     "One that is gone has ended without saying so: nobody follows as its\n"
     "consumer. Projections that share events as a group are not among these:\n"
     "acta consumer ls has them.\n"
     "\n" LISTING_HELP,
     cmd_ls, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

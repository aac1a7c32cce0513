/* An answer is valid until the next request, and to tell what was found takes
 * requests: so the reasons are copied first. Unseen events are printed while
 * they are valid, before anything is asked.
 */

#include "refusal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "out.h"
#include "when.h"

#define FOUND_SIZE    512
#define FAILURES_KEPT 100

/* ---- what was found ---- */

/* What a stream is at: "version 3 (last event ...)". */
static void
describe_stream(struct cli *cli, const char *stream, uint64_t version,
                char text[static FOUND_SIZE])
{
    const struct acta_description *description;
    const struct acta_event *event;
    enum acta_stream_state state = ACTA_STREAM_LIVE;
    char id[ACTA_ID_TEXT_SIZE];
    char age[WHEN_SIZE];

    if (acta_sync_describe_stream(cli->sync, stream, &description, NULL) ==
        ACTA_OK) {
        state = description->stream->state;
    }
    if (state == ACTA_STREAM_TOMBSTONED) {
        snprintf(text, FOUND_SIZE, "a tombstone at version %" PRIu64, version);
    } else if (state == ACTA_STREAM_DELETED) {
        snprintf(text, FOUND_SIZE, "it deleted at version %" PRIu64, version);
    } else if (version == 0) {
        snprintf(text, FOUND_SIZE, "no events");
    } else if (acta_sync_read_version(cli->sync, stream, version, &event,
                                      NULL) != ACTA_OK) {
        snprintf(text, FOUND_SIZE, "version %" PRIu64, version);
    } else {
        acta_id_format(event->id, id);
        when_format_age(event->time_us, age);
        snprintf(text, FOUND_SIZE,
                 "version %" PRIu64 " (last event %s %s, id %s)", version,
                 event->type, age, id);
    }
}

static void
tell_version(struct cli *cli, const char *stream, int64_t expected,
             uint64_t actual)
{
    char found[FOUND_SIZE];

    describe_stream(cli, stream, actual, found);
    if (expected == ACTA_EXPECT_EXISTS) {
        cli_error(ACTA_CONFLICT, "%s: expected the stream to exist, found %s",
                  stream, found);
    } else if (expected == ACTA_EXPECT_ANY) {
        cli_error(ACTA_CONFLICT, "%s: found %s", stream, found);
    } else {
        cli_error(ACTA_CONFLICT, "%s: expected version %" PRId64 ", found %s",
                  stream, expected, found);
    }
}

/* ---- to programs ---- */

/* A version as lines of import have it. */
static void
put_expected(FILE *out, int64_t expected)
{
    if (expected == ACTA_EXPECT_ANY) {
        fputs("\"any\"", out);
    } else if (expected == ACTA_EXPECT_EXISTS) {
        fputs("\"exists\"", out);
    } else {
        fprintf(out, "%" PRId64, expected);
    }
}

/* What a failure is about, and what kind of thing that is. */
struct subject {
    const char *kind; /* Of failure. */
    const char *noun;
    const char *name;
};

static struct subject
subject_of(const struct refusal_of *of, const struct acta_failure *failure)
{
    const struct terms *terms = of->terms;
    size_t i = failure->index;

    switch (failure->kind) {
    case ACTA_FAILED_CHECK:
        return (struct subject){"check", "stream", terms->checks[i].stream};
    case ACTA_FAILED_CONDITION:
        return (struct subject){"condition", "query",
                                terms->conditions[i].text};
    case ACTA_FAILED_CHECKPOINT:
        return (struct subject){"checkpoint", "consumer",
                                terms->checkpoints[i].consumer};
    case ACTA_FAILED_LEASE:
        return (struct subject){"lease", "lease", terms->leases[i].name};
    case ACTA_FAILED_SCHEDULE:
        return (struct subject){"schedule", "schedule", of->schedule};
    case ACTA_FAILED_SNAPSHOT:
        return (struct subject){"snapshot", "stream", of->snapshot};
    case ACTA_FAILED_EVENT:
        return (struct subject){"event", "stream", of->streams[i]};
    case ACTA_FAILED_WRITE:
        break;
    }
    return (struct subject){"write", "stream", of->streams[i]};
}

static void
put_failure(FILE *out, const struct refusal_of *of,
            const struct acta_failure *failure)
{
    struct subject subject = subject_of(of, failure);

    fprintf(out, "{\"kind\":\"%s\",\"index\":%zu,\"%s\":", subject.kind,
            failure->index, subject.noun);
    json_write_string(out, slice_of(subject.name));
    if (failure->kind == ACTA_FAILED_EVENT) {
        fprintf(out, ",\"event\":%zu", failure->event);
    } else if (failure->kind != ACTA_FAILED_SCHEDULE) {
        fputs(",\"expected\":", out);
        put_expected(out, failure->expected);
    }
    fprintf(out, ",\"actual\":%" PRIu64 "}", failure->actual);
}

static void
tell_program(const struct refusal_of *of, const struct acta_failure *failures,
             size_t count, const struct acta_err *err)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (out != NULL) {
        for (size_t i = 0; i < count; i++) {
            fputs(i == 0 ? "[" : ",", out);
            put_failure(out, of, &failures[i]);
        }
        fputc(']', out);
        fclose(out);
    }
    cli_error_failures(err, text);
}

/* ---- a change ---- */

static void
tell_change_conflict(struct cli *cli, const char *stream, int64_t expected,
                     uint64_t actual, const struct acta_err *err)
{
    struct refusal_of of = {.streams = &stream, .writes = 1};
    struct acta_failure failure = {
        .kind = ACTA_FAILED_WRITE,
        .expected = expected,
        .actual = actual,
    };

    if (cli->json) {
        tell_program(&of, &failure, 1, err);
    } else {
        tell_version(cli, stream, expected, actual);
    }
    cli_hint("look at it with acta stream show, decide again, and expect what "
             "it is at");
}

int
refusal_tell_change(struct cli *cli, const char *stream, int64_t expected,
                    const struct acta_err *err)
{
    const struct acta_description *description;

    switch ((int)err->code) {
    case ACTA_NOT_FOUND:
    case ACTA_TOMBSTONED:
        return cli_fail(NULL, err); /* It names the stream itself. */
    case ACTA_CONFLICT:
        if (acta_sync_describe_stream(cli->sync, stream, &description, NULL) ==
            ACTA_OK) {
            tell_change_conflict(cli, stream, expected,
                                 description->stream->version, err);
            return EXIT_CONFLICT;
        }
        break;
    default:
        break;
    }
    return cli_fail(stream, err);
}

/* ---- reasons ---- */

static void
tell_condition(struct cli *cli, const struct terms_condition *condition,
               uint64_t position)
{
    struct acta_read read = acta_read_of_query(NULL);
    const struct acta_page *page;

    read.from = position - 1;
    read.events_max = 1;
    if (acta_sync_read(cli->sync, &read, &page, NULL) == ACTA_OK &&
        page->events_count > 0 && page->events[0]->position == position) {
        const struct acta_event *event = page->events[0];

        cli_error(ACTA_CONFLICT,
                  "--if-none '%s': position %" PRIu64 " has %s in %s@%" PRIu64,
                  condition->text, position, event->type, event->stream,
                  event->version);
    } else {
        cli_error(ACTA_CONFLICT,
                  "--if-none '%s': the event at position %" PRIu64 " matches",
                  condition->text, position);
    }
}

/* What a server says is checked before it is looked up. */
static bool
is_about(const struct refusal_of *of, const struct acta_failure *failure)
{
    switch (failure->kind) {
    case ACTA_FAILED_CHECK:
        return failure->index < of->terms->checks_count;
    case ACTA_FAILED_CONDITION:
        return failure->index < of->terms->conditions_count;
    case ACTA_FAILED_WRITE:
    case ACTA_FAILED_EVENT:
        return failure->index < of->writes;
    case ACTA_FAILED_CHECKPOINT:
        return failure->index < of->terms->checkpoints_count;
    case ACTA_FAILED_LEASE:
        return failure->index < of->terms->leases_count;
    case ACTA_FAILED_SCHEDULE:
        return failure->index == 0 && of->schedule != NULL;
    case ACTA_FAILED_SNAPSHOT:
        return failure->index == 0 && of->snapshot != NULL;
    }
    return false;
}

static void
tell_checkpoint(const struct terms_checkpoint *checkpoint, uint64_t actual,
                enum acta_code code)
{
    if (code == ACTA_FENCED) {
        cli_error(code,
                  "consumer %s: epoch %" PRIu64
                  " is over: it was claimed by another, reset or removed",
                  checkpoint->consumer, checkpoint->epoch);
    } else {
        cli_error(code,
                  "consumer %s: its checkpoint is at position %" PRIu64
                  " and cannot be moved to %" PRIu64,
                  checkpoint->consumer, actual, checkpoint->to);
    }
}

static void
tell_lease(const struct terms_lease *lease, uint64_t actual)
{
    if (actual == 0) {
        cli_error(ACTA_FENCED, "lease %s: is not held any more", lease->name);
    } else {
        cli_error(ACTA_FENCED,
                  "lease %s: is held under fence %" PRIu64
                  ", and not any more under %" PRIu64,
                  lease->name, actual, lease->fence);
    }
}

static void
tell_failure(struct cli *cli, const struct refusal_of *of,
             const struct acta_failure *failure, enum acta_code code)
{
    const struct terms_condition *condition;

    switch (failure->kind) {
    case ACTA_FAILED_WRITE:
        tell_version(cli, of->streams[failure->index], failure->expected,
                     failure->actual);
        break;
    case ACTA_FAILED_CHECK:
        tell_version(cli, of->terms->checks[failure->index].stream,
                     failure->expected, failure->actual);
        break;
    case ACTA_FAILED_CONDITION:
        condition = &of->terms->conditions[failure->index];
        if (code == ACTA_UNDECIDED) {
            cli_error(
                code,
                "--if-none '%s': too many events to look at; none matches "
                "up to position %" PRIu64,
                condition->text, failure->actual);
        } else {
            tell_condition(cli, condition, failure->actual);
        }
        break;
    case ACTA_FAILED_EVENT:
        if (code == ACTA_ID_REUSED) {
            cli_error(code,
                      "%s: the id is that of version %" PRIu64
                      ", which has other content",
                      of->streams[failure->index], failure->actual);
        } else {
            cli_error(code,
                      "%s: event %zu is stored already, as version %" PRIu64,
                      of->streams[failure->index], failure->event + 1,
                      failure->actual);
        }
        break;
    case ACTA_FAILED_CHECKPOINT:
        tell_checkpoint(&of->terms->checkpoints[failure->index],
                        failure->actual, code);
        break;
    case ACTA_FAILED_LEASE:
        tell_lease(&of->terms->leases[failure->index], failure->actual);
        break;
    case ACTA_FAILED_SCHEDULE:
        cli_error(code,
                  "schedule %s: there is one of this name, with other events",
                  of->schedule);
        break;
    case ACTA_FAILED_SNAPSHOT:
        cli_error(code, "%s: has no such version", of->snapshot);
        break;
    }
}

/* A stream that is written in several places is in the way once. */
static bool
is_told(const struct refusal_of *of, const struct acta_failure *failures,
        size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (failures[i].kind == ACTA_FAILED_WRITE &&
            failures[index].kind == ACTA_FAILED_WRITE &&
            strcmp(of->streams[failures[i].index],
                   of->streams[failures[index].index]) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- what to do next ---- */

/* @known is up to where the unseen events are all, so that there is no need to
 * read; 0: nowhere.
 */
static void
hint_conflict(const struct refusal_of *of, const struct acta_failure *failure,
              size_t count, uint64_t known)
{
    if (failure->kind == ACTA_FAILED_CONDITION && known > 0) {
        cli_hint(
            "decide again with what was not seen, and give --after %" PRIu64,
            known);
    } else if (known > 0 && (failure->kind == ACTA_FAILED_CHECK || count > 1 ||
                             of->has_lines)) {
        cli_hint("decide again with what was not seen, and give position "
                 "%" PRIu64 " and the versions that were found; to retry the "
                 "same events safely keep their ids",
                 known);
    } else if (failure->kind == ACTA_FAILED_CONDITION) {
        cli_hint("read again with acta query, decide again, and give --after "
                 "the position that it tells");
    } else if (failure->kind == ACTA_FAILED_CHECK || count > 1 ||
               of->has_lines) {
        cli_hint("read again, decide again, and give the versions and "
                 "positions that were found then; to retry the same events "
                 "safely keep their ids");
    } else if (failure->expected == ACTA_EXPECT_EXISTS) {
        cli_hint("to begin it use --expect 0 or --expect any");
    } else {
        cli_hint("to append after it use --expect %" PRIu64
                 "; to retry the same event safely pass the same --id",
                 failure->actual);
    }
}

/* What helps against an effect that is in the way; false: that is none. */
static bool
hint_effect(const struct refusal_of *of, const struct acta_failure *failure)
{
    switch (failure->kind) {
    case ACTA_FAILED_CHECKPOINT:
        cli_hint("acta consumer show %s tells where it is",
                 of->terms->checkpoints[failure->index].consumer);
        return true;
    case ACTA_FAILED_SCHEDULE:
        cli_hint("to put this in its place, cancel it first: acta schedule "
                 "cancel %s",
                 of->schedule);
        return true;
    case ACTA_FAILED_SNAPSHOT:
        cli_hint("it is at version %" PRIu64, failure->actual);
        return true;
    case ACTA_FAILED_WRITE:
    case ACTA_FAILED_EVENT:
    case ACTA_FAILED_CHECK:
    case ACTA_FAILED_CONDITION:
    case ACTA_FAILED_LEASE:
        break;
    }
    return false;
}

static void
hint(const struct refusal_of *of, const struct acta_failure *failures,
     size_t count, uint64_t known, enum acta_code code)
{
    switch ((int)code) {
    case ACTA_CONFLICT:
        if (!hint_effect(of, &failures[0])) {
            hint_conflict(of, &failures[0], count, known);
        }
        break;
    case ACTA_UNDECIDED:
        cli_hint("read on from there with acta query, and give --after the "
                 "position that it tells");
        break;
    case ACTA_FENCED:
        cli_hint("another has taken over: what was decided under it is void");
        break;
    case ACTA_TOMBSTONED:
        cli_hint("a stream with a tombstone takes no event any more, for ever: "
                 "append to another one");
        break;
    case ACTA_ID_REUSED:
        cli_hint("every event needs an id of its own");
        break;
    case ACTA_PARTIAL_REPEAT:
        cli_hint("to retry an append send all its events again, in their "
                 "order; what is new goes into an append of its own");
        break;
    default:
        break;
    }
}

/* Data goes to stdout, what it is to stderr. Returns up to where they are all,
 * 0 if that is nowhere.
 */
static uint64_t
print_unseen(struct cli *cli, const struct acta_unseen *unseen)
{
    uint64_t known = unseen->complete ? unseen->head : 0;

    for (size_t i = 0; i < unseen->events_count; i++) {
        cli->out->event(cli, unseen->events[i]);
    }
    if (cli_flush() != EXIT_OK) {
        return 0;
    }
    if (cli->json) {
        cli_position(unseen->head, unseen->complete);
        return known;
    }
    cli_note(cli, "%zu %s not seen; %s position %" PRIu64, unseen->events_count,
             unseen->events_count == 1 ? "event was" : "events were",
             unseen->complete ? "this is all up to" : "there are more, up to",
             unseen->head);
    return known;
}

int
refusal_tell(struct cli *cli, const struct refusal_of *of,
             const struct acta_appended *appended, const struct acta_err *err)
{
    struct acta_failure failures[FAILURES_KEPT];
    size_t count = 0;
    uint64_t known = 0;

    for (size_t i = 0; i < appended->failures_count && count < FAILURES_KEPT;
         i++) {
        if (is_about(of, appended->failures[i])) {
            failures[count++] = *appended->failures[i];
        }
    }
    if (count == 0) {
        return cli_fail(NULL, err);
    }
    if (appended->unseen != NULL) {
        known = print_unseen(cli, appended->unseen);
    }
    if (cli->json) {
        tell_program(of, failures, count, err);
    }
    for (size_t i = 0; i < count && !cli->json; i++) {
        if (!is_told(of, failures, i)) {
            tell_failure(cli, of, &failures[i], err->code);
        }
    }
    hint(of, failures, count, known, err->code);
    return cli_exit_code(err->code);
}

/* What is told of a projector: a JSON object on its consumer, of 1,024 bytes at
 * most, which `acta projection ls` shows.
 */

#include <acta/acta_poll.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "name.h"
#include "projector.h"

#define NOTE_SIZE   1025
#define NAME_SIZE   256 /* Escaped, as the next two. */
#define STREAM_SIZE 256
#define TEXT_SIZE   256
#define REPLAY      "\"replaying_until\": "

static const char *const states[] = {
    [ACTA_PROJECTOR_STOPPED] = "stopped",
    [ACTA_PROJECTOR_STANDBY] = "standby",
    [ACTA_PROJECTOR_RUNNING] = "running",
    [ACTA_PROJECTOR_REBUILDING] = "rebuilding",
};

void
projector_json_text(char *to, size_t size, const char *text)
{
    bool is_text = name_is_lines(slice_of(text));
    size_t used = 0, whole = 0;

    for (; *text != '\0'; text++) {
        char c = *text;

        if (((unsigned char)c & 0xc0) != 0x80) {
            whole = used; /* A character of UTF-8 begins here. */
        }
        if (used + 2 >= size) {
            used = whole;
            break;
        }
        if (c == '"' || c == '\\') {
            to[used++] = '\\';
        }
        if ((unsigned char)c < 0x20) {
            c = ' ';
        } else if (!is_text && !(c >= ' ' && c <= '~')) {
            c = '?';
        }
        to[used++] = c;
    }
    to[used] = '\0';
}

/* Told behind one another, as far as there is room. */
struct note {
    char text[NOTE_SIZE];
    size_t size;
};

static void __attribute__((format(printf, 2, 3)))
tell(struct note *note, const char *format, ...)
{
    size_t left = sizeof(note->text) - note->size;
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(note->text + note->size, left, format, args);
    va_end(args);
    note->size += (size_t)size < left ? (size_t)size : left - 1;
}

static void
tell_error(struct note *note, const struct acta_projector *projector)
{
    char stream[STREAM_SIZE], text[TEXT_SIZE];

    projector_json_text(stream, sizeof(stream), projector->error_stream);
    projector_json_text(text, sizeof(text), projector->error_text);
    tell(note,
         ", \"error\": {\"position\": %" PRIu64
         ", \"stream\": \"%s\", \"text\": \"%s\"}",
         projector->status.error_position, stream, text);
}

static void
fill(struct note *note, const struct acta_projector *projector)
{
    const struct acta_projector_status *status = &projector->status;
    char name[NAME_SIZE];

    projector_json_text(name, sizeof(name), projector->projection->name);
    note->size = 0;
    tell(note, "{\"projection\": \"%s\", \"state\": \"%s\"", name,
         states[status->state]);
    tell(note,
         ", \"events\": %" PRIu64 ", \"skipped\": %" PRIu64
         ", \"parked\": %" PRIu64 ", \"errors\": %" PRIu64,
         status->handled, status->skipped, status->parked, status->errors);
    if (projector->goal > 0) {
        tell(note,
             ", \"progress\": {\"position\": %" PRIu64 ", \"of\": %" PRIu64
             ", \"left_ms\": %" PRIu64 "}",
             projector->position, projector->goal, status->left_ms);
    } else if (projector->replay_until > projector->position) {
        tell(note, ", " REPLAY "%" PRIu64, projector->replay_until);
    }
    if (status->errors > 0) {
        tell_error(note, projector);
    }
    tell(note, "}");
}

uint64_t
projector_noted_replay(const char *note)
{
    const char *at = strstr(note, REPLAY);

    return at == NULL ? 0 : strtoull(at + strlen(REPLAY), NULL, 10);
}

enum acta_code
projector_note(struct acta_projector *projector, struct acta_err *err)
{
    struct note note;
    struct acta_err why;
    enum acta_code code;

    projector->noted_ms = acta_poll_now_ms();
    projector->note_is_due = false;
    if (projector->epoch == 0) {
        return ACTA_OK;
    }
    fill(&note, projector);
    code = acta_sync_note_consumer(projector->sync, projector->consumer,
                                   projector->epoch, note.text, &why);
    if (code == ACTA_FENCED) {
        return acta_fail(err, code, "%s", why.text);
    }
    return ACTA_OK;
}

enum acta_code
projector_note_if_due(struct acta_projector *projector, struct acta_err *err)
{
    if (!projector->note_is_due ||
        acta_poll_now_ms() - projector->noted_ms < projector->options.note_ms) {
        return ACTA_OK;
    }
    return projector_note(projector, err);
}

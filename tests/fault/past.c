#include "past.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "work.h"

#define STREAMS_MAX 64
#define PATIENCE_MS 60000

/* ---- the script alone ---- */

struct model {
    struct {
        char name[32];
        uint64_t version;
    } streams[STREAMS_MAX];
    size_t streams_count;
    uint64_t position;
    const char *text; /* In which the events are looked for. */
    unsigned step;
    size_t found;
};

static uint64_t
next_version(struct model *model, const char *stream)
{
    size_t i = 0;

    while (i < model->streams_count &&
           strcmp(model->streams[i].name, stream) != 0) {
        i++;
    }
    if (i == model->streams_count) {
        ck_assert_uint_lt(i, STREAMS_MAX);
        snprintf(model->streams[i].name, sizeof(model->streams[i].name), "%s",
                 stream);
        model->streams_count++;
    }
    return ++model->streams[i].version;
}

/* It must be in the text, but for its time. */
static void
find_event(void *user, const struct script_event *event)
{
    struct model *model = user;
    uint64_t version = next_version(model, event->stream);
    char line[200];

    model->position++;
    if (!script_keeps(event->stream)) {
        return;
    }
    snprintf(line, sizeof(line),
             "event %" PRIu64 " %s %" PRIu64 " id %" PRIu64
             " data %zu %016" PRIx64 " time ",
             model->position, event->stream, version, event->id, event->size,
             event->sum);
    ck_assert_msg(strstr(model->text, line) != NULL, "step %u: there is no %s",
                  model->step, line);
}

/* The events of each step are in the texts from that step on, and the head says
 * that there are no others.
 */
static void
check_script(const struct past *past)
{
    struct model model = {.position = 0};

    for (unsigned step = 0; step <= SCRIPT_STEPS; step++) {
        char line[40];

        model.text = past->texts[step];
        model.step = step;
        if (step > 0) {
            script_events(step, find_event, &model);
        }
        snprintf(line, sizeof(line), "\nhead %" PRIu64 "\n", model.position);
        ck_assert_msg(strstr(model.text, line + (step == 0)) != NULL,
                      "step %u: its head is not %" PRIu64, step,
                      model.position);
    }
}

/* ---- making it ---- */

static char *
read_text(const char *path)
{
    FILE *file = fopen(path, "re");
    struct stat status;
    char *text;

    ck_assert_msg(file != NULL, "there is no %s", path);
    ck_assert_int_eq(fstat(fileno(file), &status), 0);
    text = malloc((size_t)status.st_size + 1);
    ck_assert_uint_eq(fread(text, 1, (size_t)status.st_size, file),
                      (size_t)status.st_size);
    text[status.st_size] = '\0';
    fclose(file);
    return text;
}

static void
read_cuts(struct past *past, const char *path)
{
    char *notes = read_text(path), *left = notes, *line;

    while ((line = strsep(&left, "\n")) != NULL) {
        unsigned step;
        int used;

        if (sscanf(line, "done %u%n", &step, &used) != 1) {
            continue;
        }
        for (char *at = line + used; *at != '\0';) {
            ck_assert_uint_lt(past->cuts_count[step], SCRIPT_JOBS);
            past->cuts[step][past->cuts_count[step]++] = strtoull(at, &at, 10);
        }
    }
    free(notes);
}

void
past_make(struct past *past, const char *dir)
{
    char path[400], notes[400], texts[400], said[400], text[500];
    struct work work = {
        .path = path,
        .notes = notes,
        .texts = texts,
        .from = 1,
        .to = SCRIPT_STEPS,
        .closes = true,
        .patience_ms = PATIENCE_MS,
        .said = said,
    };

    *past = (struct past){.texts = {NULL}};
    snprintf(path, sizeof(path), "%s/main", dir);
    snprintf(notes, sizeof(notes), "%s/notes", dir);
    snprintf(texts, sizeof(texts), "%s/texts", dir);
    snprintf(said, sizeof(said), "%s/said", dir);
    ck_assert_int_eq(mkdir(texts, 0700), 0);
    ck_assert_msg(work_run(&work) == 0, "%s", read_text(said));
    for (unsigned step = 0; step <= SCRIPT_STEPS; step++) {
        snprintf(text, sizeof(text), "%s/%u", texts, step);
        past->texts[step] = read_text(text);
    }
    read_cuts(past, notes);
    check_script(past);
}

void
past_free(struct past *past)
{
    for (unsigned step = 0; step <= SCRIPT_STEPS; step++) {
        free(past->texts[step]);
    }
}

/* ---- how far the work had come ---- */

void
progress_note(struct progress *progress, const char *line, size_t size)
{
    char copy[200];

    snprintf(copy, sizeof(copy), "%.*s", (int)size, line);
    if (sscanf(copy, "begin %u", &progress->begun) == 1) {
        progress->done = progress->begun - 1;
        progress->is_refused = false;
    } else if (strncmp(copy, "refused ", strlen("refused ")) == 0) {
        progress->is_refused = true;
    } else {
        ck_assert_int_eq(sscanf(copy, "done %u", &progress->done), 1);
    }
}

void
progress_read(struct progress *progress, const char *path)
{
    FILE *file = fopen(path, "re");
    char line[200];

    *progress = (struct progress){.done = 0};
    if (file == NULL) {
        return;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        progress_note(progress, line, strlen(line));
    }
    fclose(file);
}

/* ---- comparing ---- */

/* Is @text what there is after @step, but without the events behind @cut? */
static bool
is_cut(const char *text, const char *whole, uint64_t cut)
{
    char head[40];
    size_t size;

    snprintf(head, sizeof(head), "\nevent %" PRIu64 " ", cut + 1);
    size = (size_t)(strstr(whole, head) + 1 - whole);
    if (strncmp(text, whole, size) != 0) {
        return false;
    }
    snprintf(head, sizeof(head), "head %" PRIu64 "\n", cut);
    return strncmp(text + size, head, strlen(head)) == 0 &&
           strcmp(text + size + strlen(head),
                  strchr(strstr(whole, "\nhead ") + 1, '\n') + 1) == 0;
}

bool
past_allows(const struct past *past, const struct progress *progress,
            const char *text, unsigned *step)
{
    unsigned begun = progress->begun;

    *step = progress->done;
    if (strcmp(text, past->texts[progress->done]) == 0) {
        return true;
    }
    if (begun <= progress->done || progress->is_refused) {
        return false;
    }
    for (size_t i = 0; i < past->cuts_count[begun]; i++) {
        if (is_cut(text, past->texts[begun], past->cuts[begun][i])) {
            return true;
        }
    }
    *step = begun;
    return strcmp(text, past->texts[begun]) == 0;
}

void
past_compare(const struct past *past, unsigned step, const char *text, char *to,
             size_t size)
{
    const char *wanted = past->texts[step];
    size_t same = 0;

    for (size_t i = 0; text[i] != '\0' && text[i] == wanted[i]; i++) {
        same = text[i] == '\n' ? i + 1 : same;
    }
    snprintf(to, size, "got '%.*s', and '%.*s' was due after step %u",
             (int)strcspn(text + same, "\n"), text + same,
             (int)strcspn(wanted + same, "\n"), wanted + same, step);
}

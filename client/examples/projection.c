/* Counts events by type, for ever, and goes on where it was when it is started
 * again:
 *
 *     projection acta://127.0.0.1:2282 counts.txt
 *
 * The read model and the position up to which it is made are one file, that is
 * replaced at once: so they always belong together, and each event counts once
 * whatever is killed when.
 */

#include <acta/acta_sync.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define TYPES_MAX     1000
#define TYPE_SIZE_MAX 255

/* What was counted, up to a position. */
struct model {
    uint64_t position;
    size_t types_count;
    struct {
        char type[TYPE_SIZE_MAX + 1];
        uint64_t count;
    } types[TYPES_MAX + 1]; /* The last one: all others. */
};

static struct acta_follower *follower; /* For the signal handler. */

static void
count(struct model *model, const char *type)
{
    size_t i = 0;

    while (i < model->types_count && strcmp(model->types[i].type, type) != 0) {
        i++;
    }
    if (i == model->types_count && i < TYPES_MAX) {
        snprintf(model->types[i].type, sizeof(model->types[i].type), "%s",
                 type);
        model->types_count++;
    }
    model->types[i].count++;
}

/* A file that is not there is a model of nothing. */
static bool
load(struct model *model, const char *path)
{
    FILE *file = fopen(path, "r");
    bool good;

    memset(model, 0, sizeof(*model));
    if (file == NULL) {
        return true;
    }
    good = fscanf(file, "position %" SCNu64 "\n", &model->position) == 1;
    while (good && model->types_count < TYPES_MAX) {
        uint64_t count;
        char type[TYPE_SIZE_MAX + 1];
        int fields = fscanf(file, "%" SCNu64 " %255[^\n]\n", &count, type);

        if (fields == EOF) {
            break;
        }
        good = fields == 2;
        memcpy(model->types[model->types_count].type, type, sizeof(type));
        model->types[model->types_count++].count = count;
    }
    fclose(file);
    return good;
}

static bool
save(const struct model *model, const char *path)
{
    char aside[4096];
    FILE *file;
    bool good;

    snprintf(aside, sizeof(aside), "%s.new", path);
    file = fopen(aside, "w");
    if (file == NULL) {
        return false;
    }
    fprintf(file, "position %" PRIu64 "\n", model->position);
    for (size_t i = 0; i < model->types_count; i++) {
        fprintf(file, "%" PRIu64 " %s\n", model->types[i].count,
                model->types[i].type);
    }
    good = ferror(file) == 0;
    good = fclose(file) == 0 && good;
    return good && rename(aside, path) == 0;
}

static void
on_signal(int number)
{
    (void)number;
    acta_follower_interrupt(follower);
}

/* Follow until a signal comes. Saving is left until there is a pause in what
 * comes in, or much has come.
 */
static enum acta_code
follow(struct model *model, const char *path, struct acta_err *err)
{
    const struct acta_news *news;
    enum acta_code code;

    while ((code = acta_follower_next(follower, -1, &news, err)) == ACTA_OK) {
        for (size_t i = 0; i < news->events_count; i++) {
            count(model, news->events[i]->type);
        }
        model->position = news->position;
        if (!save(model, path)) {
            return acta_fail(err, ACTA_IO, "cannot write %s", path);
        }
        printf("position %" PRIu64 " of %" PRIu64 ", %zu types%s\n",
               news->position, news->head, model->types_count,
               news->live ? "" : ", catching up");
        fflush(stdout);
    }
    return code == ACTA_CANCELLED ? ACTA_OK : code;
}

int
main(int argc, char **argv)
{
    static struct model model;
    struct acta_sync *sync = NULL;
    struct acta_options options;
    struct acta_err err;
    enum acta_code code;

    if (argc != 3) {
        fprintf(stderr, "usage: %s acta://HOST:PORT FILE\n", argv[0]);
        return EXIT_FAILURE;
    }
    if (!load(&model, argv[2])) {
        fprintf(stderr, "%s: %s is not a file of counts\n", argv[0], argv[2]);
        return EXIT_FAILURE;
    }
    options = acta_options_of(argv[1]);
    options.name = "example projection";
    code = acta_sync_open(&sync, &options, &err);
    if (code == ACTA_OK) {
        code = acta_follower_open(&follower, sync, NULL, model.position, &err);
    }
    if (code == ACTA_OK) {
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        code = follow(&model, argv[2], &err);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
    }
    if (code != ACTA_OK) {
        fprintf(stderr, "%s: %s (%s)\n", argv[0], err.text,
                acta_code_name(code));
    }
    acta_sync_close(sync);
    return code == ACTA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

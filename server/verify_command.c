#include "verify_command.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "verify_apart.h"

#define DATABASE_NAME "main"

/* What LMDB has when there is next to nothing. */
#define MAP_SIZE_MIN (1 << 20)

struct command {
    FILE *out;
    bool is_json;
    char dir[FILE_PATH_MAX]; /* Of the database. */
    struct verify_report report;
    char told[FILE_PATH_MAX]; /* The file that problems were last told of. */
    unsigned told_count;
};

/* ---- arguments ---- */

static enum acta_code
take_arguments(struct command *command, int argc, char **argv,
               struct acta_err *err)
{
    const char *dir = NULL;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            command->is_json = true;
        } else if (*argv[i] == '-' || *argv[i] == '\0' || dir != NULL) {
            return acta_fail(err, ACTA_INVALID,
                             "unexpected argument \"%s\", usage: " VERIFY_USAGE,
                             argv[i]);
        } else {
            dir = argv[i];
        }
    }
    if (dir == NULL) {
        return acta_fail(err, ACTA_INVALID,
                         "verify needs a directory, usage: " VERIFY_USAGE);
    }
    return file_join(command->dir, dir, DATABASE_NAME, err);
}

/* Nothing is added, so its own size is enough for the store. */
static size_t
map_size_of(const char *dir)
{
    char path[FILE_PATH_MAX + sizeof("/store/data.mdb")];
    struct stat status;

    snprintf(path, sizeof(path), "%s/store/data.mdb", dir);
    return stat(path, &status) == 0 && status.st_size > MAP_SIZE_MIN
               ? (size_t)status.st_size
               : MAP_SIZE_MIN;
}

/* ---- texts ---- */

/* Names of streams are in texts, whole or damaged: only what is ASCII and can
 * be seen is printed as it is.
 */
static void
print_text(FILE *out, const char *text, bool is_json)
{
    for (; *text != '\0'; text++) {
        if (*text < ' ' || *text > '~') {
            fputc('?', out);
            continue;
        }
        if (is_json && (*text == '"' || *text == '\\')) {
            fputc('\\', out);
        }
        fputc(*text, out);
    }
}

static void
print_quoted(FILE *out, const char *text)
{
    fputc('"', out);
    print_text(out, text, true);
    fputc('"', out);
}

/* ---- problems, as they come ---- */

static void
print_problem_json(struct command *command, const char *text)
{
    fputs(command->told_count == 0 ? "{\"file\":" : ",{\"file\":",
          command->out);
    print_quoted(command->out, command->report.file);
    fputs(",\"text\":", command->out);
    print_quoted(command->out, text);
    fputc('}', command->out);
}

static void
print_problem_text(struct command *command, const char *text)
{
    if (strcmp(command->told, command->report.file) != 0) {
        strcpy(command->told, command->report.file);
        fputs("damage in ", command->out);
        print_text(command->out, command->told, false);
        fputs(":\n", command->out);
    }
    fputs("  ", command->out);
    print_text(command->out, text, false);
    fputc('\n', command->out);
}

static void
on_problem(void *user, const struct acta_err *what)
{
    struct command *command = user;

    if (command->is_json) {
        print_problem_json(command, what->text);
    } else {
        print_problem_text(command, what->text);
    }
    command->told_count++;
}

/* ---- the end ---- */

static void
print_end_json(const struct command *command, enum acta_code code,
               const struct acta_err *err)
{
    const struct verify_report *report = &command->report;

    fprintf(command->out,
            "],\"problems_count\":%" PRIu64 ",\"head\":%" PRIu64
            ",\"store\":{\"pages\":%" PRIu64 ",\"has_tables\":%s"
            ",\"events\":%" PRIu64 ",\"streams\":%" PRIu64 ",\"lists\":%" PRIu64
            ",\"ids\":%" PRIu64 ",\"rows\":%" PRIu64 "}",
            report->problems, report->head, report->pages,
            report->has_tables ? "true" : "false", report->events,
            report->streams, report->lists, report->ids, report->rows);
    fprintf(command->out,
            ",\"journal\":{\"segments\":%" PRIu64 ",\"entries\":%" PRIu64
            ",\"first_entry\":%" PRIu64 ",\"last_entry\":%" PRIu64 "}",
            report->segments, report->entries, report->first_entry,
            report->last_entry);
    if (code == ACTA_OK) {
        fprintf(command->out, ",\"whole\":%s}\n",
                report->problems == 0 ? "true" : "false");
        return;
    }
    fprintf(command->out,
            ",\"whole\":null,\"error\":{\"code\":\"%s\",\"text\":",
            acta_code_name(code));
    print_quoted(command->out, err->text);
    fputs("}}\n", command->out);
}

static void
print_end_text(const struct command *command)
{
    const struct verify_report *report = &command->report;
    FILE *out = command->out;

    fprintf(out, "store: pages %" PRIu64, report->pages);
    if (report->has_tables) {
        fprintf(out,
                ", events %" PRIu64 ", streams %" PRIu64 ", lists %" PRIu64
                ", ids %" PRIu64 ", rows %" PRIu64 "\n",
                report->events, report->streams, report->lists, report->ids,
                report->rows);
    } else {
        fputs("; what is in them was not looked at\n", out);
    }
    fprintf(out,
            "journal: segments %" PRIu64 ", whole entries %" PRIu64
            ", from %" PRIu64 " to %" PRIu64 "\n",
            report->segments, report->entries, report->first_entry,
            report->last_entry);
    print_text(out, command->dir, false);
    if (report->problems == 0) {
        fprintf(out, ": whole, positions 1 to %" PRIu64 "\n", report->head);
        return;
    }
    fprintf(out,
            ": DAMAGED, problems found: %" PRIu64 "\n"
            "Nothing was changed. Copy it away before anything else is "
            "tried.\n",
            report->problems);
}

static void
print_end(const struct command *command, enum acta_code code,
          const struct acta_err *err)
{
    if (command->is_json) {
        print_end_json(command, code, err);
    } else if (code == ACTA_OK) {
        print_end_text(command);
    }
}

enum acta_code
verify_command(int argc, char **argv, FILE *out, struct acta_err *err)
{
    static struct command command; /* Large. */
    struct verify_options options = {
        .dir = command.dir, .problem = on_problem, .user = &command};
    enum acta_code code;

    command = (struct command){.out = out};
    code = take_arguments(&command, argc, argv, err);
    if (code != ACTA_OK) {
        return code;
    }
    options.map_size = map_size_of(command.dir);
    if (command.is_json) {
        fputs("{\"database\":", out);
        print_quoted(out, command.dir);
        fputs(",\"problems\":[", out);
        fflush(out); /* Once, and not in two processes. */
    }
    code = verify_apart(&options, &command.report, err);
    print_end(&command, code, err);
    if (fflush(out) != 0 || ferror(out)) {
        return acta_fail(err, ACTA_IO, "what was found could not be printed");
    }
    return code == ACTA_OK && command.report.problems > 0
               ? acta_fail(err, ACTA_CORRUPT, "%s is damaged", command.dir)
               : code;
}

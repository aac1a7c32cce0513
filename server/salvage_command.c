#include "salvage_command.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "salvage.h"

#define DATABASE_NAME "main"
#define DIR_MODE      0700

struct command {
    FILE *out;
    bool is_json;
    const char *dir;
    const char *new_dir;
    char from[FILE_PATH_MAX]; /* Of the databases. */
    char to[FILE_PATH_MAX];
    uint64_t told;
};

static enum acta_code
take_arguments(struct command *command, int argc, char **argv,
               struct acta_err *err)
{
    const char *dirs[2];
    size_t count = 0;
    enum acta_code code;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            command->is_json = true;
        } else if (*argv[i] == '-' || *argv[i] == '\0' || count == 2) {
            return acta_fail(
                err, ACTA_INVALID,
                "unexpected argument \"%s\", usage: " SALVAGE_USAGE, argv[i]);
        } else {
            dirs[count++] = argv[i];
        }
    }
    if (count < 2) {
        return acta_fail(
            err, ACTA_INVALID,
            "salvage needs two directories, usage: " SALVAGE_USAGE);
    }
    command->dir = dirs[0];
    command->new_dir = dirs[1];
    code = file_join(command->from, dirs[0], DATABASE_NAME, err);
    return code == ACTA_OK ? file_join(command->to, dirs[1], DATABASE_NAME, err)
                           : code;
}

/* Only what is ASCII and can be seen is printed as it is. */
static void
print_text(struct command *command, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            fputc('?', command->out);
            continue;
        }
        if (command->is_json && (text[i] == '"' || text[i] == '\\')) {
            fputc('\\', command->out);
        }
        fputc(text[i], command->out);
    }
}

static void
print_slice(struct command *command, struct slice text)
{
    print_text(command, (const char *)text.data, text.size);
}

static void
on_lost(void *user, const struct salvage_lost *lost)
{
    struct command *command = user;

    if (command->is_json) {
        fprintf(command->out, "%s{\"position\":%" PRIu64 ",\"stream\":\"",
                command->told == 0 ? "" : ",", lost->position);
    } else {
        fprintf(command->out, "lost: position %" PRIu64 ": ", lost->position);
    }
    print_slice(command, lost->stream);
    fprintf(command->out,
            command->is_json ? "\",\"version\":%" PRIu64 ",\"type\":\""
                             : "@%" PRIu64 " ",
            lost->version);
    print_slice(command, lost->type);
    if (command->is_json) {
        fprintf(command->out, "\",\"known\":%s}",
                lost->is_known ? "true" : "false");
    } else {
        fputs(lost->is_known ? "\n" : " (its place is a guess)\n",
              command->out);
    }
    command->told++;
}

static void
on_note(void *user, const char *text)
{
    struct command *command = user;

    if (command->is_json) {
        fputs(command->told == 0 ? "{\"note\":\"" : ",{\"note\":\"",
              command->out);
        print_text(command, text, strlen(text));
        fputs("\"}", command->out);
    } else {
        fputs("note: ", command->out);
        print_text(command, text, strlen(text));
        fputc('\n', command->out);
    }
    command->told++;
}

static void
print_end(struct command *command, const struct salvage_report *report,
          enum acta_code code, const struct acta_err *err)
{
    bool is_complete = report->lost == 0 && report->notes == 0;

    if (!command->is_json && code == ACTA_OK) {
        fprintf(command->out,
                "events: whole %" PRIu64 ", swept before %" PRIu64
                ", lost %" PRIu64 "; rows %" PRIu64 "\n%s: positions 1 to "
                "%" PRIu64 "%s\n",
                report->events, report->swept, report->lost, report->rows,
                command->to, report->head,
                is_complete ? ", nothing is missing"
                            : "; what is missing is said above");
    }
    if (!command->is_json) {
        return;
    }
    fprintf(command->out,
            "],\"head\":%" PRIu64 ",\"events\":%" PRIu64 ",\"swept\":%" PRIu64
            ",\"lost\":%" PRIu64 ",\"rows\":%" PRIu64,
            report->head, report->events, report->swept, report->lost,
            report->rows);
    if (code == ACTA_OK) {
        fprintf(command->out, ",\"complete\":%s}\n",
                is_complete ? "true" : "false");
        return;
    }
    fprintf(command->out,
            ",\"complete\":null,\"error\":{\"code\":\"%s\","
            "\"text\":\"",
            acta_code_name(code));
    print_text(command, err->text, strlen(err->text));
    fputs("\"}}\n", command->out);
}

enum acta_code
salvage_command(int argc, char **argv, FILE *out, struct acta_err *err)
{
    static struct command command; /* Large. */
    struct salvage_options options = {.from = command.from,
                                      .to = command.to,
                                      .lost = on_lost,
                                      .note = on_note,
                                      .user = &command};
    struct salvage_report report = {0};
    enum acta_code code;

    command = (struct command){.out = out};
    code = take_arguments(&command, argc, argv, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (command.is_json) {
        fputs("{\"missing\":[", out);
    }
    code = file_make_dir(command.new_dir, DIR_MODE, err);
    if (code == ACTA_OK) {
        code = salvage(&options, &report, err);
    }
    print_end(&command, &report, code, err);
    if (fflush(out) != 0 || ferror(out)) {
        return acta_fail(err, ACTA_IO, "what was found could not be printed");
    }
    return code == ACTA_OK && (report.lost > 0 || report.notes > 0)
               ? acta_fail(err, ACTA_CORRUPT, "%s lacks something", command.to)
               : code;
}

#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define OPTION_SIZE 64

enum option_type { TYPE_NUMBER, TYPE_DURATION, TYPE_TEXT, TYPE_FLAG };

static const struct option_row {
    const char *name;
    enum option_type type;
    const char *preset;
    uint64_t least;
    uint64_t largest;
    unsigned workloads;
    const char *text;
} rows[OPTIONS_COUNT] = {
#define X(constant, name, type, preset, least, largest, workloads, text)       \
    {name, TYPE_##type, preset, least, largest, workloads, text},
    OPTIONS(X)
#undef X
};

/* What may stand behind a number, and what it multiplies it by. */
struct suffix {
    const char *text;
    uint64_t factor;
};

static const struct suffix counts[] = {
    {"", 1}, {"k", 1000}, {"M", 1000000}, {NULL, 0}};
static const struct suffix durations[] = {
    {"ms", 1}, {"s", 1000}, {"min", 60000}, {NULL, 0}};

static bool
parse_scaled(uint64_t *number, const char *text, const struct suffix *suffixes)
{
    char *end;

    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    *number = strtoull(text, &end, 10);
    for (; suffixes->text != NULL; suffixes++) {
        if (strcmp(end, suffixes->text) == 0) {
            return errno == 0 &&
                   !__builtin_mul_overflow(*number, suffixes->factor, number);
        }
    }
    return false;
}

static bool
parse_value(struct option_value *value, const struct option_row *row,
            const char *text)
{
    value->text = text;
    value->number = 0;
    if (row->type == TYPE_TEXT || *text == '\0') {
        return row->type == TYPE_TEXT;
    }
    return parse_scaled(&value->number, text,
                        row->type == TYPE_DURATION ? durations : counts) &&
           value->number >= row->least && value->number <= row->largest;
}

static int
find_row(const char *name, size_t size)
{
    for (int i = 0; i < OPTIONS_COUNT; i++) {
        if (strlen(rows[i].name) == size &&
            strncmp(rows[i].name, name, size) == 0) {
            return i;
        }
    }
    return -1;
}

static bool read_file(struct options *options, const char *path);

/* Read one option, and its value if that is in the next argument. Returns how
 * many arguments were used; 0: what is wrong has been told.
 */
static int
parse_option(struct options *options, char **arguments)
{
    const char *name = arguments[0];
    const char *equals = strchr(name, '=');
    const char *text = equals == NULL ? arguments[1] : equals + 1;
    const struct option_row *row;
    int index;

    index =
        strncmp(name, "--", 2) != 0
            ? -1
            : find_row(name + 2, equals == NULL ? strlen(name + 2)
                                                : (size_t)(equals - name - 2));
    if (index < 0) {
        fprintf(stderr, "acta-bench: there is no option %s\n", name);
        return 0;
    }
    row = &rows[index];
    if ((row->workloads & options->workloads) == 0) {
        fprintf(stderr, "acta-bench: --%s means nothing to this workload\n",
                row->name);
        return 0;
    }
    options->values[index].given = true;
    if (row->type == TYPE_FLAG && equals != NULL) {
        fprintf(stderr, "acta-bench: --%s takes nothing\n", row->name);
        return 0;
    }
    if (row->type == TYPE_FLAG) {
        options->values[index].number = 1;
        return 1;
    }
    if (text == NULL || !parse_value(&options->values[index], row, text)) {
        fprintf(stderr, "acta-bench: --%s needs a %s\n", row->name,
                row->type == TYPE_TEXT ? "text" : "number within its bounds");
        return 0;
    }
    if (index == OPTION_FILE && !read_file(options, text)) {
        return 0;
    }
    return equals == NULL ? 2 : 1;
}

/* One line of a file: "clients 64", "json", nothing, or "# a remark". */
static bool
read_line(struct options *options, char *line)
{
    char *name = line + strspn(line, " \t");
    char *end = name + strcspn(name, " \t");
    char *value = end + strspn(end, " \t");
    char option[OPTION_SIZE];
    char *arguments[] = {option, *value == '\0' ? NULL : value, NULL};
    int used;

    if (*name == '\0' || *name == '#') {
        return true;
    }
    *end = '\0';
    snprintf(option, sizeof(option), "--%s", name);
    used = parse_option(options, arguments);
    if (used == 1 && *value != '\0') {
        fprintf(stderr, "acta-bench: %s %s: that takes nothing\n", name, value);
        return false;
    }
    return used > 0;
}

static bool
read_file(struct options *options, const char *path)
{
    FILE *in = fopen(path, "r");
    size_t room = 0;
    bool is_good = options->file == NULL && in != NULL;

    if (in == NULL) {
        fprintf(stderr, "acta-bench: %s: %s\n", path, strerror(errno));
        return false;
    }
    if (!is_good) {
        fprintf(stderr, "acta-bench: %s: one file is enough\n", path);
    } else if (getdelim(&options->file, &room, '\0', in) < 0) {
        is_good = feof(in) != 0; /* It is empty. */
    } else {
        /* Values stay where they are: in options->file. */
        char *rest = options->file;

        for (char *line; is_good && (line = strsep(&rest, "\n")) != NULL;) {
            is_good = read_line(options, line);
        }
    }
    fclose(in);
    return is_good;
}

void
options_free(struct options *options)
{
    free(options->file);
    options->file = NULL;
}

bool
options_parse(struct options *options, unsigned workloads, char **arguments)
{
    *options = (struct options){.workloads = workloads};
    for (int i = 0; i < OPTIONS_COUNT; i++) {
        /* What is empty stays 0, until it is given or set by the workload. */
        (void)parse_value(&options->values[i], &rows[i], rows[i].preset);
    }
    while (*arguments != NULL && strcmp(*arguments, "--") != 0) {
        int used = parse_option(options, arguments);

        if (used == 0) {
            return false;
        }
        arguments += used;
    }
    options->server_arguments = *arguments == NULL ? arguments : arguments + 1;
    if (*options->server_arguments != NULL &&
        option_text(options, OPTION_SERVER) != NULL) {
        fprintf(stderr, "acta-bench: what follows -- is for a server that is "
                        "started, not for that of --server\n");
        return false;
    }
    return true;
}

void
options_default(struct options *options, enum option option, uint64_t number)
{
    if (!options->values[option].given) {
        options->values[option].number = number;
    }
}

void
options_print_help(unsigned workloads, FILE *out)
{
    char left[32];

    for (int i = 0; i < OPTIONS_COUNT; i++) {
        const struct option_row *row = &rows[i];

        if ((row->workloads & workloads) == 0) {
            continue;
        }
        snprintf(left, sizeof(left), "--%s%s", row->name,
                 row->type == TYPE_FLAG       ? ""
                 : row->type == TYPE_TEXT     ? " TEXT"
                 : row->type == TYPE_DURATION ? " TIME"
                                              : " N");
        fprintf(out, "  %-18s %s", left, row->text);
        if (*row->preset != '\0') {
            fprintf(out, " (%s)", row->preset);
        }
        fputc('\n', out);
    }
}

/* Does it say what was measured, and not how to say it? */
static bool
is_setting(const struct options *options, int index)
{
    return (rows[index].workloads & options->workloads) != 0 &&
           index != OPTION_JSON && index != OPTION_CSV &&
           index != OPTION_FILE && index != OPTION_TIMELINE &&
           (rows[index].type != TYPE_TEXT ||
            *options->values[index].text != '\0');
}

void
options_print(const struct options *options, FILE *out)
{
    for (int i = 0; i < OPTIONS_COUNT; i++) {
        const struct option_value *value = &options->values[i];

        if (!is_setting(options, i)) {
            continue;
        }
        if (rows[i].type == TYPE_TEXT) {
            fprintf(out, " %s=%s", rows[i].name, value->text);
        } else {
            fprintf(out, " %s=%" PRIu64 "%s", rows[i].name, value->number,
                    rows[i].type == TYPE_DURATION ? "ms" : "");
        }
    }
    for (char **more = options->server_arguments; *more != NULL; more++) {
        fprintf(out, "%s %s", more == options->server_arguments ? " --" : "",
                *more);
    }
}

void
options_print_json(const struct options *options, FILE *out)
{
    const char *separator = "";

    fputc('{', out);
    for (int i = 0; i < OPTIONS_COUNT; i++) {
        const struct option_value *value = &options->values[i];

        if (!is_setting(options, i)) {
            continue;
        }
        fprintf(out, "%s\"%s%s\": ", separator, rows[i].name,
                rows[i].type == TYPE_DURATION ? "_ms" : "");
        if (rows[i].type == TYPE_TEXT) {
            json_print_text(value->text, out);
        } else {
            fprintf(out, "%" PRIu64, value->number);
        }
        separator = ", ";
    }
    fprintf(out, "%s\"server_arguments\": [", separator);
    for (char **more = options->server_arguments; *more != NULL; more++) {
        fputs(more == options->server_arguments ? "" : ", ", out);
        json_print_text(*more, out);
    }
    fputs("]}", out);
}

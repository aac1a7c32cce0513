/* The table of keys as text for people: --help, --check-config and the manual
 * page.
 */

#include "config.h"

#include <string.h>

#include "salvage_command.h"
#include "verify_command.h"

#define WIDTH  78
#define INDENT 6

static const struct {
    const char *option;
    const char *text;
} other_options[] = {
    {"--config FILE", "Read this file and not " CONFIG_FILE "."},
    {"--dev", "Try things out: data in a temporary directory that is removed "
              "at the end, any options besides."},
    {"--check-config", "Check the configuration, print every value with where "
                       "it came from, and end."},
    {"--version", "Print the version and end."},
    {"--help", "Print this and end."},
};

#define OTHER_COUNT (sizeof(other_options) / sizeof(other_options[0]))

static void
print_wrapped(FILE *out, const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        size_t size = strcspn(text, " ");

        if (column == 0 || column + 1 + size > WIDTH) {
            fprintf(out, "%s%*s", column == 0 ? "" : "\n", INDENT, "");
            column = INDENT;
        } else {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", (int)size, text);
        column += size;
        text += size + (text[size] == ' ');
    }
    fputc('\n', out);
}

void
config_print_help(FILE *out)
{
    fprintf(out, "usage: actad [OPTION...]\n"
                 "       " VERIFY_USAGE "   (is a database whole?)\n"
                 "       " SALVAGE_USAGE "   (what is left of it, anew)\n\n"
                 "The server of Acta, an event store. Options may also stand "
                 "in\n" CONFIG_FILE " (key = value), and in the environment\n"
                 "(ACTA_DATA_DIR for --data-dir).\n\n");
    for (size_t i = 0; i < OTHER_COUNT; i++) {
        fprintf(out, "  %s\n", other_options[i].option);
        print_wrapped(out, other_options[i].text);
    }
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_row *row = &config_rows[i];

        fprintf(out, "  --%s %s", row->name, config_type_name(row->type));
        if (*row->initial != '\0') {
            fprintf(out, " (%s)", row->initial);
        }
        fputc('\n', out);
        print_wrapped(out, row->text);
    }
}

/* In the form of the file, so that it can be used as one. */
void
config_print_values(const struct config *config, FILE *out)
{
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_value *value = &config->values[i];

        fprintf(out, "# %s\n%s = %s\n", value->origin, config_rows[i].name,
                value->text);
    }
}

/* A dash is a minus sign in a manual page, and can so be copied. */
static void
print_roff(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '-') {
            fputc('\\', out);
        }
        fputc(*text, out);
    }
}

void
config_print_manual(FILE *out)
{
    char min[CONFIG_NUMBER_TEXT_SIZE], max[CONFIG_NUMBER_TEXT_SIZE];

    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const struct config_row *row = &config_rows[i];

        fputs(".TP\n.B ", out);
        print_roff(out, row->name);
        fprintf(out, " \\fR=\\fI %s\n", config_type_name(row->type));
        print_roff(out, row->text);
        fputc('\n', out);
        if (*row->initial != '\0') {
            fputs("Default: ", out);
            print_roff(out, row->initial);
            fputs(".\n", out);
        }
        if (row->max != 0) {
            config_format_number(row->type, row->min, min);
            config_format_number(row->type, row->max, max);
            fprintf(out, "From %s to %s.\n", min, max);
        }
    }
}

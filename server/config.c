/* Sources are read from the weakest to the strongest, each overwriting what was
 * there: so every source is checked in full, also where it does not count.
 */

#include "config.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "limit.h"

#define DEFAULT_ORIGIN    "default"
#define VARIABLE_SIZE_MAX 64

/* Room for "file:line:column". */
#define PLACE_SIZE (CONFIG_TEXT_SIZE + 64)

const struct config_row config_rows[CONFIG_KEYS_COUNT] = {
#define X(constant, key, type, initial, min, max, text)                        \
    {key, CONFIG_##type, initial, min, max, text},
    CONFIG_KEYS(X)
#undef X
};

_Static_assert(ACTA_REQUESTS_MAX == 4096, "the bound of requests-max");
_Static_assert(ACTA_PAGE_SIZE_MAX == 4 << 20, "that of subscription-step");

/* Levenshtein's distance, of names only: short ones. */
static size_t
distance(const char *a, const char *b)
{
    size_t row[VARIABLE_SIZE_MAX];
    size_t b_size = strlen(b);

    if (b_size >= VARIABLE_SIZE_MAX) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b_size; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best) {
                best = row[j] + 1;
            }
            if (row[j - 1] + 1 < best) {
                best = row[j - 1] + 1;
            }
            row[j] = best;
        }
    }
    return row[b_size];
}

/* The name that was probably meant; NULL if none is near. */
static const char *
nearest_name(const char *name)
{
    size_t best = strlen(name) / 3 + 2;
    const char *nearest = NULL;

    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        size_t away = distance(config_rows[i].name, name);

        if (away < best) {
            best = away;
            nearest = config_rows[i].name;
        }
    }
    return nearest;
}

/* What is @what ("unknown key", "unknown option --")? */
static enum acta_code
fail_unknown(struct acta_err *err, const char *what, const char *dashes,
             const char *name)
{
    const char *nearest = nearest_name(name);

    if (nearest == NULL) {
        return acta_fail(err, ACTA_INVALID, "%s \"%s%s\"", what, dashes, name);
    }
    return acta_fail(err, ACTA_INVALID, "%s \"%s%s\", did you mean \"%s%s\"?",
                     what, dashes, name, dashes, nearest);
}

static bool
find_key(enum config_key *key, const char *name)
{
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        if (strcmp(config_rows[i].name, name) == 0) {
            *key = (enum config_key)i;
            return true;
        }
    }
    return false;
}

static enum acta_code
check_range(const struct config_row *row, uint64_t number, struct acta_err *err)
{
    char min[CONFIG_NUMBER_TEXT_SIZE], max[CONFIG_NUMBER_TEXT_SIZE];

    if (row->max == 0 || (number >= row->min && number <= row->max)) {
        return ACTA_OK;
    }
    config_format_number(row->type, row->min, min);
    config_format_number(row->type, row->max, max);
    return acta_fail(err, ACTA_INVALID, "%s must be from %s to %s", row->name,
                     min, max);
}

static enum acta_code
set_value(struct config *config, enum config_key key, const char *text,
          const char *origin, struct acta_err *err)
{
    const struct config_row *row = &config_rows[key];
    struct config_value *value = &config->values[key];
    enum acta_code code;
    uint64_t number;

    if (strlen(text) >= sizeof(value->text)) {
        return acta_fail(err, ACTA_INVALID, "%s is longer than %zu bytes",
                         row->name, sizeof(value->text) - 1);
    }
    code = config_parse_value(row->type, text, &number, err);
    if (code == ACTA_OK) {
        code = check_range(row, number, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    strcpy(value->text, text);
    value->number = number;
    snprintf(value->origin, sizeof(value->origin), "%s", origin);
    return ACTA_OK;
}

void
config_set(struct config *config, enum config_key key, const char *text,
           const char *origin)
{
    enum acta_code code = set_value(config, key, text, origin, NULL);

    assert(code == ACTA_OK);
}

void
config_set_default(struct config *config, enum config_key key, const char *text,
                   const char *origin)
{
    if (strcmp(config->values[key].origin, DEFAULT_ORIGIN) == 0) {
        config_set(config, key, text, origin);
    }
}

static void
set_defaults(struct config *config)
{
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        config_set(config, (enum config_key)i, config_rows[i].initial,
                   DEFAULT_ORIGIN);
    }
}

/* ---- the file ---- */

/* What a file says of a key. It is read first, so what is no default any more
 * stands further up in it: one of the two was forgotten.
 */
static enum acta_code
set_from_file(struct config *config, enum config_key key, const char *text,
              const char *origin, struct acta_err *err)
{
    const char *before = config->values[key].origin;

    if (strcmp(before, DEFAULT_ORIGIN) != 0) {
        return acta_fail(err, ACTA_INVALID, "%s is said in line %s already",
                         config_rows[key].name, strrchr(before, ':') + 1);
    }
    return set_value(config, key, text, origin, err);
}

static char *
trim(char *text)
{
    size_t size;

    while (isspace((unsigned char)*text)) {
        text++;
    }
    size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1])) {
        size--;
    }
    text[size] = '\0';
    return text;
}

/* A "#" that begins a word of @text; NULL: there is none. */
static char *
find_comment(char *text)
{
    for (char *at = text; (at = strchr(at, '#')) != NULL; at++) {
        if (at == text || isspace((unsigned char)at[-1])) {
            return at;
        }
    }
    return NULL;
}

static enum acta_code
load_line(struct config *config, char *line, const char *path, unsigned number,
          struct acta_err *err)
{
    char *name = trim(line);
    char *equals = strchr(name, '=');
    char *comment;
    char *at = name;
    char origin[PLACE_SIZE];
    enum config_key key;
    enum acta_code code;

    if (*name == '\0' || *name == '#') {
        return ACTA_OK;
    }
    if (equals == NULL) {
        code =
            acta_fail(err, ACTA_INVALID, "\"%s\" is not \"key = value\"", name);
    } else {
        *equals = '\0';
        name = trim(name);
        snprintf(origin, sizeof(origin), "%s:%u", path, number);
        if (!find_key(&key, name)) {
            code = fail_unknown(err, "unknown key", "", name);
        } else {
            at = trim(equals + 1);
            comment = find_comment(at);
            if (comment == NULL) {
                code = set_from_file(config, key, at, origin, err);
            } else { /* Taken as a path it would be made. */
                at = comment;
                code = acta_fail(err, ACTA_INVALID,
                                 "a comment needs a line of its own");
            }
        }
    }
    if (code != ACTA_OK) {
        return acta_wrap(err, code, "%s:%u:%zu", path, number,
                         (size_t)(at - line) + 1);
    }
    return ACTA_OK;
}

static enum acta_code
load_file(struct config *config, const char *path, struct acta_err *err)
{
    char line[CONFIG_TEXT_SIZE + VARIABLE_SIZE_MAX];
    FILE *file = fopen(path, "re");
    enum acta_code code = ACTA_OK;

    if (file == NULL) {
        return acta_fail(err, ACTA_IO, "%s: %s", path, strerror(errno));
    }
    for (unsigned number = 1;
         code == ACTA_OK && fgets(line, sizeof(line), file) != NULL; number++) {
        if (strchr(line, '\n') == NULL && !feof(file)) {
            code = acta_fail(err, ACTA_INVALID,
                             "%s:%u:1: line is longer than %zu bytes", path,
                             number, sizeof(line) - 2);
        } else {
            code = load_line(config, line, path, number, err);
        }
    }
    if (code == ACTA_OK && ferror(file)) {
        code = acta_fail(err, ACTA_IO, "%s: %s", path, strerror(errno));
    }
    fclose(file);
    return code;
}

/* ---- the environment ---- */

/* "ACTA_DATA_DIR" for "data-dir". */
static void
variable_name(const char *name, char variable[static VARIABLE_SIZE_MAX])
{
    size_t size =
        (size_t)snprintf(variable, VARIABLE_SIZE_MAX, "ACTA_%s", name);

    assert(size < VARIABLE_SIZE_MAX);
    for (size_t i = 0; i < size; i++) {
        variable[i] = variable[i] == '-'
                          ? '_'
                          : (char)toupper((unsigned char)variable[i]);
    }
}

static const char *
find_variable(char **environment, const char *variable)
{
    size_t size = strlen(variable);

    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, variable, size) == 0 &&
            (*environment)[size] == '=') {
            return *environment + size + 1;
        }
    }
    return NULL;
}

/* Variables of ACTA_ that are no keys are not ours: clients have some too. */
static enum acta_code
load_environment(struct config *config, char **environment,
                 struct acta_err *err)
{
    char variable[VARIABLE_SIZE_MAX];

    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        const char *text;
        enum acta_code code;

        variable_name(config_rows[i].name, variable);
        text = find_variable(environment, variable);
        if (text == NULL) {
            continue;
        }
        code = set_value(config, (enum config_key)i, text, variable, err);
        if (code != ACTA_OK) {
            return acta_wrap(err, code, "%s", variable);
        }
    }
    return ACTA_OK;
}

/* ---- the command line ---- */

static const struct {
    const char *option;
    enum config_action action;
} actions[] = {
    {"--dev", CONFIG_RUN_DEV},
    {"--help", CONFIG_HELP},
    {"-h", CONFIG_HELP},
    {"--version", CONFIG_VERSION},
    {"--check-config", CONFIG_CHECK},
    {"--print-manual-options", CONFIG_PRINT_MANUAL},
};

/* One option, taken apart. */
struct option {
    char name[VARIABLE_SIZE_MAX];
    const char *value;
};

static bool
take_action(struct config *config, const char *argument)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(argument, actions[i].option) == 0) {
            config->action = actions[i].action;
            return true;
        }
    }
    return false;
}

/* Take "--name value" or "--name=value" from argv[*@at] on. */
static enum acta_code
take_option(struct option *option, int argc, char **argv, int *at,
            struct acta_err *err)
{
    const char *argument = argv[*at];
    size_t size = strcspn(argument, "=");
    enum config_key key;

    if (strncmp(argument, "--", 2) != 0 || size == 2) {
        return acta_fail(err, ACTA_INVALID, "unexpected argument \"%s\"",
                         argument);
    }
    snprintf(option->name, sizeof(option->name), "%.*s", (int)size - 2,
             argument + 2);
    if (strcmp(option->name, "config") != 0 && !find_key(&key, option->name)) {
        return fail_unknown(err, "unknown option", "--", option->name);
    }
    if (argument[size] == '=') {
        option->value = argument + size + 1;
        return ACTA_OK;
    }
    if (*at + 1 >= argc) {
        return acta_fail(err, ACTA_INVALID, "--%s needs a value", option->name);
    }
    option->value = argv[++*at];
    return ACTA_OK;
}

/* Go over the command line: for @file only --config counts, else the rest. */
static enum acta_code
load_arguments(struct config *config, int argc, char **argv, const char **file,
               struct acta_err *err)
{
    char origin[VARIABLE_SIZE_MAX + 2];

    for (int i = 1; i < argc; i++) {
        struct option option;
        enum acta_code code;
        enum config_key key;

        if (take_action(config, argv[i])) {
            continue;
        }
        code = take_option(&option, argc, argv, &i, err);
        if (code != ACTA_OK) {
            return code;
        }
        if (!find_key(&key, option.name)) {
            *file = option.value;
            continue;
        }
        snprintf(origin, sizeof(origin), "--%s", option.name);
        code = set_value(config, key, option.value, origin, err);
        if (code != ACTA_OK) {
            return acta_wrap(err, code, "%s", origin);
        }
    }
    return ACTA_OK;
}

/* What no single value can show to be wrong. */
static enum acta_code
check_together(const struct config *config, struct acta_err *err)
{
    struct address listen;
    enum acta_code code;

    if (config_number(config, CONFIG_OUTPUT_LOW) >
        config_number(config, CONFIG_OUTPUT_HIGH)) {
        return acta_fail(err, ACTA_INVALID,
                         "output-low (%s) is above output-high (%s)",
                         config_text(config, CONFIG_OUTPUT_LOW),
                         config_text(config, CONFIG_OUTPUT_HIGH));
    }
    if (*config_text(config, CONFIG_DATA_DIR) == '\0') {
        return acta_fail(err, ACTA_INVALID, "data-dir is empty");
    }
    code = address_parse(&listen, config_text(config, CONFIG_LISTEN), err);
    if (code == ACTA_OK && !address_is_loopback(&listen)) {
        code = acta_fail(err, ACTA_INVALID,
                         "listen on %s: others could reach this address and "
                         "there is no authentication; use 127.0.0.1 or [::1]",
                         config_text(config, CONFIG_LISTEN));
    }
    return code;
}

enum acta_code
config_load(struct config *config, int argc, char **argv, char **environment,
            struct acta_err *err)
{
    const char *file = find_variable(environment, "ACTA_CONFIG");
    enum acta_code code;

    config->action = CONFIG_RUN;
    set_defaults(config);
    /* A first time for the name of the file, which is weaker than the rest. */
    code = load_arguments(config, argc, argv, &file, err);
    if (code != ACTA_OK) {
        return code;
    }
    set_defaults(config);
    if (file == NULL && access(CONFIG_FILE, F_OK) == 0) {
        file = CONFIG_FILE;
    }
    if (file != NULL) {
        code = load_file(config, file, err);
    }
    if (code == ACTA_OK) {
        code = load_environment(config, environment, err);
    }
    if (code == ACTA_OK) {
        code = load_arguments(config, argc, argv, &file, err);
    }
    if (code == ACTA_OK) {
        code = check_together(config, err);
    }
    return code;
}

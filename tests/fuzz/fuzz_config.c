/* The configuration of actad as a file of any bytes, and its values.
 *
 * A file that is taken has every value in its range, and a file of just these
 * values is taken as well, and says the same. A number is read from what it is
 * written as.
 */

#include <string.h>

#include "config.h"
#include "fuzz.h"
#include "fuzz_input.h"
#include "scratch.h"

#define TEXT_MAX 2000

static char path[SCRATCH_PATH_MAX];

static enum acta_code
load(struct config *config, struct slice bytes, struct acta_err *err)
{
    static char program[] = "actad", option[] = "--config";
    char *arguments[] = {program, option, path, NULL};
    char *environment[] = {NULL};

    scratch_write(scratch_path(path, "actad.conf"), bytes);
    return config_load(config, 3, arguments, environment, err);
}

static void
check_range(enum config_key key, uint64_t number)
{
    const struct config_row *row = &config_rows[key];

    if (row->max > 0) {
        FUZZ_PROMISE(number >= row->min);
        FUZZ_PROMISE(number <= row->max);
    }
}

/* All values, one a line: what is loaded from them again. */
static void
check_again(const struct config *config)
{
    static struct config again;
    struct acta_err err;
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    FUZZ_PROMISE(file != NULL);
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        enum config_key key = (enum config_key)i;

        check_range(key, config_number(config, key));
        fprintf(file, "%s = %s\n", config_rows[i].name,
                config_text(config, key));
    }
    FUZZ_PROMISE(fclose(file) == 0);
    FUZZ_PROMISE(load(&again, slice_make(text, size), &err) == ACTA_OK);
    for (size_t i = 0; i < CONFIG_KEYS_COUNT; i++) {
        FUZZ_PROMISE(again.values[i].number == config->values[i].number);
        FUZZ_PROMISE(strcmp(again.values[i].text, config->values[i].text) == 0);
    }
    free(text);
}

static void
check_value(enum config_type type, const char *text)
{
    char written[CONFIG_NUMBER_TEXT_SIZE];
    uint64_t number, again;
    struct acta_err err;

    if (config_parse_value(type, text, &number, &err) != ACTA_OK) {
        FUZZ_PROMISE(err.code == ACTA_INVALID);
        return;
    }
    if (type == CONFIG_NUMBER || type == CONFIG_SIZE ||
        type == CONFIG_DURATION) {
        config_format_number(type, number, written);
        FUZZ_PROMISE(config_parse_value(type, written, &again, &err) ==
                     ACTA_OK);
        FUZZ_PROMISE(again == number);
    }
}

/* The first line is tried as a value of each type as well. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    char text[TEXT_MAX];
    struct acta_err err;
    size_t length = 0;

    while (length < size && length < sizeof(text) - 1 && data[length] != '\n') {
        text[length] = (char)data[length];
        length++;
    }
    text[length] = '\0';
    for (int type = CONFIG_TEXT; type <= CONFIG_DURATION; type++) {
        check_value((enum config_type)type, text);
    }
    if (load(&config, slice_make(data, size), &err) == ACTA_OK) {
        check_again(&config);
    } else {
        FUZZ_PROMISE(err.code == ACTA_INVALID);
        FUZZ_PROMISE(err.text[0] != '\0');
    }
    return 0;
}

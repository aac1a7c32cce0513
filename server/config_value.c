#include "config_value.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "log.h"

struct unit {
    const char *name;
    uint64_t factor;
};

/* The largest first, as they are tried when a number is written; of two that
 * are the same the first one is.
 */
static const struct unit size_units[] = {
    {"TiB", UINT64_C(1) << 40},
    {"GiB", UINT64_C(1) << 30},
    {"MiB", UINT64_C(1) << 20},
    {"KiB", UINT64_C(1) << 10},
    {"", 1},
    {NULL, 0},
};

static const struct unit duration_units[] = {
    {"d", 86400000}, {"h", 3600000}, {"min", 60000}, {"m", 60000},
    {"s", 1000},     {"ms", 1},      {NULL, 0},
};

static const struct unit number_units[] = {{"", 1}, {NULL, 0}};

static const struct {
    const char *name;
    const struct unit *units; /* NULL: not a number. */
    const char *expected;
} types[] = {
    [CONFIG_TEXT] = {"TEXT", NULL, NULL},
    [CONFIG_ADDRESS] = {"HOST:PORT", NULL, NULL},
    [CONFIG_LEVEL] = {"LEVEL", NULL, "error, warning, info or debug"},
    [CONFIG_SWITCH] = {"on|off", NULL, "on or off"},
    [CONFIG_NUMBER] = {"N", number_units, "a number"},
    [CONFIG_SIZE] = {"SIZE", size_units,
                     "a size in bytes, KiB, MiB, GiB or TiB, such as 64MiB"},
    [CONFIG_DURATION] = {"TIME", duration_units,
                         "a time in ms, s, min, h or d, such as 5s"},
};

const char *
config_type_name(enum config_type type)
{
    return types[type].name;
}

/* Read digits and a unit. False if it is anything else, or too large. */
static bool
parse_units(const struct unit *units, const char *text, uint64_t *number)
{
    const char *at = text;

    *number = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, (uint64_t)(*at - '0'), number)) {
            return false;
        }
    }
    if (at == text) {
        return false;
    }
    while (*at == ' ') {
        at++;
    }
    for (; units->name != NULL; units++) {
        if (strcmp(at, units->name) == 0) {
            return !__builtin_mul_overflow(*number, units->factor, number);
        }
    }
    return false;
}

enum acta_code
config_parse_value(enum config_type type, const char *text, uint64_t *number,
                   struct acta_err *err)
{
    struct address address;
    enum log_level level;
    bool ok = true;

    *number = 0;
    switch (type) {
    case CONFIG_TEXT:
        break;
    case CONFIG_ADDRESS:
        return address_parse(&address, text, err);
    case CONFIG_LEVEL:
        ok = log_parse_level(&level, text);
        *number = ok ? (uint64_t)level : 0;
        break;
    case CONFIG_SWITCH:
        *number = strcmp(text, "on") == 0;
        ok = *number == 1 || strcmp(text, "off") == 0;
        break;
    case CONFIG_NUMBER:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
        ok = parse_units(types[type].units, text, number);
        break;
    }
    if (!ok) {
        return acta_fail(err, ACTA_INVALID, "\"%s\" is not %s", text,
                         types[type].expected);
    }
    return ACTA_OK;
}

void
config_format_number(enum config_type type, uint64_t number,
                     char text[static CONFIG_NUMBER_TEXT_SIZE])
{
    const struct unit *unit = types[type].units;

    assert(unit != NULL);
    while (unit[1].name != NULL &&
           (number < unit->factor || number % unit->factor != 0)) {
        unit++;
    }
    snprintf(text, CONFIG_NUMBER_TEXT_SIZE, "%" PRIu64 "%s",
             number / unit->factor, unit->name);
}

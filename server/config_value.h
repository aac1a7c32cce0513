/* Values of the configuration as texts: what each type of value looks like.
 * Any thread.
 */

#ifndef ACTA_CONFIG_VALUE_H
#define ACTA_CONFIG_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define CONFIG_NUMBER_TEXT_SIZE 32

enum config_type {
    CONFIG_TEXT,     /* Any text. */
    CONFIG_ADDRESS,  /* See address.h. */
    CONFIG_LEVEL,    /* See log.h. */
    CONFIG_SWITCH,   /* on or off: 1 or 0 */
    CONFIG_NUMBER,   /* 4096 */
    CONFIG_SIZE,     /* 64MiB: KiB, MiB, GiB, TiB, or bytes; in bytes */
    CONFIG_DURATION, /* 5s: ms, s, min, h; in milliseconds */
};

/* "SIZE", as --help and the manual page call a value of this type. */
const char *config_type_name(enum config_type type);

/* Read a NUMBER, SIZE, DURATION, LEVEL or SWITCH, or check a TEXT or ADDRESS,
 * which leave *@number at 0. INVALID says what is wrong.
 */
enum acta_code config_parse_value(enum config_type type, const char *text,
                                  uint64_t *number,
                                  struct acta_err *err) ACTA_CHECKED;

/* Write a NUMBER, SIZE or DURATION in the shortest form that is read back as
 * the same.
 */
void config_format_number(enum config_type type, uint64_t number,
                          char text[static CONFIG_NUMBER_TEXT_SIZE]);

#endif

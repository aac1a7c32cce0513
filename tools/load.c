#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "limit.h"

/* All of @file in memory that is the caller's; NULL, and told, if that fails or
 * is over @size_max.
 */
static char *
read_all(FILE *file, const char *name, size_t size_max, size_t *size)
{
    char *bytes = NULL;
    size_t capacity = 0;

    *size = 0;
    do {
        char *larger;

        capacity = capacity == 0 ? 65536 : capacity * 2;
        larger = realloc(bytes, capacity);
        if (larger == NULL) {
            cli_error(ACTA_MEMORY, "%s: out of memory", name);
            free(bytes);
            return NULL;
        }
        bytes = larger;
        *size += fread(bytes + *size, 1, capacity - *size, file);
    } while (*size == capacity && *size <= size_max);
    if (ferror(file) || *size > size_max) {
        cli_error(ferror(file) ? ACTA_IO : ACTA_TOO_LARGE, "%s: %s", name,
                  ferror(file) ? strerror(errno) : "larger than an event");
        free(bytes);
        return NULL;
    }
    return bytes;
}

bool
load_argument(const char *argument, char **owned, const void **bytes,
              size_t *size)
{
    static bool has_stdin;
    FILE *file = stdin;

    if (strcmp(argument, "-") != 0 && *argument != '@') {
        *bytes = argument;
        *size = strlen(argument);
        return true;
    }
    if (*argument == '@') {
        file = fopen(argument + 1, "rb");
        if (file == NULL) {
            cli_error(ACTA_IO, "%s: %s", argument + 1, strerror(errno));
            return false;
        }
    } else if (has_stdin) {
        cli_error(ACTA_INVALID, "-: stdin can be read once");
        return false;
    }
    has_stdin |= file == stdin;
    *owned = read_all(file, file == stdin ? "stdin" : argument + 1,
                      ACTA_EVENT_SIZE_MAX, size);
    *bytes = *owned;
    if (file != stdin) {
        fclose(file);
    }
    return *owned != NULL;
}

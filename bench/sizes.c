#include "sizes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* Read a number, perhaps in thousands, and go behind it. */
static bool
read_number(const char **text, uint64_t *number)
{
    char *end;

    if (**text < '0' || **text > '9') {
        return false;
    }
    errno = 0;
    *number = strtoull(*text, &end, 10);
    *text = end;
    if (*end == 'k') {
        *text = end + 1;
        return errno == 0 && !__builtin_mul_overflow(*number, 1000, number);
    }
    return errno == 0;
}

enum acta_code
sizes_read(struct sizes *sizes, const char *text, size_t least, size_t largest,
           struct acta_err *err)
{
    const char *at = text;

    *sizes = (struct sizes){0};
    do {
        uint64_t size, weight;

        at += at > text ? 1 : 0; /* The comma. */
        if (sizes->count == SIZES_MAX || !read_number(&at, &size) ||
            *at++ != ':' || !read_number(&at, &weight) || weight == 0 ||
            weight > UINT32_MAX || size < least || size > largest) {
            return acta_fail(err, ACTA_INVALID,
                             "--sizes is SIZE:WEIGHT,..., up to %d of them, "
                             "with %zu to %zu bytes: %s",
                             SIZES_MAX, least, largest, text);
        }
        sizes->list[sizes->count].size = size;
        sizes->list[sizes->count++].weight = weight;
        sizes->weights += weight;
        sizes->largest = size > sizes->largest ? size : sizes->largest;
    } while (*at == ',');
    return *at == '\0' ? ACTA_OK
                       : acta_fail(err, ACTA_INVALID,
                                   "--sizes: what is behind %zu of them is "
                                   "none: %s",
                                   sizes->count, at);
}

size_t
sizes_choose(const struct sizes *sizes, uint64_t random)
{
    uint64_t at = random % sizes->weights;
    size_t i = 0;

    while (at >= sizes->list[i].weight) {
        at -= sizes->list[i++].weight;
    }
    return sizes->list[i].size;
}

#include "span.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void
span_format(uint64_t us, char text[static SPAN_SIZE])
{
    uint64_t unit = us < 1000000 ? 1000 : 1000000;
    int digits = us < 1000000 ? 3 : 6;
    size_t end;

    snprintf(text, SPAN_SIZE, "%" PRIu64 ".%0*" PRIu64, us / unit, digits,
             us % unit);
    end = strlen(text);
    while (text[end - 1] == '0') {
        end--;
    }
    end -= text[end - 1] == '.';
    snprintf(text + end, SPAN_SIZE - end, us < 1000000 ? " ms" : " s");
}

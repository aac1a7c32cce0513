/* Texts as JSON strings. */

#ifndef ACTA_BENCH_JSON_H
#define ACTA_BENCH_JSON_H

#include <stdio.h>

static inline void
json_print_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            fprintf(out, "\\%c", *text);
        } else if ((unsigned char)*text < 0x20) {
            fprintf(out, "\\u%04x", (unsigned)*text);
        } else {
            fputc(*text, out);
        }
    }
    fputc('"', out);
}

#endif

/* What the files that print for people share. One thread. */

#ifndef ACTA_OUT_TEXT_H
#define ACTA_OUT_TEXT_H

#include <acta/acta.h>
#include <stdint.h>

#include "cmd.h"

/* The sequences of a terminal, where it has colours. */
static inline const char *
bold(const struct cli *cli)
{
    return cli->color ? "\033[1m" : "";
}

static inline const char *
dim(const struct cli *cli)
{
    return cli->color ? "\033[2m" : "";
}

static inline const char *
cyan(const struct cli *cli)
{
    return cli->color ? "\033[36m" : "";
}

static inline const char *
plain(const struct cli *cli)
{
    return cli->color ? "\033[0m" : "";
}

/* A line of a name and what there is to it. */
void out_row(const struct cli *cli, const char *name, const char *fmt, ...)
    ACTA_PRINTF(3, 4);

#define OUT_DIGITS_SIZE 32

/* "1,234,567" */
void out_digits(uint64_t number, char text[OUT_DIGITS_SIZE]);

#endif

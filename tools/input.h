/* Lines from a file or a pipe, without waiting for any: who has other things to
 * do polls the descriptor in between. One thread.
 */

#ifndef ACTA_INPUT_H
#define ACTA_INPUT_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "slice.h"

/* An event at its largest, with room for base64 and escapes. */
#define INPUT_LINE_SIZE_MAX (64u << 20)

struct input {
    const char *name; /* For messages: "stdin" or the path. */
    int fd;
    bool is_file; /* It can always be read. */
    bool at_end;  /* Nothing comes any more. */
    bool skips;   /* Up to the end of the line. */
    struct buf buf;
    size_t looked_at;  /* Bytes in buf that have no line end. */
    uint64_t size;     /* Of a file; 0: unknown. */
    uint64_t consumed; /* Bytes of lines that were returned. */
    uint64_t lines;    /* Lines that were returned. */
};

/* Open @path, - for stdin. NOT_FOUND, IO. */
enum acta_code input_open(struct input *input, const char *path,
                          struct acta_err *err) ACTA_CHECKED;
void input_close(struct input *input);

/* The next line, without its end and valid until the next call. False: there
 * is no whole one, read on or, if at_end, be done.
 */
bool input_line(struct input *input, struct slice *line);

/* Read what is there; waits if there is nothing. IO, TOO_LARGE (a line),
 * MEMORY.
 */
enum acta_code input_read(struct input *input,
                          struct acta_err *err) ACTA_CHECKED;

/* After TOO_LARGE: pass over the line, what is still to be read of it too. */
void input_skip_line(struct input *input);

#endif

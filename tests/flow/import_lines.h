/* A file of real events, one JSON object a line, taken apart without a JSON
 * library: data and metadata are the bytes that stand in the file.
 *
 * Names of streams, types and tags must stand there without escapes.
 */

#ifndef ACTA_TEST_IMPORT_LINES_H
#define ACTA_TEST_IMPORT_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "slice.h"

#define IMPORT_TAGS_MAX 8

/* Texts that occur often, each known by its number from 0. */
struct import_names {
    char **texts; /* owned */
    size_t count;
};

struct import_line {
    size_t stream; /* Numbers, in the lists of struct import_file. */
    size_t category;
    size_t type;
    size_t tags[IMPORT_TAGS_MAX];
    size_t tags_count;
    struct slice data;
    struct slice metadata; /* Empty: there is none. */
};

struct import_file {
    char *text;                /* owned */
    struct import_line *lines; /* owned */
    size_t count;
    struct import_names streams;
    struct import_names categories;
    struct import_names types;
    struct import_names tags;
};

/* Read the file at @path. What cannot be read fails the test. */
void import_file_open(struct import_file *file, const char *path);
void import_file_close(struct import_file *file);

#endif

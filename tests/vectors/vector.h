/* proto/vectors/ as text: made here, written by make_vectors, and compared with
 * what is checked in by the test vectors.
 */

#ifndef ACTA_TEST_VECTOR_H
#define ACTA_TEST_VECTOR_H

#include <stddef.h>
#include <stdio.h>

struct vector_file {
    const char *name; /* "messages.json" */
    void (*write)(FILE *file);
};

extern const struct vector_file vector_files[];
extern const size_t vector_files_count;

#endif

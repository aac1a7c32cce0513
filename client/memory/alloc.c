#include <stdio.h>
#include <stdlib.h>

#include "memory_store.h"

static void *
must_be(void *bytes)
{
    if (bytes == NULL) {
        fputs("acta: no memory for the store in memory\n", stderr);
        abort();
    }
    return bytes;
}

void *
memory_alloc(size_t size)
{
    return must_be(calloc(1, size == 0 ? 1 : size));
}

void *
memory_grow(void *bytes, size_t size)
{
    return must_be(realloc(bytes, size));
}

struct slice
memory_copy(struct slice bytes)
{
    uint8_t *copy;

    if (bytes.size == 0) {
        return SLICE_NONE;
    }
    copy = memory_alloc(bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    return slice_make(copy, bytes.size);
}

void
memory_free_copy(struct slice *bytes)
{
    free((void *)(uintptr_t)bytes->data);
    *bytes = SLICE_NONE;
}

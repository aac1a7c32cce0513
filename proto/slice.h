/* Bytes that belong to someone else.
 *
 * A slice borrows: it is valid as long as its owner says. Passing one is
 * passing a view, never ownership. Any thread.
 */

#ifndef ACTA_SLICE_H
#define ACTA_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *data; /* May be NULL if size is 0. */
    size_t size;
};

#define SLICE_NONE ((struct slice){NULL, 0})

static inline struct slice
slice_make(const void *data, size_t size)
{
    return (struct slice){(const uint8_t *)data, size};
}

/* The bytes of a C string, without its end. */
static inline struct slice
slice_of(const char *text)
{
    return slice_make(text, strlen(text));
}

static inline bool
slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size &&
           (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Order by bytes, the shorter first where one begins the other: negative, 0 or
 * positive as with memcmp(). It is the order of keys in the store.
 */
static inline int
slice_compare(struct slice a, struct slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

    if (order != 0) {
        return order;
    }
    return (a.size > b.size) - (a.size < b.size);
}

static inline bool
slice_starts_with(struct slice bytes, struct slice prefix)
{
    return bytes.size >= prefix.size &&
           slice_equal(slice_make(bytes.data, prefix.size), prefix);
}

#endif

#include "alloc.h"

#include <stdbool.h>
#include <string.h>

size_t alloc_calls;
size_t alloc_bytes;
int alloc_fail_after = -1;
int alloc_fail_times = 1;
int alloc_failed;

/* Names that the linker makes: see --wrap in ld(1). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

void
alloc_reset(void)
{
    alloc_calls = 0;
    alloc_bytes = 0;
    alloc_fail_after = -1;
    alloc_fail_times = 1;
    alloc_failed = 0;
}

/* Count a call. True if it is to fail. */
static bool
is_to_fail(size_t size)
{
    alloc_calls++;
    alloc_bytes += size;
    if (alloc_fail_after > 0) {
        alloc_fail_after--;
        return false;
    }
    if (alloc_fail_after < 0) {
        return false;
    }
    if (++alloc_failed % alloc_fail_times == 0) {
        alloc_fail_after = -1;
    }
    return true;
}

void *
__wrap_malloc(size_t size)
{
    return is_to_fail(size) ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return is_to_fail(count * size) ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *memory, size_t size)
{
    return is_to_fail(size) ? NULL : __real_realloc(memory, size);
}

void *
__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    return is_to_fail(count * size) ? NULL
                                    : __real_reallocarray(memory, count, size);
}

char *
__wrap_strdup(const char *text)
{
    return is_to_fail(strlen(text) + 1) ? NULL : __real_strdup(text);
}

char *
__wrap_strndup(const char *text, size_t size)
{
    return is_to_fail(size + 1) ? NULL : __real_strndup(text, size);
}

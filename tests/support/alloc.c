#include "alloc.h"

size_t alloc_calls;
size_t alloc_bytes;
int alloc_fail_after = -1;

/* Names that the linker makes: see --wrap in ld(1). */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void
alloc_reset(void)
{
    alloc_calls = 0;
    alloc_bytes = 0;
    alloc_fail_after = -1;
}

void *
__wrap_malloc(size_t size)
{
    alloc_calls++;
    alloc_bytes += size;
    if (alloc_fail_after == 0) {
        alloc_fail_after = -1;
        return NULL;
    }
    if (alloc_fail_after > 0) {
        alloc_fail_after--;
    }
    return __real_malloc(size);
}

#include "bigmap.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* What is kept is not to be touched: the sanitizer sees who does. */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

#define PAGE_SIZE ((size_t)4 << 10)

/* The front of a map that is kept. */
struct bigmap {
    size_t size;
    size_t unused;
};

static size_t
whole_pages(size_t size)
{
    return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

static void *
map_new(size_t size)
{
    size_t spare = size < BIGMAP_SIZE ? 0 : BIGMAP_SIZE;
    uint8_t *map = mmap(NULL, size + spare, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t front;

    if (map == MAP_FAILED) {
        return NULL;
    }
    front = (BIGMAP_SIZE - (uintptr_t)map % BIGMAP_SIZE) % BIGMAP_SIZE;
    front = front < spare ? front : spare;
    if (front > 0) {
        (void)munmap(map, front);
    }
    if (spare > front) {
        (void)munmap(map + front + size, spare - front);
    }
    (void)madvise(map + front, size, MADV_HUGEPAGE); /* Else they are small. */
    return map + front;
}

/* Keep @map, or unmap it if there is no room. */
static void
keep(struct bigmaps *maps, struct bigmap *map)
{
    size_t size = map->size;

    ASAN_POISON_MEMORY_REGION(map, size);
    for (size_t i = 0; i < BIGMAP_KEPT_MAX; i++) {
        struct bigmap *none = NULL;

        if (atomic_compare_exchange_strong(&maps->kept[i], &none, map)) {
            return;
        }
    }
    bigmap_unmap(map, size);
}

/* What is at @i, if it is no other thread's by now; NULL if there is none. */
static struct bigmap *
take_kept(struct bigmaps *maps, size_t i)
{
    struct bigmap *map = atomic_exchange(&maps->kept[i], NULL);

    if (map != NULL) {
        ASAN_UNPOISON_MEMORY_REGION(map, sizeof(*map));
        ASAN_UNPOISON_MEMORY_REGION(map, map->size);
    }
    return map;
}

void *
bigmap_take(struct bigmaps *maps, size_t size)
{
    size = whole_pages(size);
    for (size_t i = 0; i < BIGMAP_KEPT_MAX; i++) {
        struct bigmap *map = take_kept(maps, i);

        if (map != NULL && map->size == size) {
            memset(map, 0, sizeof(*map));
            return map;
        }
        if (map != NULL) {
            keep(maps, map);
        }
    }
    return map_new(size);
}

void
bigmap_give(struct bigmaps *maps, void *map, size_t size)
{
    struct bigmap *front = map;

    front->size = whole_pages(size);
    keep(maps, front);
}

void
bigmap_unmap(void *map, size_t size)
{
    size = whole_pages(size);
    ASAN_UNPOISON_MEMORY_REGION(map, size);
    (void)munmap(map, size);
}

void
bigmap_drop(struct bigmaps *maps)
{
    for (size_t i = 0; i < BIGMAP_KEPT_MAX; i++) {
        struct bigmap *map = take_kept(maps, i);

        if (map != NULL) {
            bigmap_unmap(map, map->size);
        }
    }
}

#include "scratch.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)4096)
#define ALIGN      ((size_t)16)

struct arena_block {
    struct arena_block *next;
    size_t size;
    size_t used;
    size_t unused; /* What follows is aligned. */
    uint8_t bytes[];
};

_Static_assert(offsetof(struct arena_block, bytes) % ALIGN == 0,
               "blocks hold anything");

static void
free_all(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;

        free(block);
        block = next;
    }
}

void
arena_fini(struct arena *arena)
{
    free_all(arena->blocks);
    *arena = (struct arena){0};
}

void
arena_clear(struct arena *arena)
{
    struct arena_block *kept = arena->blocks;

    arena->failed = false;
    if (kept == NULL) {
        return;
    }
    free_all(kept->next);
    kept->next = NULL;
    kept->used = 0;
    if (kept->size > BLOCK_SIZE) {
        arena_fini(arena);
    }
}

void *
arena_alloc(struct arena *arena, size_t size)
{
    struct arena_block *block = arena->blocks;
    size_t taken = (size + ALIGN - 1) / ALIGN * ALIGN;
    void *bytes;

    if (block == NULL || block->size - block->used < taken) {
        size_t block_size = taken > BLOCK_SIZE ? taken : BLOCK_SIZE;

        block = malloc(sizeof(*block) + block_size);
        if (block == NULL) {
            arena->failed = true;
            return NULL;
        }
        *block = (struct arena_block){arena->blocks, block_size, 0, 0};
        arena->blocks = block;
    }
    bytes = block->bytes + block->used;
    block->used += taken;
    return memset(bytes, 0, size);
}

void *
arena_copy(struct arena *arena, const void *bytes, size_t size)
{
    char *copy = arena_alloc(arena, size + 1);

    if (copy != NULL && size > 0) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

char *
arena_text(struct arena *arena, const char *text)
{
    return text == NULL ? NULL : arena_copy(arena, text, strlen(text));
}

char *
arena_vformat(struct arena *arena, const char *format, va_list args)
{
    va_list again;
    char *text;
    int size;

    va_copy(again, args);
    size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (size < 0) {
        arena->failed = true;
        return NULL;
    }
    text = arena_alloc(arena, (size_t)size + 1);
    if (text != NULL) {
        vsnprintf(text, (size_t)size + 1, format, args);
    }
    return text;
}

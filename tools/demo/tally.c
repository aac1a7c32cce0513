#include "tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tally_row *
find(struct tally_row *rows, size_t capacity, const char *name)
{
    uint64_t hash = 14695981039346656037u;
    size_t at;

    for (const char *c = name; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * 1099511628211u;
    }
    at = hash & (capacity - 1);
    while (rows[at].name != NULL && strcmp(rows[at].name, name) != 0) {
        at = (at + 1) & (capacity - 1);
    }
    return &rows[at];
}

static void *
need(void *memory)
{
    if (memory == NULL) {
        fputs("out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    return memory;
}

static void
grow(struct tally *tally)
{
    size_t capacity = tally->capacity == 0 ? 64 : tally->capacity * 2;
    struct tally_row *rows = need(calloc(capacity, sizeof(*rows)));

    for (size_t i = 0; i < tally->capacity; i++) {
        if (tally->rows[i].name != NULL) {
            *find(rows, capacity, tally->rows[i].name) = tally->rows[i];
        }
    }
    free(tally->rows);
    tally->rows = rows;
    tally->capacity = capacity;
}

void
tally_add(struct tally *tally, const char *name, uint64_t added,
          uint64_t removed)
{
    struct tally_row *row;

    if (tally->count * 2 >= tally->capacity) {
        grow(tally);
    }
    row = find(tally->rows, tally->capacity, name);
    if (row->name == NULL) {
        row->name = need(strdup(name));
        tally->count++;
    }
    row->count++;
    row->added += added;
    row->removed += removed;
}

void
tally_fini(struct tally *tally)
{
    for (size_t i = 0; i < tally->capacity; i++) {
        free(tally->rows[i].name);
    }
    free(tally->rows);
}

int
tally_by_count(const struct tally_row *a, const struct tally_row *b)
{
    int order = (b->count > a->count) - (b->count < a->count);

    return order != 0 ? order : strcmp(a->name, b->name);
}

int
tally_by_name_backward(const struct tally_row *a, const struct tally_row *b)
{
    return strcmp(b->name, a->name);
}

/* Most rows are behind the last of the top, and are passed by at one look. */
size_t
tally_top(const struct tally *tally, tally_order *order,
          const struct tally_row **top, size_t top_max)
{
    size_t count = 0;

    for (size_t i = 0; i < tally->capacity; i++) {
        const struct tally_row *row = &tally->rows[i];
        size_t at;

        if (row->name == NULL ||
            (count == top_max && order(row, top[count - 1]) > 0)) {
            continue;
        }
        at = count < top_max ? count++ : count - 1;
        for (; at > 0 && order(row, top[at - 1]) < 0; at--) {
            top[at] = top[at - 1];
        }
        top[at] = row;
    }
    return count;
}

#include "core_rows.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader_view.h"

void
core_set_rows(struct core *core, const struct row *rows, size_t count)
{
    struct acta_err err;

    core_begin(core);
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(heads_set_row(&core->heads, &rows[i], &err) == ACTA_OK,
                      "%s", err.text);
    }
    core_end(core);
}

void
core_set_row(struct core *core, enum row_kind kind, const char *key,
             struct slice value)
{
    struct row row = {kind, slice_of(key), value};

    core_set_rows(core, &row, 1);
}

struct reader *
core_reader(struct core *core)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    struct acta_err err;

    ck_assert_ptr_nonnull(reader);
    reader->rooms = &core->rooms;
    reader->search = search_new();
    reader->sights = sights_new();
    reader->known = known_new();
    reader->shared = shared_page_new();
    ck_assert_msg(store_view_open(&reader->store, core->rooms.store, &err) ==
                      ACTA_OK,
                  "%s", err.text);
    return reader;
}

size_t
core_damage(struct core *core, struct slice needle, ptrdiff_t offset)
{
    size_t size, hits = 0;
    uint8_t *bytes, *at;
    char path[400];
    FILE *file;

    snprintf(path, sizeof(path), "%s/data.mdb", core->dir.path);
    file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    size = (size_t)ftell(file);
    rewind(file);
    bytes = malloc(size);
    ck_assert_uint_eq(fread(bytes, 1, size, file), size);
    for (at = memmem(bytes, size, needle.data, needle.size); at != NULL;
         at = memmem(at + 1, size - (size_t)(at + 1 - bytes), needle.data,
                     needle.size)) {
        size_t where = (size_t)(at - bytes + (ptrdiff_t)needle.size + offset);

        ck_assert_uint_lt(where, size);
        ck_assert_int_eq(fseek(file, (long)where, SEEK_SET), 0);
        ck_assert_int_ne(fputc(bytes[where] ^ 0x40, file), EOF);
        hits++;
    }
    ck_assert_int_eq(fclose(file), 0);
    free(bytes);
    return hits;
}

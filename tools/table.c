#include "table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
table_init(struct table *table)
{
    *table = (struct table){0};
}

static void
forget_cells(struct table *table)
{
    for (size_t i = 0; i < table->cells_count; i++) {
        free(table->cells[i]);
    }
    table->cells_count = 0;
}

void
table_fini(struct table *table)
{
    forget_cells(table);
    free(table->cells);
    *table = (struct table){0};
}

/* Characters, not bytes: those of UTF-8 that begin one. */
static size_t
width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

/* Make room for one more row. */
static bool
make_room(struct table *table)
{
    size_t capacity = table->capacity == 0 ? 256 : table->capacity * 2;
    char **cells;

    if (table->cells_count + table->columns_count <= table->capacity) {
        return true;
    }
    cells = realloc(table->cells, capacity * sizeof(*cells));
    if (cells == NULL) {
        return false;
    }
    table->cells = cells;
    table->capacity = capacity;
    return true;
}

void
table_row(struct table *table, const struct table_column *columns, size_t count)
{
    assert(count <= TABLE_COLUMNS_MAX);
    assert(table->cells_count % count == 0);

    if (table->columns == NULL) {
        table->columns = columns;
        table->columns_count = count;
        for (size_t i = 0; i < count; i++) {
            table->widths[i] = width_of(columns[i].title);
        }
    }
    table->has_room = make_room(table);
}

void
table_cell(struct table *table, const char *fmt, ...)
{
    size_t column = table->cells_count % table->columns_count;
    char *text = NULL;
    va_list args;
    size_t width;

    if (!table->has_room) {
        return;
    }
    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0) {
        text = NULL;
    }
    va_end(args);
    table->cells[table->cells_count++] = text;
    if (text == NULL) {
        return;
    }
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ') {
            *at = ' ';
        }
    }
    width = width_of(text);
    if (width > table->widths[column]) {
        table->widths[column] = width;
    }
}

/* A column that is last gets no space behind it. */
static void
print_cell(const struct table *table, size_t column, const char *text)
{
    int space = (int)(table->widths[column] - width_of(text));
    bool is_last = column + 1 == table->columns_count;

    if (table->columns[column].to_the_right) {
        printf("%*s%s", space, "", text);
    } else {
        printf("%s%*s", text, is_last ? 0 : space, "");
    }
    fputs(is_last ? "" : "  ", stdout);
}

static void
print_title(struct table *table, const char *dim, const char *plain)
{
    fputs(dim, stdout);
    for (size_t i = 0; i < table->columns_count; i++) {
        print_cell(table, i, table->columns[i].title);
    }
    printf("%s\n", plain);
    table->is_titled = true;
}

void
table_print(struct table *table, const char *dim, const char *plain)
{
    if (table->columns != NULL && !table->is_titled) {
        print_title(table, dim, plain);
    }
    for (size_t i = 0; i < table->cells_count; i++) {
        const char *text = table->cells[i];
        size_t column = i % table->columns_count;

        print_cell(table, column, text == NULL ? "" : text);
        if (column + 1 == table->columns_count) {
            putchar('\n');
        }
    }
    forget_cells(table);
}

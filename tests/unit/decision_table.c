#include "decision_table.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

#define PAGE_SIZE_MAX (1 << 18)
#define MARK          "<!-- decisions:"

static void
read_page(char *page)
{
    FILE *file = fopen(run_source("proto/PROTOCOL.md"), "r");
    size_t size;

    ck_assert_msg(file != NULL, "there is no proto/PROTOCOL.md");
    size = fread(page, 1, PAGE_SIZE_MAX, file);
    ck_assert_uint_lt(size, PAGE_SIZE_MAX);
    page[size] = '\0';
    fclose(file);
}

static void
read_row(struct decision_table *table, const char *line)
{
    struct decision_row *row = &table->rows[table->rows_count++];

    ck_assert_uint_lt(table->rows_count, TABLE_ROWS_MAX);
    for (size_t c = 0; c < table->columns; c++) {
        int used = 0;

        ck_assert_msg(sscanf(line, "| %31[^|]%n", row->cells[c], &used) == 1,
                      "a row lacks columns: %.60s", line);
        row->cells[c][strcspn(row->cells[c], "|")] = '\0';
        for (size_t end = strlen(row->cells[c]);
             end > 0 && row->cells[c][end - 1] == ' '; end--) {
            row->cells[c][end - 1] = '\0';
        }
        line += used;
    }
}

void
decision_table_read(struct decision_table *table, const char *columns)
{
    static char page[PAGE_SIZE_MAX];
    const char *line;

    *table = (struct decision_table){0};
    for (const char *c = columns; *c != '\0'; c++) {
        table->columns += *c == '|';
    }
    table->columns--;
    ck_assert_uint_le(table->columns, TABLE_COLUMNS_MAX);

    read_page(page);
    line = strstr(page, MARK);
    ck_assert_msg(line != NULL, "the page has no " MARK);
    line = strstr(line, columns);
    ck_assert_msg(line != NULL, "the page has no table %s", columns);
    line = strchr(line, '\n') + 1; /* The line below its head comes next. */
    for (line = strchr(line, '\n') + 1; line[0] == '|';
         line = strchr(line, '\n') + 1) {
        read_row(table, line);
    }
}

const char *
decision_table_answer(struct decision_table *table, const char *const *names)
{
    struct decision_row *found = NULL;

    for (size_t r = 0; r < table->rows_count; r++) {
        struct decision_row *row = &table->rows[r];
        bool fits = true;

        for (size_t c = 0; c + 1 < table->columns; c++) {
            fits = fits && (strcmp(row->cells[c], "*") == 0 ||
                            strcmp(row->cells[c], names[c]) == 0);
        }
        if (fits) {
            ck_assert_msg(found == NULL, "two rows for %s, %s", names[0],
                          names[1]);
            found = row;
        }
    }
    ck_assert_msg(found != NULL, "no row for %s, %s", names[0], names[1]);
    found->is_used = true;
    return found->cells[table->columns - 1];
}

void
decision_table_check_used(const struct decision_table *table)
{
    for (size_t r = 0; r < table->rows_count; r++) {
        ck_assert_msg(table->rows[r].is_used, "a row that is no case: %s, %s",
                      table->rows[r].cells[0], table->rows[r].cells[1]);
    }
}

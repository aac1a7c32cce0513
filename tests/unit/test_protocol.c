/* proto/PROTOCOL.md says what the code does: its tables and its bytes. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "hex.h"
#include "limit.h"
#include "opcode.h"
#include "run.h"
#include "sample.h"

#define PAGE_SIZE_MAX (1 << 18)

static char page[PAGE_SIZE_MAX];

static void
read_text(const char *name, char *text)
{
    FILE *file = fopen(run_source(name), "r");
    size_t size;

    ck_assert_msg(file != NULL, "there is no %s", name);
    size = fread(text, 1, PAGE_SIZE_MAX, file);
    ck_assert_uint_lt(size, PAGE_SIZE_MAX);
    text[size] = '\0';
    fclose(file);
}

static void
setup(void)
{
    read_text("proto/PROTOCOL.md", page);
}

/* The part of the page from the comment that begins with @mark to the next
 * heading.
 */
static char *
section(const char *mark)
{
    char *start = strstr(page, mark);
    char *end;

    ck_assert_msg(start != NULL, "the page has no %s", mark);
    end = strstr(start, "\n## ");
    if (strstr(start, "\n### ") != NULL && strstr(start, "\n### ") < end) {
        end = strstr(start, "\n### ");
    }
    ck_assert_ptr_nonnull(end);
    return strndup(start, (size_t)(end - start));
}

static unsigned
rows_of(const char *table)
{
    unsigned rows = 0;

    while ((table = strstr(table, "\n| ")) != NULL) {
        rows++;
        table++;
    }
    return rows - 2; /* Without the head and the line below it. */
}

static void
assert_row(const char *table, const char *row)
{
    ck_assert_msg(strstr(table, row) != NULL, "the page lacks the row%s", row);
}

START_TEST(page_lists_all_codes)
{
    char *table = section("<!-- codes:");
    unsigned count = 0;
    char row[200];

#define X(name, number, remedy, text)                                          \
    snprintf(row, sizeof(row), "\n| %d | %s | %s | %s |", number, #name,       \
             acta_remedy_name(ACTA_REMEDY_##remedy), text);                    \
    assert_row(table, row);                                                    \
    count++;
    ACTA_CODES(X)
#undef X
    ck_assert_uint_eq(rows_of(table), count);
    free(table);
}
END_TEST

START_TEST(page_lists_all_kinds_and_describes_them)
{
    char *table = section("<!-- kinds:");
    unsigned count = 0;
    char row[200];

#define X(name, number, text, since)                                           \
    snprintf(row, sizeof(row), "\n| 0x%02X | %s |", number, text);             \
    assert_row(table, row);                                                    \
    snprintf(row, sizeof(row), " %s (0x%02X)", text, number);                  \
    ck_assert_msg(strstr(page, row) != NULL, "no section has%s", row);         \
    count++;
    ACTA_OPCODES(X)
#undef X
    ck_assert_uint_eq(rows_of(table), count);
    free(table);
}
END_TEST

static const struct {
    const char *name;
    size_t value;
} limits[] = {
#define LIMIT(name)                                                            \
    {                                                                          \
#name, name                                                            \
    }
    LIMIT(ACTA_STREAM_SIZE_MAX),
    LIMIT(ACTA_TYPE_SIZE_MAX),
    LIMIT(ACTA_TAG_SIZE_MAX),
    LIMIT(ACTA_TAGS_MAX),
    LIMIT(ACTA_EVENT_SIZE_MAX),
    LIMIT(ACTA_APPEND_SIZE_MAX),
    LIMIT(ACTA_APPEND_EVENTS_MAX),
    LIMIT(ACTA_FRAME_SIZE_MAX),
    LIMIT(ACTA_HELLO_SIZE_MAX),
    LIMIT(ACTA_DEPTH_MAX),
    LIMIT(ACTA_QUERY_ITEMS_MAX),
    LIMIT(ACTA_QUERY_TERMS_MAX),
    LIMIT(ACTA_PAGE_SIZE_MAX),
    LIMIT(ACTA_PAGE_EVENTS_MAX),
    LIMIT(ACTA_PAGE_STREAMS_MAX),
    LIMIT(ACTA_REQUESTS_MAX),
    LIMIT(ACTA_WAITS_MAX),
    LIMIT(ACTA_SUBSCRIPTIONS_MAX),
    LIMIT(ACTA_CLIENT_NAME_SIZE_MAX),
    LIMIT(ACTA_DATABASE_NAME_SIZE_MAX),
    LIMIT(ACTA_APPEND_CHECKS_MAX),
    LIMIT(ACTA_APPEND_CONDITIONS_MAX),
    LIMIT(ACTA_APPEND_TERMS_MAX),
    LIMIT(ACTA_PAGE_NAMES_MAX),
    LIMIT(ACTA_UNSEEN_EVENTS_MAX),
    LIMIT(ACTA_UNSEEN_SIZE_MAX),
    LIMIT(ACTA_APPEND_EFFECTS_MAX),
    LIMIT(ACTA_SNAPSHOT_SIZE_MAX),
    LIMIT(ACTA_DUE_US_MAX),
    LIMIT(ACTA_NAME_SIZE_MAX),
    LIMIT(ACTA_TEXT_SIZE_MAX),
    LIMIT(ACTA_LEASES_MAX),
    LIMIT(ACTA_SCHEDULES_MAX),
    LIMIT(ACTA_LEASE_US_MAX),
    LIMIT(ACTA_RETRY_US_MAX),
    LIMIT(ACTA_SLOTS_MAX),
    LIMIT(ACTA_SLOTS_SIZE_MAX),
    LIMIT(ACTA_SETTLE_MAX),
    LIMIT(ACTA_MEMBERSHIPS_MAX),
    LIMIT(ACTA_GROUP_PENDING_MAX),
    LIMIT(ACTA_GROUP_PARKED_MAX),
    LIMIT(ACTA_PAGE_ROWS_MAX),
    LIMIT(ACTA_BACKUP_CHUNK_MAX),
#undef LIMIT
};

#define LIMITS_COUNT (sizeof(limits) / sizeof(limits[0]))

/* #define lines of limit.h are counted, so that none is left out here. */
START_TEST(page_lists_all_limits)
{
    static char header[PAGE_SIZE_MAX];
    char *table = section("<!-- limits:");
    const char *define = header;
    unsigned defined = 0;
    char row[200];

    for (size_t i = 0; i < LIMITS_COUNT; i++) {
        snprintf(row, sizeof(row), "\n| %s | %zu |", limits[i].name,
                 limits[i].value);
        assert_row(table, row);
    }
    ck_assert_uint_eq(rows_of(table), LIMITS_COUNT);

    read_text("proto/limit.h", header);
    while ((define = strstr(define, "#define ACTA_")) != NULL) {
        define++;
        defined += strncmp(define, "define ACTA_LIMIT_H", 19) != 0;
    }
    ck_assert_uint_eq(defined, LIMITS_COUNT);
    free(table);
}
END_TEST

/* The exchange: a line "C name: what it says", then lines of hex, indented. */
START_TEST(worked_exchange_is_what_the_encoders_make)
{
    static const char *const names[] = {"hello",    "welcome",   "append",
                                        "appended", "subscribe", "subscribed",
                                        "delivery", "caught-up"};
    char *text = section("<!-- exchange:");
    char *line = strstr(text, "```\n");
    char *end, *rest = NULL;
    char bytes[4096] = "";
    char name[64] = "";
    size_t at = 0;
    struct buf buf;
    struct frame frame;

    ck_assert_ptr_nonnull(line);
    line += 4;
    end = strstr(line, "```");
    ck_assert_ptr_nonnull(end);
    strcpy(end, "C end:\n");
    buf_init(&buf, 1 << 20);
    for (line = strtok_r(line, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (line[0] == ' ') {
            ck_assert_uint_lt(strlen(bytes) + strlen(line), sizeof(bytes));
            strcat(bytes, line);
            continue;
        }
        if (name[0] != '\0') {
            ck_assert_uint_lt(at, sizeof(names) / sizeof(names[0]));
            ck_assert_str_eq(name, names[at++]);
            sample_write(&buf, sample_named(name), &frame);
            assert_hex(buf_slice(&buf), bytes);
            ck_assert_int_eq(bytes[0] != '\0', true);
        }
        bytes[0] = '\0';
        ck_assert_int_eq(sscanf(line, "%*c %63[^:]", name), 1);
    }
    ck_assert_uint_eq(at, sizeof(names) / sizeof(names[0]));
    buf_fini(&buf);
    free(text);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("protocol");
    TCase *tcase = tcase_create("protocol");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, page_lists_all_codes);
    tcase_add_test(tcase, page_lists_all_kinds_and_describes_them);
    tcase_add_test(tcase, page_lists_all_limits);
    tcase_add_test(tcase, worked_exchange_is_what_the_encoders_make);
    return run_suite(suite);
}

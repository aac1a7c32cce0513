#include "words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TAGS_MAX  8
#define TEXT_SIZE 65536

void
add(struct acta_append *append, const char *type, const char *data, ...)
{
    struct acta_draft draft = acta_draft_of(type, data, strlen(data));
    const char *tags[TAGS_MAX];
    va_list more;

    va_start(more, data);
    while ((tags[draft.tags_count] = va_arg(more, const char *)) != NULL) {
        draft.tags_count++;
        ck_assert_uint_lt(draft.tags_count, TAGS_MAX);
    }
    va_end(more);
    draft.tags = tags;
    acta_append_event(append, &draft);
}

struct acta_append *
write_to(struct acta_append *append, const char *stream, int64_t expected)
{
    if (append == NULL) {
        append = acta_append_new();
        ck_assert_ptr_nonnull(append);
    }
    acta_append_stream(append, stream, expected);
    return append;
}

const struct acta_appended *
send_again(const struct acta_append *append, enum acta_code code)
{
    const struct acta_appended *appended;

    expect(code, acta_sync_append(place.sync, append, &appended, &place.err));
    return appended;
}

const struct acta_appended *
send_it(struct acta_append *append, enum acta_code code)
{
    const struct acta_appended *appended = send_again(append, code);

    acta_append_free(append);
    return appended;
}

uint64_t
store(const char *stream, const char *type, size_t count)
{
    struct acta_append *append = write_to(NULL, stream, ACTA_EXPECT_ANY);

    for (size_t i = 0; i < count; i++) {
        add(append, type, "data", NULL);
    }
    return send_it(append, ACTA_OK)->position;
}

void
expect_failure(const struct acta_appended *refused, enum acta_failure_kind kind,
               size_t index, int64_t expected, uint64_t actual)
{
    const struct acta_failure *failure;

    ck_assert_uint_eq(refused->failures_count, 1);
    failure = refused->failures[0];
    ck_assert_int_eq(failure->kind, kind);
    ck_assert_uint_eq(failure->index, index);
    ck_assert_int_eq(failure->expected, expected);
    ck_assert_uint_eq(failure->actual, actual);
}

/* ---- pages ---- */

static void
add_event(char *text, size_t *size, const struct acta_event *event)
{
    *size += (size_t)snprintf(
        text + *size, TEXT_SIZE - *size, "%ju %s.%ju %s %s%.*s\n",
        (uintmax_t)event->position, event->stream, (uintmax_t)event->version,
        event->type, event->format == ACTA_FORMAT_ERASED ? "erased" : "",
        (int)event->data_size, (const char *)event->data);
    ck_assert_uint_lt(*size, TEXT_SIZE);
}

const char *
page_text(const struct acta_read *read)
{
    static char text[TEXT_SIZE];
    const struct acta_page *page;
    size_t size = 0;

    expect(ACTA_OK, acta_sync_read(place.sync, read, &page, &place.err));
    for (size_t i = 0; i < page->events_count; i++) {
        add_event(text, &size, page->events[i]);
    }
    snprintf(text + size, TEXT_SIZE - size, "next %ju%s, head %ju, version %ju",
             (uintmax_t)page->next, page->at_end ? " at end" : "",
             (uintmax_t)page->head, (uintmax_t)page->version);
    return text;
}

const char *
stream_text(const char *stream, uint64_t from, bool backward)
{
    struct acta_read read = acta_read_of_stream(stream);

    read.from = from;
    read.backward = backward;
    return page_text(&read);
}

const char *
query_text(const struct acta_query *query, uint64_t from, bool backward)
{
    struct acta_read read = acta_read_of_query(query);

    read.from = from;
    read.backward = backward;
    return page_text(&read);
}

/* ---- consumers ---- */

uint64_t
claim(const char *consumer, const struct acta_query *query, uint64_t position)
{
    const struct acta_consumer_changed *changed;

    expect(ACTA_OK, acta_sync_claim(place.sync, consumer, query, position,
                                    &changed, &place.err));
    return changed->epoch;
}

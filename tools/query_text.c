#include "query_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
option_of(enum acta_query_field field)
{
    switch (field) {
    case ACTA_QUERY_CATEGORY:
        return "--category";
    case ACTA_QUERY_TYPE:
        return "--type";
    case ACTA_QUERY_TAG:
        return "--tag";
    case ACTA_QUERY_STREAM:
        return "--stream";
    case ACTA_QUERY_CORRELATION_ID:
        return "--corr";
    }
    return "--unknown";
}

/* A shell takes these as they are. */
static bool
is_plain(const char *text)
{
    return *text != '\0' && text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
                                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789-_.:/@%+,")] == '\0';
}

/* As filter.h reads it: a * at the end is a prefix's, one of the name itself
 * has a backslash before it; a word with anything odd stands in quotes that it
 * does not have.
 */
static void
put_value(FILE *out, const struct acta_query_text *text)
{
    size_t size = strlen(text->text);
    bool has_star = size > 0 && text->text[size - 1] == '*' && !text->is_prefix;
    const char *quote = "";

    if (has_star || text->is_prefix || !is_plain(text->text)) {
        quote = strchr(text->text, '\'') == NULL ? "'" : "\"";
    }
    fprintf(out, "%s%.*s%s%s", quote, (int)(size - has_star), text->text,
            has_star ? "\\*" : "", text->is_prefix ? "*" : "");
    fputs(quote, out);
}

char *
query_text(const struct acta_query_text *const *texts, size_t count)
{
    char *whole = NULL;
    size_t size;
    FILE *out = open_memstream(&whole, &size);

    if (out == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            fputs(texts[i]->item != texts[i - 1]->item ? " --or " : " ", out);
        }
        fprintf(out, "%s ", option_of(texts[i]->field));
        put_value(out, texts[i]);
    }
    fputs(count == 0 ? "--all" : "", out);
    fclose(out);
    return whole;
}

static void
add(struct acta_query *query, const struct acta_query_text *text)
{
    struct acta_id id;

    switch (text->field) {
    case ACTA_QUERY_CATEGORY:
        acta_query_category(query, text->text);
        break;
    case ACTA_QUERY_TYPE:
        if (text->is_prefix) {
            acta_query_type_prefix(query, text->text);
        } else {
            acta_query_type(query, text->text);
        }
        break;
    case ACTA_QUERY_TAG:
        acta_query_tag(query, text->text);
        break;
    case ACTA_QUERY_STREAM:
        if (text->is_prefix) {
            acta_query_stream_prefix(query, text->text);
        } else {
            acta_query_stream(query, text->text);
        }
        break;
    case ACTA_QUERY_CORRELATION_ID:
        if (acta_id_parse(&id, text->text)) {
            acta_query_correlation_id(query, &id);
        }
        break;
    }
}

struct acta_query *
query_again(const struct acta_query_text *const *texts, size_t count)
{
    struct acta_query *query = count == 0 ? NULL : acta_query_new();

    for (size_t i = 0; i < count && query != NULL; i++) {
        if (i > 0 && texts[i]->item != texts[i - 1]->item) {
            acta_query_or(query);
        }
        add(query, texts[i]);
    }
    return query;
}

#include "import_lines.h"
#include "require.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 20000
#define NAMES_MAX 4000

static size_t
number_of(struct import_names *names, struct slice text)
{
    for (size_t i = 0; i < names->count; i++) {
        if (slice_equal(slice_of(names->texts[i]), text)) {
            return i;
        }
    }
    if (names->texts == NULL) {
        names->texts = calloc(NAMES_MAX, sizeof(char *));
    }
    require(names->count < NAMES_MAX);
    names->texts[names->count] = strndup((const char *)text.data, text.size);
    return names->count++;
}

/* The value that begins at @at: up to the comma or bracket that ends it. */
static struct slice
take_value(const char *at)
{
    const char *start = at;
    bool in_string = false;
    int depth = 0;

    for (;; at++) {
        require(*at != '\0' && *at != '\n');
        if (in_string) {
            if (*at == '\\') {
                at++;
            } else if (*at == '"') {
                in_string = false;
            }
        } else if (*at == '"') {
            in_string = true;
        } else if (*at == '{' || *at == '[') {
            depth++;
        } else if (depth == 0 && (*at == ',' || *at == '}' || *at == ']')) {
            return slice_make(start, (size_t)(at - start));
        } else if (*at == '}' || *at == ']') {
            depth--;
        }
    }
}

/* A string without its quotes. */
static struct slice
text_of(struct slice value)
{
    require(value.size >= 2 && value.data[0] == '"');
    require(memchr(value.data, '\\', value.size) == NULL);
    return slice_make(value.data + 1, value.size - 2);
}

static void
take_tags(struct import_file *file, struct import_line *line,
          struct slice value)
{
    const char *at = (const char *)value.data + 1;

    while (*at != ']') {
        struct slice tag = take_value(at);

        require(line->tags_count < IMPORT_TAGS_MAX);
        line->tags[line->tags_count++] = number_of(&file->tags, text_of(tag));
        at = (const char *)tag.data + tag.size;
        at += *at == ',' ? 1 : 0;
    }
}

static void
take_field(struct import_file *file, struct import_line *line,
           struct slice name, struct slice value)
{
    if (slice_equal(name, slice_of("stream"))) {
        struct slice stream = text_of(value);
        const uint8_t *dash = memchr(stream.data, '-', stream.size);
        size_t size = dash == NULL ? stream.size : (size_t)(dash - stream.data);

        line->stream = number_of(&file->streams, stream);
        line->category =
            number_of(&file->categories, slice_make(stream.data, size));
    } else if (slice_equal(name, slice_of("type"))) {
        line->type = number_of(&file->types, text_of(value));
    } else if (slice_equal(name, slice_of("tags"))) {
        take_tags(file, line, value);
    } else if (slice_equal(name, slice_of("data"))) {
        line->data = value;
    } else if (slice_equal(name, slice_of("metadata"))) {
        line->metadata = value;
    } else {
        ck_abort_msg("unknown field %.*s", (int)name.size,
                     (const char *)name.data);
    }
}

/* Returns what is behind the line. */
static const char *
take_line(struct import_file *file, struct import_line *line, const char *at)
{
    ck_assert(*at == '{');
    while (*at != '}') {
        const char *name = at + 2;
        const char *end = name;
        struct slice value;

        while (*end != '"') {
            require(*end++ != '\0');
        }
        value = take_value(end + 2); /* Behind the colon. */
        take_field(file, line, slice_make(name, (size_t)(end - name)), value);
        at = (const char *)value.data + value.size;
    }
    ck_assert(at[1] == '\n');
    return at + 2;
}

void
import_file_open(struct import_file *file, const char *path)
{
    FILE *input = fopen(path, "re");
    size_t room = 0;
    const char *at;

    *file = (struct import_file){.count = 0};
    require(input != NULL);
    require(getdelim(&file->text, &room, '\0', input) > 0);
    fclose(input);
    file->lines = calloc(LINES_MAX, sizeof(*file->lines));
    require(file->lines != NULL);
    for (at = file->text; *at != '\0'; file->count++) {
        require(file->count < LINES_MAX);
        at = take_line(file, &file->lines[file->count], at);
    }
}

static void
free_names(struct import_names *names)
{
    while (names->count > 0) {
        free(names->texts[--names->count]);
    }
    free(names->texts);
}

void
import_file_close(struct import_file *file)
{
    free_names(&file->streams);
    free_names(&file->categories);
    free_names(&file->types);
    free_names(&file->tags);
    free(file->lines);
    free(file->text);
}

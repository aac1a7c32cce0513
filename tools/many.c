#include "many.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "line.h"

bool
many_init(struct many *many, struct acta_append *append)
{
    *many = (struct many){
        .append = append,
        .streams = calloc(ACTA_APPEND_EVENTS_MAX, sizeof(*many->streams)),
        .expected = calloc(ACTA_APPEND_EVENTS_MAX, sizeof(*many->expected)),
    };
    if (many->streams == NULL || many->expected == NULL) {
        cli_error(ACTA_MEMORY, "out of memory");
        many_fini(many);
        return false;
    }
    return true;
}

void
many_fini(struct many *many)
{
    for (size_t i = 0; i < many->writes; i++) {
        free((void *)(uintptr_t)many->streams[i]);
    }
    free(many->streams);
    free(many->expected);
    *many = (struct many){.append = many->append};
}

/* A stream is expected to be at one version, that before the append, however
 * many writes it has: its first line says at which.
 */
static enum acta_code
settle_expected(const struct many *many, const struct line *line,
                int64_t *expected, struct acta_err *err)
{
    *expected = line->expected;
    for (size_t i = 0; i < many->writes; i++) {
        if (strcmp(many->streams[i], line->stream) == 0) {
            *expected = many->expected[i];
            if (line->has_expected && line->expected != *expected) {
                return acta_fail(err, ACTA_INVALID,
                                 "expected: the stream's first line says "
                                 "otherwise, and it is about the stream as it "
                                 "was before all of this");
            }
            break;
        }
    }
    return ACTA_OK;
}

/* A write ends where another stream comes. */
static enum acta_code
begin_write(struct many *many, const struct line *line, struct acta_err *err)
{
    int64_t expected;
    enum acta_code code = settle_expected(many, line, &expected, err);
    const char *stream;

    if (code != ACTA_OK ||
        (many->writes > 0 &&
         strcmp(many->streams[many->writes - 1], line->stream) == 0)) {
        return code;
    }
    if (many->writes == ACTA_APPEND_EVENTS_MAX) {
        return acta_fail(err, ACTA_TOO_LARGE, "more than %d events",
                         ACTA_APPEND_EVENTS_MAX);
    }
    stream = strdup(line->stream);
    if (stream == NULL) {
        return acta_fail(err, ACTA_MEMORY, "out of memory");
    }
    many->streams[many->writes] = stream;
    many->expected[many->writes] = expected;
    many->writes++;
    acta_append_stream(many->append, stream, expected);
    return ACTA_OK;
}

static enum acta_code
add_line(struct many *many, struct slice text, struct acta_err *err)
{
    struct line line;
    enum acta_code code = line_parse(&line, text, many->lines, "", err);

    if (code != ACTA_OK) {
        return code;
    }
    code = begin_write(many, &line, err);
    if (code == ACTA_OK) {
        acta_append_event(many->append, &line.draft);
        code = acta_append_check(many->append, err);
    }
    line_free(&line);
    return code;
}

int
many_read(struct many *many)
{
    char *text = NULL;
    size_t capacity = 0;
    enum acta_code code = ACTA_OK;
    struct acta_err err;
    ssize_t size;

    while (code == ACTA_OK && (size = getline(&text, &capacity, stdin)) >= 0) {
        struct slice bytes = slice_make(text, (size_t)size);

        many->lines++;
        if (text[bytes.size - 1] == '\n') {
            bytes.size--;
        }
        if (bytes.size > 0) {
            code = add_line(many, bytes, &err);
        }
    }
    /* What was read before a failure is not to be taken for all there is. */
    if (code == ACTA_OK && !feof(stdin)) {
        many->lines++;
        code = acta_fail(&err, ACTA_IO, "%s", strerror(errno));
    }
    free(text);
    if (code != ACTA_OK) {
        cli_error(code, "stdin:%" PRIu64 ": %s", many->lines, err.text);
        cli_hint("nothing was appended");
        return cli_exit_code(code);
    }
    return EXIT_OK;
}

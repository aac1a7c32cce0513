#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_SIZE (1u << 20)

enum acta_code
input_open(struct input *input, const char *path, struct acta_err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct stat stat;

    *input = (struct input){.name = is_stdin ? "stdin" : path};
    input->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (input->fd < 0 || fstat(input->fd, &stat) != 0) {
        int error = errno;

        input_close(input);
        return acta_fail(err, error == ENOENT ? ACTA_NOT_FOUND : ACTA_IO,
                         "%s: %s", path, strerror(error));
    }
    input->is_file = S_ISREG(stat.st_mode);
    input->size = input->is_file ? (uint64_t)stat.st_size : 0;
    buf_init(&input->buf, INPUT_LINE_SIZE_MAX + READ_SIZE);
    return ACTA_OK;
}

void
input_close(struct input *input)
{
    if (input->fd > STDIN_FILENO) {
        close(input->fd);
    }
    buf_fini(&input->buf);
}

bool
input_line(struct input *input, struct slice *line)
{
    struct slice bytes = buf_slice(&input->buf);
    const uint8_t *end = NULL;

    if (bytes.size > input->looked_at) {
        end = memchr(bytes.data + input->looked_at, '\n',
                     bytes.size - input->looked_at);
    }
    if (end == NULL && (!input->at_end || bytes.size == 0)) {
        input->looked_at = bytes.size;
        return false;
    }
    /* The last line may lack its end. */
    line->data = bytes.data;
    line->size = end == NULL ? bytes.size : (size_t)(end - bytes.data);
    buf_consume(&input->buf, line->size + (end != NULL));
    input->consumed += line->size + (end != NULL);
    input->looked_at = 0;
    input->lines++;
    if (line->size > 0 && line->data[line->size - 1] == '\r') {
        line->size--;
    }
    return true;
}

/* Take what there is of the line that is passed over. */
static void
skip(struct input *input)
{
    struct slice bytes = buf_slice(&input->buf);
    const uint8_t *end =
        bytes.size == 0 ? NULL : memchr(bytes.data, '\n', bytes.size);
    size_t size = end == NULL ? bytes.size : (size_t)(end - bytes.data) + 1;

    buf_consume(&input->buf, size);
    input->consumed += size;
    input->skips = end == NULL;
}

void
input_skip_line(struct input *input)
{
    input->looked_at = 0;
    input->lines++;
    skip(input);
}

enum acta_code
input_read(struct input *input, struct acta_err *err)
{
    uint8_t *to;
    ssize_t size;

    if (buf_size(&input->buf) > INPUT_LINE_SIZE_MAX) {
        return acta_fail(err, ACTA_TOO_LARGE, "longer than %u bytes",
                         INPUT_LINE_SIZE_MAX);
    }
    to = buf_reserve(&input->buf, READ_SIZE);
    if (to == NULL) {
        return acta_fail(err, ACTA_MEMORY, "out of memory");
    }
    size = read(input->fd, to, READ_SIZE);
    if (size < 0 && errno != EINTR && errno != EAGAIN) {
        return acta_fail(err, ACTA_IO, "%s", strerror(errno));
    }
    if (size > 0) {
        buf_advance(&input->buf, (size_t)size);
        if (input->skips) {
            skip(input);
        }
    }
    input->at_end = size == 0;
    return ACTA_OK;
}

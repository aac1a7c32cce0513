/* Events are encoded when they are added, one behind the other; a frame is
 * their bytes with each write's head in front, once it is known how many there
 * are.
 */

#include "append.h"

#include <stdlib.h>

#include "event.h"
#include "given.h"
#include "limit.h"
#include "name.h"

/* What a write adds to a frame besides its events and its name. */
#define WRITE_HEAD_SIZE 32

struct acta_append *
acta_append_new(void)
{
    struct acta_append *append = calloc(1, sizeof(*append));

    if (append == NULL) {
        return NULL;
    }
    buf_init(&append->names,
             (size_t)ACTA_APPEND_EVENTS_MAX * ACTA_STREAM_SIZE_MAX);
    buf_init(&append->contents, ACTA_APPEND_SIZE_MAX);
    return append;
}

void
acta_append_free(struct acta_append *append)
{
    if (append == NULL) {
        return;
    }
    terms_clear(&append->terms);
    free(append->terms.checks);
    free(append->terms.conditions);
    effects_fini(&append->effects);
    buf_fini(&append->names);
    buf_fini(&append->contents);
    free(append->writes);
    free(append->ids);
    free(append);
}

void
acta_append_clear(struct acta_append *append)
{
    if (append == NULL) {
        return;
    }
    terms_clear(&append->terms);
    effects_clear(&append->effects);
    append->writes_count = 0;
    append->ids_count = 0;
    buf_clear(&append->names);
    buf_clear(&append->contents);
    append->err.code = ACTA_OK;
}

bool
append_grow(void **array, size_t count, size_t *capacity, size_t element_size)
{
    size_t wanted = *capacity == 0 ? 4 : *capacity * 2;
    void *larger;

    if (count < *capacity) {
        return true;
    }
    larger = realloc(*array, wanted * element_size);
    if (larger == NULL) {
        return false;
    }
    *array = larger;
    *capacity = wanted;
    return true;
}

enum acta_code
expected_check(struct slice stream, int64_t expected, struct acta_err *err)
{
    if (expected < ACTA_EXPECT_EXISTS) {
        return acta_fail(err, ACTA_INVALID, "expected version is %jd",
                         (intmax_t)expected);
    }
    return name_check(stream, ACTA_STREAM_SIZE_MAX, "stream", err);
}

void
acta_append_stream(struct acta_append *append, const char *stream,
                   int64_t expected)
{
    struct slice name;
    struct write *write;

    if (append == NULL || append->err.code != ACTA_OK) {
        return;
    }
    name = slice_of(stream == NULL ? "" : stream);
    if (expected_check(name, expected, &append->err) != ACTA_OK) {
        acta_wrap(&append->err, append->err.code, "write %zu",
                  append->writes_count);
        return;
    }
    if (append->writes_count == ACTA_APPEND_EVENTS_MAX) {
        acta_fail(&append->err, ACTA_TOO_LARGE, "append has over %d writes",
                  ACTA_APPEND_EVENTS_MAX);
        return;
    }
    if (!append_grow((void **)&append->writes, append->writes_count,
                     &append->writes_capacity, sizeof(*append->writes))) {
        acta_fail(&append->err, ACTA_MEMORY, "append");
        return;
    }
    write = &append->writes[append->writes_count++];
    *write = (struct write){
        .name_start = buf_size(&append->names),
        .name_size = name.size,
        .expected = expected,
        .contents_end = buf_size(&append->contents),
    };
    buf_append_slice(&append->names, name);
    if (buf_failed(&append->names)) {
        acta_fail(&append->err, ACTA_MEMORY, "append");
    }
}

static enum acta_code
check_draft(const struct acta_draft *draft, struct acta_err *err)
{
    enum acta_code code;

    code = name_check(slice_of(draft->type == NULL ? "" : draft->type),
                      ACTA_TYPE_SIZE_MAX, "type", err);
    if (code != ACTA_OK) {
        return code;
    }
    if (draft->tags_count > ACTA_TAGS_MAX) {
        return acta_fail(err, ACTA_TOO_LARGE, "%zu tags, the limit is %d",
                         draft->tags_count, ACTA_TAGS_MAX);
    }
    for (size_t i = 0; i < draft->tags_count; i++) {
        code =
            name_check(slice_of(draft->tags[i] == NULL ? "" : draft->tags[i]),
                       ACTA_TAG_SIZE_MAX, "tag", err);
        if (code != ACTA_OK) {
            return code;
        }
    }
    if (draft->data_size > ACTA_EVENT_SIZE_MAX ||
        draft->metadata_size > ACTA_EVENT_SIZE_MAX - draft->data_size) {
        return acta_fail(err, ACTA_TOO_LARGE,
                         "data and metadata are over the limit of %u bytes",
                         ACTA_EVENT_SIZE_MAX);
    }
    if ((unsigned)draft->format > ACTA_FORMAT_MSGPACK) {
        return acta_fail(err, ACTA_INVALID, "format is %d, must be 0, 1 or 2",
                         (int)draft->format);
    }
    return ACTA_OK;
}

/* Add the event, with room for its id at the end of ids. */
static enum acta_code
add_event(struct acta_append *append, const struct acta_draft *draft,
          struct acta_err *err)
{
    struct acta_id *id = &append->ids[append->ids_count];
    struct slice tags[ACTA_TAGS_MAX];
    enum acta_code code = check_draft(draft, err);
    struct event event;

    if (code != ACTA_OK) {
        return code;
    }
    if (draft->id != NULL) {
        *id = *draft->id;
    } else {
        code = id_source_next(&append->source, id, err);
        if (code != ACTA_OK) {
            return code;
        }
    }
    for (size_t i = 0; i < draft->tags_count; i++) {
        tags[i] = slice_of(draft->tags[i]);
    }
    event = (struct event){
        .type = slice_of(draft->type),
        .id = id->bytes,
        .correlation_id =
            draft->correlation_id == NULL ? NULL : draft->correlation_id->bytes,
        .causation_id =
            draft->causation_id == NULL ? NULL : draft->causation_id->bytes,
        .metadata = slice_make(draft->metadata, draft->metadata_size),
        .data = slice_make(draft->data, draft->data_size),
        .format = (enum event_format)draft->format,
    };
    event_encode_content(&append->contents, &event, tags, draft->tags_count);
    if (buf_failed(&append->contents)) {
        return acta_fail(err, buf_failure(&append->contents),
                         "append, whose limit is %u bytes",
                         ACTA_APPEND_SIZE_MAX);
    }
    return ACTA_OK;
}

void
acta_append_event(struct acta_append *append, const struct acta_draft *draft)
{
    struct acta_draft known;
    struct write *write;

    if (append == NULL || append->err.code != ACTA_OK) {
        return;
    }
    if (append->writes_count == 0) {
        acta_fail(&append->err, ACTA_INVALID, "event before the first stream");
        return;
    }
    if (append->ids_count == ACTA_APPEND_EVENTS_MAX) {
        acta_fail(&append->err, ACTA_TOO_LARGE, "append has over %d events",
                  ACTA_APPEND_EVENTS_MAX);
        return;
    }
    if (!given_copy(&known, sizeof(known), draft)) {
        acta_fail(&append->err, ACTA_INVALID,
                  "event is not of acta_draft_of()");
        return;
    }
    if (!append_grow((void **)&append->ids, append->ids_count,
                     &append->ids_capacity, sizeof(*append->ids))) {
        acta_fail(&append->err, ACTA_MEMORY, "append");
        return;
    }
    if (append->ids_count == 0) {
        id_source_begin(&append->source);
    }
    write = &append->writes[append->writes_count - 1];
    if (add_event(append, &known, &append->err) != ACTA_OK) {
        acta_wrap(&append->err, append->err.code, "write %zu, event %zu",
                  append->writes_count - 1, write->events_count);
        return;
    }
    append->ids_count++;
    write->events_count++;
    write->contents_end = buf_size(&append->contents);
}

size_t
acta_append_count(const struct acta_append *append)
{
    return append == NULL ? 0 : append->ids_count;
}

const struct acta_id *
acta_append_id(const struct acta_append *append, size_t index)
{
    return index < acta_append_count(append) ? &append->ids[index] : NULL;
}

size_t
acta_append_size(const struct acta_append *append)
{
    return append == NULL
               ? 0
               : buf_size(&append->contents) + buf_size(&append->names) +
                     append->writes_count * WRITE_HEAD_SIZE +
                     append->terms.size + append->effects.size;
}

enum acta_code
acta_append_check(const struct acta_append *append, struct acta_err *err)
{
    if (append == NULL) {
        return acta_fail(err, ACTA_MEMORY, "append");
    }
    if (append->err.code != ACTA_OK) {
        return acta_fail(err, append->err.code, "%s", append->err.text);
    }
    if (append->writes_count == 0 && !effects_suffice(&append->effects)) {
        return acta_fail(err, ACTA_INVALID, "append is empty");
    }
    for (size_t i = 0; i < append->writes_count; i++) {
        if (append->writes[i].events_count == 0) {
            return acta_fail(err, ACTA_INVALID, "write %zu has no events", i);
        }
    }
    return ACTA_OK;
}

static void
put_writes(const struct acta_append *append, struct buf *buf)
{
    struct slice names = buf_slice(&append->names);
    struct slice contents = buf_slice(&append->contents);
    size_t start = 0;

    for (size_t i = 0; i < append->writes_count; i++) {
        const struct write *write = &append->writes[i];

        msg_append_write(
            buf, slice_make(names.data + write->name_start, write->name_size),
            write->expected, write->events_count);
        buf_append(buf, contents.data + start, write->contents_end - start);
        start = write->contents_end;
    }
}

void
append_encode_writes(const struct acta_append *append, struct buf *buf)
{
    pack_array(buf, append->writes_count);
    put_writes(append, buf);
}

void
append_encode(const struct acta_append *append, struct buf *buf,
              uint64_t request_id)
{
    const struct append_terms *terms = &append->terms;
    size_t frame = msg_append_begin(buf, request_id, append->writes_count);
    struct msg_append_more more = {
        .checks = terms->checks,
        .checks_count = terms->checks_count,
        .conditions = terms->conditions,
        .conditions_count = terms->conditions_count,
        .command_id = terms->has_command_id ? terms->command_id.bytes : NULL,
        .unseen = terms->unseen,
    };

    effects_put(&append->effects, &more);
    put_writes(append, buf);
    msg_append_end(buf, frame, &more);
}

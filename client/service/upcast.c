/* Upcasters are a list of steps: there are few, and only events of old versions
 * look for them more than once.
 */

#include <stdio.h>
#include <stdlib.h>

#include "octets.h"

struct step {
    char *type; /* owned */
    size_t type_size;
    uint64_t from;
    acta_upcast_fn *upcast;
    void *user;
};

struct acta_upcasters {
    struct step *steps; /* owned */
    size_t count;
    struct acta_err err; /* What was wrong first. */
};

struct acta_upcast {
    struct acta_event event;
    char type[ACTA_TYPE_SIZE_MAX + 1];
    struct acta_bytes data[2]; /* Of the step before, and of the next. */
};

void
acta_bytes_put(struct acta_bytes *bytes, const void *data, size_t size)
{
    buf_append(&bytes->buf, data, size);
}

/* ---- versions ---- */

uint64_t
acta_type_version(const char *type, size_t *base_size)
{
    size_t size = strlen(type);
    size_t digits = size;
    uint64_t version = 0;

    if (base_size != NULL) {
        *base_size = size;
    }
    while (digits > 0 && type[digits - 1] >= '0' && type[digits - 1] <= '9') {
        digits--;
    }
    if (digits < 3 || digits == size || size - digits > 18 ||
        type[digits] == '0' || type[digits - 1] != 'v' ||
        type[digits - 2] != '.') {
        return 1;
    }
    version = strtoull(type + digits, NULL, 10);
    if (version < 2) {
        return 1;
    }
    if (base_size != NULL) {
        *base_size = digits - 2;
    }
    return version;
}

/* ---- upcasters ---- */

struct acta_upcasters *
acta_upcasters_new(void)
{
    return calloc(1, sizeof(struct acta_upcasters));
}

void
acta_upcasters_free(struct acta_upcasters *upcasters)
{
    if (upcasters == NULL) {
        return;
    }
    for (size_t i = 0; i < upcasters->count; i++) {
        free(upcasters->steps[i].type);
    }
    free(upcasters->steps);
    free(upcasters);
}

static const struct step *
find_step(const struct acta_upcasters *upcasters, const char *type,
          size_t type_size, uint64_t from)
{
    for (size_t i = 0; upcasters != NULL && i < upcasters->count; i++) {
        const struct step *step = &upcasters->steps[i];

        if (step->from == from && step->type_size == type_size &&
            memcmp(step->type, type, type_size) == 0) {
            return step;
        }
    }
    return NULL;
}

static enum acta_code
check_step(const struct acta_upcasters *upcasters, const char *type,
           uint64_t from, acta_upcast_fn *upcast, struct acta_err *err)
{
    if (acta_type_version(type, NULL) != 1) {
        return acta_fail(err, ACTA_INVALID,
                         "%s: upcasters name types without versions", type);
    }
    if (from == 0 || upcast == NULL) {
        return acta_fail(err, ACTA_INVALID,
                         "%s: an upcaster is from version 1 or above", type);
    }
    if (find_step(upcasters, type, strlen(type), from) != NULL) {
        return acta_fail(err, ACTA_INVALID,
                         "%s: two upcasters from version %ju", type,
                         (uintmax_t)from);
    }
    return ACTA_OK;
}

void
acta_upcasters_add(struct acta_upcasters *upcasters, const char *type,
                   uint64_t from, acta_upcast_fn *upcast, void *user)
{
    struct step step = {NULL, strlen(type), from, upcast, user};
    struct step *steps;

    if (upcasters == NULL || upcasters->err.code != ACTA_OK ||
        check_step(upcasters, type, from, upcast, &upcasters->err) != ACTA_OK) {
        return;
    }
    steps = realloc(upcasters->steps, (upcasters->count + 1) * sizeof(step));
    if (steps != NULL) {
        upcasters->steps = steps;
        step.type = strdup(type);
    }
    if (step.type == NULL) {
        acta_fail(&upcasters->err, ACTA_MEMORY, "upcasters");
        return;
    }
    steps[upcasters->count++] = step;
}

enum acta_code
acta_upcasters_check(const struct acta_upcasters *upcasters,
                     struct acta_err *err)
{
    if (upcasters == NULL) {
        return acta_fail(err, ACTA_MEMORY, "upcasters");
    }
    if (upcasters->err.code != ACTA_OK) {
        return acta_fail(err, upcasters->err.code, "%s", upcasters->err.text);
    }
    for (size_t i = 0; i < upcasters->count; i++) {
        const struct step *step = &upcasters->steps[i];

        if (step->from > 1 && find_step(upcasters, step->type, step->type_size,
                                        step->from - 1) == NULL) {
            return acta_fail(err, ACTA_INVALID,
                             "%s: no upcaster from version %ju", step->type,
                             (uintmax_t)step->from - 1);
        }
    }
    return ACTA_OK;
}

static uint64_t
newest_of(const struct acta_upcasters *upcasters, const char *type,
          size_t type_size)
{
    uint64_t newest = 1;

    while (find_step(upcasters, type, type_size, newest) != NULL) {
        newest++;
    }
    return newest;
}

uint64_t
acta_upcasters_newest(const struct acta_upcasters *upcasters, const char *type)
{
    return newest_of(upcasters, type, strlen(type));
}

void
acta_query_all_versions(struct acta_query *query, const char *type)
{
    char prefix[ACTA_TYPE_SIZE_MAX + sizeof(".v")];

    /* The prefix finds versions that nobody knows yet. One that is too long to
     * be a type's has no versions.
     */
    acta_query_type(query, type);
    if (strlen(type) + 2 <= ACTA_TYPE_SIZE_MAX) {
        snprintf(prefix, sizeof(prefix), "%s.v", type);
        acta_query_type_prefix(query, prefix);
    }
}

/* ---- upcasting ---- */

struct acta_upcast *
acta_upcast_new(void)
{
    struct acta_upcast *upcast = calloc(1, sizeof(*upcast));

    if (upcast != NULL) {
        buf_init(&upcast->data[0].buf, BYTES_SIZE_MAX);
        buf_init(&upcast->data[1].buf, BYTES_SIZE_MAX);
    }
    return upcast;
}

void
acta_upcast_free(struct acta_upcast *upcast)
{
    if (upcast == NULL) {
        return;
    }
    buf_fini(&upcast->data[0].buf);
    buf_fini(&upcast->data[1].buf);
    free(upcast);
}

static enum acta_code
take_step(struct acta_upcast *upcast, const struct step *step,
          struct acta_err *err)
{
    struct acta_bytes *data = &upcast->data[step->from % 2];
    struct acta_event *event = &upcast->event;

    buf_clear(&data->buf);
    if (!step->upcast(step->user, event, data)) {
        return acta_fail(err, ACTA_CORRUPT,
                         "event at position %ju of stream %s: no version %ju "
                         "of %s",
                         (uintmax_t)event->position, event->stream,
                         (uintmax_t)step->from + 1, event->type);
    }
    buf_append(&data->buf, "", 1);
    if (buf_failed(&data->buf)) {
        return acta_fail(err, buf_failure(&data->buf),
                         "event at position %ju of stream %s, version %ju",
                         (uintmax_t)event->position, event->stream,
                         (uintmax_t)step->from + 1);
    }
    event->data = buf_slice(&data->buf).data;
    event->data_size = buf_size(&data->buf) - 1;
    return ACTA_OK;
}

enum acta_code
acta_upcast_event(struct acta_upcast *upcast,
                  const struct acta_upcasters *upcasters,
                  const struct acta_event *event,
                  const struct acta_event **newest, struct acta_err *err)
{
    size_t base_size;
    uint64_t version = acta_type_version(event->type, &base_size);
    uint64_t known = newest_of(upcasters, event->type, base_size);
    enum acta_code code = ACTA_OK;

    *newest = event;
    if (base_size > ACTA_TYPE_SIZE_MAX) {
        return acta_fail(err, ACTA_INVALID,
                         "type of %zu bytes, the limit is %d", base_size,
                         ACTA_TYPE_SIZE_MAX);
    }
    if (version > known) {
        return acta_fail(err, ACTA_UNSUPPORTED,
                         "event at position %ju of stream %s is a %s, known "
                         "up to version %ju",
                         (uintmax_t)event->position, event->stream, event->type,
                         (uintmax_t)known);
    }
    if (version == known && version == 1) {
        return ACTA_OK;
    }
    upcast->event = *event;
    memcpy(upcast->type, event->type, base_size);
    upcast->type[base_size] = '\0';
    upcast->event.type = upcast->type;
    *newest = &upcast->event;
    for (; code == ACTA_OK && version < known &&
           event->format != ACTA_FORMAT_ERASED;
         version++) {
        code = take_step(upcast,
                         find_step(upcasters, upcast->type, base_size, version),
                         err);
    }
    return code;
}

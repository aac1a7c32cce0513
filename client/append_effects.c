#include "append_effects.h"

#include <stdlib.h>

#include "append.h"
#include "limit.h"
#include "name.h"
#include "span.h"

/* What an effect adds to a frame besides names and bytes. */
#define EFFECT_HEAD_SIZE 32

#define US_PER_MS 1000

/* ---- memory ---- */

static void
free_bytes(struct slice bytes)
{
    free((void *)(uintptr_t)bytes.data);
}

/* False: no memory. An empty slice is one of no bytes, but not NULL. */
static bool
copy_bytes(struct slice *to, const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size + 1);

    if (copy == NULL) {
        return false;
    }
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    *to = slice_make(copy, size);
    return true;
}

void
effects_clear(struct append_effects *effects)
{
    for (size_t i = 0; i < effects->checkpoints_count; i++) {
        free_bytes(effects->checkpoints[i].consumer);
    }
    for (size_t i = 0; i < effects->leases_count; i++) {
        free_bytes(effects->leases[i].lease);
    }
    for (size_t i = 0; i < effects->snapshots_count; i++) {
        free_bytes(effects->snapshots[i].stream);
        free_bytes(effects->snapshots[i].data);
    }
    for (size_t i = 0; i < effects->schedules_count; i++) {
        free_bytes(effects->schedules[i].name);
        free_bytes(effects->schedules[i].writes);
    }
    for (size_t i = 0; i < effects->cancellations_count; i++) {
        free_bytes(effects->cancellations[i]);
    }
    effects->checkpoints_count = 0;
    effects->leases_count = 0;
    effects->snapshots_count = 0;
    effects->schedules_count = 0;
    effects->cancellations_count = 0;
    effects->size = 0;
}

void
effects_fini(struct append_effects *effects)
{
    effects_clear(effects);
    free(effects->checkpoints);
    free(effects->leases);
    free(effects->snapshots);
    free(effects->schedules);
    free(effects->cancellations);
}

void
effects_put(const struct append_effects *effects, struct msg_append_more *more)
{
    more->checkpoints = effects->checkpoints;
    more->checkpoints_count = effects->checkpoints_count;
    more->leases = effects->leases;
    more->leases_count = effects->leases_count;
    more->snapshots = effects->snapshots;
    more->snapshots_count = effects->snapshots_count;
    more->schedules = effects->schedules;
    more->schedules_count = effects->schedules_count;
    more->cancellations = effects->cancellations;
    more->cancellations_count = effects->cancellations_count;
}

/* How many there are of all kinds. */
static size_t
effects_count(const struct append_effects *effects)
{
    return effects->checkpoints_count + effects->leases_count +
           effects->snapshots_count + effects->schedules_count +
           effects->cancellations_count;
}

bool
effects_suffice(const struct append_effects *effects)
{
    return effects_count(effects) > effects->leases_count;
}

/* ---- filling ---- */

/* Begin an effect on what has this name, of a kind that there are @count of so
 * far: *@name is a copy of it. False: the append has an error, now or since
 * before.
 */
static bool
begin(struct acta_append *append, const char *what, const char *text,
      size_t count, struct slice *name)
{
    struct slice given = slice_of(text == NULL ? "" : text);

    if (append == NULL || append->err.code != ACTA_OK) {
        return false;
    }
    if (effects_count(&append->effects) == ACTA_APPEND_EFFECTS_MAX) {
        acta_fail(&append->err, ACTA_TOO_LARGE, "append has over %d effects",
                  ACTA_APPEND_EFFECTS_MAX);
        return false;
    }
    if (name_check(given, ACTA_NAME_SIZE_MAX, what, &append->err) != ACTA_OK) {
        acta_wrap(&append->err, append->err.code, "%s %zu", what, count);
        return false;
    }
    if (!copy_bytes(name, given.data, given.size)) {
        acta_fail(&append->err, ACTA_MEMORY, "append");
        return false;
    }
    append->effects.size += EFFECT_HEAD_SIZE + given.size;
    return true;
}

static void
no_memory(struct acta_append *append, struct slice name)
{
    free_bytes(name);
    acta_fail(&append->err, ACTA_MEMORY, "append");
}

void
acta_append_checkpoint(struct acta_append *append, const char *consumer,
                       uint64_t epoch, uint64_t from, uint64_t to)
{
    struct append_effects *effects = append == NULL ? NULL : &append->effects;
    struct slice name;

    if (!begin(append, "consumer", consumer,
               effects == NULL ? 0 : effects->checkpoints_count, &name)) {
        return;
    }
    if (!append_grow((void **)&effects->checkpoints, effects->checkpoints_count,
                     &effects->checkpoints_capacity,
                     sizeof(*effects->checkpoints))) {
        no_memory(append, name);
        return;
    }
    effects->checkpoints[effects->checkpoints_count++] =
        (struct msg_checkpoint){
            .consumer = name,
            .epoch = epoch,
            .has_from = from != ACTA_FROM_ANY,
            .from = from == ACTA_FROM_ANY ? 0 : from,
            .to = to,
        };
}

void
acta_append_lease(struct acta_append *append, const char *lease, uint64_t fence)
{
    struct append_effects *effects = append == NULL ? NULL : &append->effects;
    struct slice name;

    if (!begin(append, "lease", lease,
               effects == NULL ? 0 : effects->leases_count, &name)) {
        return;
    }
    if (!append_grow((void **)&effects->leases, effects->leases_count,
                     &effects->leases_capacity, sizeof(*effects->leases))) {
        no_memory(append, name);
        return;
    }
    effects->leases[effects->leases_count++] =
        (struct msg_fence){.lease = name, .fence = fence};
}

/* Both slices of @snapshot are owned, and are freed if this fails. */
static void
add_snapshot(struct acta_append *append, const struct msg_snapshot *snapshot)
{
    struct append_effects *effects = &append->effects;

    if (!append_grow((void **)&effects->snapshots, effects->snapshots_count,
                     &effects->snapshots_capacity,
                     sizeof(*effects->snapshots))) {
        free_bytes(snapshot->data);
        no_memory(append, snapshot->stream);
        return;
    }
    effects->size += snapshot->data.size;
    effects->snapshots[effects->snapshots_count++] = *snapshot;
}

void
acta_append_snapshot(struct acta_append *append, const char *stream,
                     uint64_t version, uint64_t schema, const void *data,
                     size_t size)
{
    struct msg_snapshot snapshot = {.version = version, .schema = schema};

    if (!begin(append, "snapshot of stream", stream,
               append == NULL ? 0 : append->effects.snapshots_count,
               &snapshot.stream)) {
        return;
    }
    if (size > ACTA_SNAPSHOT_SIZE_MAX) {
        free_bytes(snapshot.stream);
        acta_fail(&append->err, ACTA_TOO_LARGE,
                  "snapshot of %zu bytes, the limit is %u", size,
                  ACTA_SNAPSHOT_SIZE_MAX);
        return;
    }
    if (!copy_bytes(&snapshot.data, data, size)) {
        no_memory(append, snapshot.stream);
        return;
    }
    add_snapshot(append, &snapshot);
}

void
acta_append_remove_snapshot(struct acta_append *append, const char *stream)
{
    struct msg_snapshot snapshot = {.is_removed = true};

    if (begin(append, "snapshot of stream", stream,
              append == NULL ? 0 : append->effects.snapshots_count,
              &snapshot.stream)) {
        add_snapshot(append, &snapshot);
    }
}

/* ---- schedules ---- */

/* Copy the writes of @what; NULL: the schedule is moved, and has none. */
static enum acta_code
copy_writes(struct slice *writes, const struct acta_append *what,
            struct acta_err *err)
{
    struct buf buf;
    bool copied;

    if (acta_append_check(what, err) != ACTA_OK) {
        return err->code;
    }
    if (what->writes_count == 0 || effects_count(&what->effects) > 0 ||
        what->terms.size > 0 || what->terms.has_command_id ||
        what->terms.unseen.events_max > 0) {
        return acta_fail(err, ACTA_INVALID,
                         "what is scheduled has writes, and nothing else");
    }
    buf_init(&buf, 2 * (size_t)ACTA_APPEND_SIZE_MAX);
    append_encode_writes(what, &buf);
    copied = !buf_failed(&buf) &&
             copy_bytes(writes, buf_slice(&buf).data, buf_size(&buf));
    buf_fini(&buf);
    return copied ? ACTA_OK : acta_fail(err, ACTA_MEMORY, "append");
}

static void
add_schedule(struct acta_append *append, const char *name,
             struct msg_schedule *schedule)
{
    struct append_effects *effects = &append->effects;
    char limit[SPAN_SIZE];
    char due[SPAN_SIZE];

    if (schedule->due_us > ACTA_DUE_US_MAX) {
        span_format(schedule->due_us, due);
        span_format(ACTA_DUE_US_MAX, limit);
        acta_fail(&append->err, ACTA_TOO_LARGE,
                  "schedule %s is due after %s, the limit is %s", name, due,
                  limit);
    } else if (begin(append, "schedule", name, effects->schedules_count,
                     &schedule->name)) {
        if (append_grow((void **)&effects->schedules, effects->schedules_count,
                        &effects->schedules_capacity,
                        sizeof(*effects->schedules))) {
            effects->size += schedule->writes.size;
            effects->schedules[effects->schedules_count++] = *schedule;
            return;
        }
        no_memory(append, schedule->name);
    }
    free_bytes(schedule->writes);
}

static uint64_t
us_of(uint64_t ms)
{
    return ms > ACTA_DUE_US_MAX / US_PER_MS ? UINT64_MAX : ms * US_PER_MS;
}

static void
make_schedule(struct acta_append *append, const char *name, bool is_delay,
              uint64_t due_us, const struct acta_append *what)
{
    struct msg_schedule schedule = {.is_delay = is_delay, .due_us = due_us};

    if (append == NULL || append->err.code != ACTA_OK) {
        return;
    }
    if (copy_writes(&schedule.writes, what, &append->err) != ACTA_OK) {
        acta_wrap(&append->err, append->err.code, "schedule %zu",
                  append->effects.schedules_count);
        return;
    }
    add_schedule(append, name, &schedule);
}

static void
move_schedule(struct acta_append *append, const char *name, bool is_delay,
              uint64_t due_us)
{
    struct msg_schedule schedule = {.is_delay = is_delay, .due_us = due_us};

    if (append != NULL && append->err.code == ACTA_OK) {
        add_schedule(append, name, &schedule);
    }
}

void
acta_append_schedule(struct acta_append *append, const char *name,
                     uint64_t due_us, const struct acta_append *what)
{
    make_schedule(append, name, false, due_us, what);
}

void
acta_append_schedule_in(struct acta_append *append, const char *name,
                        uint64_t delay_ms, const struct acta_append *what)
{
    make_schedule(append, name, true, us_of(delay_ms), what);
}

void
acta_append_move_schedule(struct acta_append *append, const char *name,
                          uint64_t due_us)
{
    move_schedule(append, name, false, due_us);
}

void
acta_append_move_schedule_in(struct acta_append *append, const char *name,
                             uint64_t delay_ms)
{
    move_schedule(append, name, true, us_of(delay_ms));
}

void
acta_append_cancel(struct acta_append *append, const char *schedule)
{
    struct append_effects *effects = append == NULL ? NULL : &append->effects;
    struct slice name;

    if (!begin(append, "cancelled schedule", schedule,
               effects == NULL ? 0 : effects->cancellations_count, &name)) {
        return;
    }
    if (!append_grow((void **)&effects->cancellations,
                     effects->cancellations_count,
                     &effects->cancellations_capacity,
                     sizeof(*effects->cancellations))) {
        no_memory(append, name);
        return;
    }
    effects->cancellations[effects->cancellations_count++] = name;
}

#include "group_scene.h"

#include <check.h>
#include <string.h>

#include "event.h"
#include "row.h"

struct group_scene scene;

static void
hand(void *user, void *member, uint64_t fence, uint64_t deliveries,
     struct slice record)
{
    (void)user;
    /* No assertion: Check allocates, which a test may not allow now. */
    scene.handed[scene.handed_count++ % LOG_EVENTS_MAX] = (struct handed){
        .member = member,
        .position = event_record_position(record),
        .fence = fence,
        .deliveries = deliveries,
    };
}

static enum acta_code
fetch(void *user, uint64_t position, struct slice *record, struct acta_err *err)
{
    (void)user;
    (void)err;
    scene.fetches++;
    return log_fetch(&scene.log, position, record);
}

const struct group_ports scene_ports = {.hand = hand, .fetch = fetch};

/* It is made of what was saved. */
static void
open_group(void)
{
    ck_assert_int_eq(group_new(&scene.group, &scene.consumer, &scene.checkpoint,
                               &scene_ports, NULL),
                     ACTA_OK);
    group_see_time(scene.group, scene.now_us, scene.now_us);
}

void
scene_setup(void)
{
    scene.consumer = (struct consumer){
        .number = 7,
        .kind = MSG_CONSUMER_GROUP,
        .settings =
            {
                .ack_timeout_us = SCENE_TIMEOUT_US,
                .deliveries_max = 3,
                .on_park = MSG_PARK_WAITS,
            },
    };
    scene.checkpoint = (struct checkpoint_row){.epoch = 1};
    scene.handed_count = 0;
    scene.fetches = 0;
    scene.now_us = 1;
    open_group();
}

void
scene_teardown(void)
{
    group_free(scene.group);
    log_free(&scene.log);
}

void
scene_append(unsigned key)
{
    log_append(&scene.log, key, true);
}

void
scene_append_times(unsigned key, unsigned times)
{
    while (times-- > 0) {
        scene_append(key);
    }
}

int
scene_take_save(void)
{
    struct slice rows;
    struct row row;
    struct buf buf;
    int count = 0;

    buf_init(&buf, 1 << 20);
    ck_assert_int_eq(group_take_save(scene.group, slice_of("g"), &buf, NULL),
                     ACTA_OK);
    rows_end(&buf);
    ck_assert_int_eq(rows_open(&rows, buf_slice(&buf), NULL), ACTA_OK);
    while (rows_next(&rows, &row)) {
        if (row.kind == ROW_PARKED) {
            count += row.value.size > 0 ? 1 : -1;
            continue;
        }
        ck_assert_int_eq(checkpoint_decode(&scene.checkpoint, row.value, NULL),
                         ACTA_OK);
        ck_assert_uint_le(scene.checkpoint.pending.size,
                          sizeof(scene.pending_bytes));
        memcpy(scene.pending_bytes, scene.checkpoint.pending.data,
               scene.checkpoint.pending.size);
        scene.checkpoint.pending.data = scene.pending_bytes;
    }
    buf_fini(&buf);
    return count;
}

int
scene_save(void)
{
    int count = scene_take_save();

    group_saved(scene.group, true);
    return count;
}

void
scene_run(void)
{
    (void)group_tick(scene.group);
    if (group_save_is_due(scene.group)) {
        (void)scene_save();
    }
    ck_assert_int_eq(group_begin(scene.group, NULL), ACTA_OK);
    while (group_wants(scene.group) > 0) {
        if (group_is_loading(scene.group)) {
            ck_assert_int_eq(group_load(scene.group, 1, NULL), ACTA_OK);
            continue;
        }
        if (group_read_to(scene.group) == scene.log.head) {
            break;
        }
        ck_assert_int_eq(
            group_add(scene.group,
                      log_record(&scene.log, group_read_to(scene.group) + 1),
                      NULL),
            ACTA_OK);
        ck_assert_int_eq(
            group_pass(scene.group, group_read_to(scene.group), NULL), ACTA_OK);
    }
}

struct group_member *
scene_join(const char *name, uint64_t slots)
{
    struct group_member *member =
        group_join(scene.group, slots, slice_of(name), (void *)(uintptr_t)name);

    ck_assert_ptr_nonnull(member);
    scene_run();
    return member;
}

void
scene_leave(struct group_member *member, bool died)
{
    group_leave(scene.group, member, died);
    scene_run();
}

void
scene_pass_time(uint64_t us)
{
    scene.now_us += us;
    group_see_time(scene.group, scene.now_us, scene.now_us);
    scene_run();
}

enum acta_code
scene_settle(struct group_member *member, enum msg_settle_kind kind,
             size_t index, uint64_t *settled, uint64_t *ticket)
{
    struct msg_answer msg = {
        .kind = kind,
        .fence = scene.handed[index].fence,
        .position = scene.handed[index].position,
        .delay_us = kind == MSG_RETRY ? 100 : 0,
        .reason = slice_of(kind == MSG_PARK ? "no stock" : ""),
    };

    return group_settle(scene.group, member, &msg, settled, ticket);
}

enum acta_code
scene_answer(struct group_member *member, enum msg_settle_kind kind,
             size_t index)
{
    uint64_t settled, ticket;
    enum acta_code code = scene_settle(member, kind, index, &settled, &ticket);

    scene_run();
    return code;
}

void
scene_assert_handed(size_t index, const char *member, uint64_t position,
                    uint64_t deliveries)
{
    ck_assert_uint_lt(index, scene.handed_count);
    ck_assert_str_eq(scene.handed[index].member, member);
    ck_assert_uint_eq(scene.handed[index].position, position);
    ck_assert_uint_eq(scene.handed[index].deliveries, deliveries);
}

void
scene_restart(void)
{
    group_free(scene.group);
    open_group();
}

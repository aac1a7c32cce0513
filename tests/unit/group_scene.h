/* A group with a log to hand out, and what it has handed out: the words in
 * which the tests of groups tell their examples. There is one, scene, which a
 * test begins with scene_setup() and ends with scene_teardown(). After each of
 * these words the group does what the groups' thread would do.
 */

#ifndef ACTA_TEST_GROUP_SCENE_H
#define ACTA_TEST_GROUP_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consumer.h"
#include "group.h"
#include "group_log.h"

#define SCENE_TIMEOUT_US UINT64_C(1000)

struct handed {
    const char *member;
    uint64_t position;
    uint64_t fence;
    uint64_t deliveries;
};

struct group_scene {
    struct event_log log;
    struct consumer consumer;
    struct checkpoint_row checkpoint; /* As it was saved last. */
    uint8_t pending_bytes[4096];      /* Of that. */
    struct group *group;
    struct handed handed[LOG_EVENTS_MAX];
    size_t handed_count;
    uint64_t now_us;
    unsigned fetches;
};

extern struct group_scene scene;
extern const struct group_ports scene_ports;

/* Events wait for parked ones; three deliveries, and SCENE_TIMEOUT_US for each.
 */
void scene_setup(void);
void scene_teardown(void);

/* A kill: only what was saved is left. */
void scene_restart(void);

/* What the groups' thread does after anything has happened. */
void scene_run(void);
void scene_pass_time(uint64_t us);

void scene_append(unsigned key);
void scene_append_times(unsigned key, unsigned times);

struct group_member *scene_join(const char *name, uint64_t slots);
void scene_leave(struct group_member *member, bool died);

/* Answer what was handed out as number @index. scene_settle() is group_settle()
 * and nothing behind it.
 */
enum acta_code scene_settle(struct group_member *member,
                            enum msg_settle_kind kind, size_t index,
                            uint64_t *settled, uint64_t *ticket);
enum acta_code scene_answer(struct group_member *member,
                            enum msg_settle_kind kind, size_t index);
void scene_assert_handed(size_t index, const char *member, uint64_t position,
                         uint64_t deliveries);

/* Take what is due to be saved; parked rows are counted. Returns how many rows
 * of parked events are set less those that are removed. The group is told that
 * it is durable by scene_save() only.
 */
int scene_take_save(void);
int scene_save(void);

#endif

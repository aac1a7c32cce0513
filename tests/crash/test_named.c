/* Everything that has a name survives: a kill, a stop in order, a checkpoint,
 * and a journal that has not seen one. It is told field by field before, and is
 * the same after.
 */

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "daemon.h"
#include "inventory.h"
#include "nap.h"
#include "notes.h"
#include "require.h"
#include "rnd.h"
#include "run.h"
#include "tempdir.h"
#include "wire.h"

#define ROUNDS      3
#define ROUNDS_LONG 40
#define TEXT_MAX    ((size_t)16 << 20)
#define LOOK_US     1000
#define TIMEOUT_S   1800

struct scene {
    struct tempdir dir;
    struct rnd rnd;
    struct daemon daemon;
    struct wire wire;
    struct buf before, after;
};

static void
begin(struct scene *scene, const char *checkpoint_events)
{
    rnd_init(&scene->rnd);
    tempdir_make(&scene->dir);
    daemon_init(&scene->daemon, scene->dir.path, &scene->rnd);
    daemon_option(&scene->daemon, checkpoint_events);
    daemon_start(&scene->daemon);
    wire_init(&scene->wire, &scene->daemon);
    wire_connect(&scene->wire);
    buf_init(&scene->before, TEXT_MAX);
    buf_init(&scene->after, TEXT_MAX);
}

static void
end(struct scene *scene)
{
    buf_fini(&scene->before);
    buf_fini(&scene->after);
    wire_fini(&scene->wire);
    daemon_stop(&scene->daemon);
    tempdir_remove(&scene->dir);
}

/* The first line of @after that differs, in the words of both. */
static void
expect_same(const struct scene *scene, const char *what)
{
    const char *before = (const char *)buf_slice(&scene->before).data;
    const char *after = (const char *)buf_slice(&scene->after).data;

    while (*before != '\0' || *after != '\0') {
        int before_size = (int)strcspn(before, "\n");
        int after_size = (int)strcspn(after, "\n");

        ck_assert_msg(before_size == after_size &&
                          memcmp(before, after, (size_t)after_size) == 0,
                      "%s changed\n%.*s\ninto\n%.*s", what, before_size, before,
                      after_size, after);
        before += before_size + (before[before_size] != '\0');
        after += after_size + (after[after_size] != '\0');
    }
}

static void
start_again(struct scene *scene, const char *what)
{
    daemon_start(&scene->daemon);
    wire_connect(&scene->wire);
    inventory_tell(&scene->wire, &scene->after);
    expect_same(scene, what);
}

/* With an event behind all rows, they are in the store when it is. */
static void
wait_for_checkpoint(struct scene *scene)
{
    uint64_t end = notes_time_us() + wire_patience_us();
    uint64_t head;

    ck_assert_int_eq(wire_append(&scene->wire, "last", "Last", NULL, ""),
                     ACTA_OK);
    head = wire_head(&scene->wire);
    while (wire_status(&scene->wire, "database.stored") < head) {
        ck_assert_uint_lt(notes_time_us(), end);
        nap_us(LOOK_US);
    }
}

/* A server that stops gives its clients time to leave. */
static void
survive(struct scene *scene)
{
    inventory_tell(&scene->wire, &scene->before);
    daemon_kill(&scene->daemon);
    start_again(scene, "a kill");
    wire_cut(&scene->wire);
    daemon_stop(&scene->daemon);
    start_again(scene, "a stop");
}

START_TEST(names_survive_in_a_journal_that_was_not_checkpointed)
{
    struct scene scene = {.before = {.data = NULL}};
    unsigned rounds = rnd_effort(ROUNDS, ROUNDS_LONG);

    begin(&scene, "--checkpoint-events=1000000");
    for (unsigned round = 0; round < rounds; round++) {
        inventory_make(&scene.wire, &scene.rnd, round);
        survive(&scene);
        inventory_use(&scene.wire);
        survive(&scene);
    }
    end(&scene);
}
END_TEST

START_TEST(names_survive_checkpoints)
{
    struct scene scene = {.before = {.data = NULL}};
    unsigned rounds = rnd_effort(ROUNDS, ROUNDS_LONG);

    begin(&scene, "--checkpoint-events=1");
    for (unsigned round = 0; round < rounds; round++) {
        inventory_make(&scene.wire, &scene.rnd, round);
        wait_for_checkpoint(&scene);
        survive(&scene);
        inventory_use(&scene.wire);
        wait_for_checkpoint(&scene);
        survive(&scene);
    }
    end(&scene);
}
END_TEST

/* Some in the store, some in the journal, some in both and changed since. */
START_TEST(names_survive_whatever_was_checkpointed)
{
    struct scene scene = {.before = {.data = NULL}};
    unsigned rounds = rnd_effort(ROUNDS, ROUNDS_LONG);

    begin(&scene, "--checkpoint-events=70");
    for (unsigned round = 0; round < rounds; round++) {
        inventory_make(&scene.wire, &scene.rnd, round);
        survive(&scene);
        inventory_use(&scene.wire);
        survive(&scene);
    }
    end(&scene);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("named");
    TCase *tcase = tcase_create("named");

    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_test(tcase, names_survive_in_a_journal_that_was_not_checkpointed);
    tcase_add_test(tcase, names_survive_checkpoints);
    tcase_add_test(tcase, names_survive_whatever_was_checkpointed);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}

/* The thread: what it waits for, its turns, its beginning and its end. */

#include "groups.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "groups_inside.h"
#include "outer.h"
#include "rooms.h"
#include "writer.h"

/* Steps in one turn: with more, members would wait long for their mail. */
#define STEPS_MAX 64

/* After a failure for want of memory it is tried again so much later. */
#define STARVED_US 10000

/* At the end the writer may have no space for what is to be saved. */
#define END_US 2000000

/* ---- word from other threads ---- */

static void
wake_for_save(void *user)
{
    struct groups *groups = user;

    inbox_wake(&groups->inbox);
}

/* Most commits come when nobody waits for one, and then cost the writer only
 * this look.
 */
static void
wake_for_commit(void *user)
{
    struct groups *groups = user;

    if (atomic_load(&groups->wants_commit) &&
        atomic_exchange(&groups->wants_commit, false)) {
        inbox_wake(&groups->inbox);
    }
}

enum acta_code
groups_submit(struct groups *groups, struct job *job)
{
    return inbox_put(&groups->inbox, job);
}

void
groups_changed(void *groups, struct slice name)
{
    inbox_put_name(&((struct groups *)groups)->inbox, name);
}

void
groups_refuse(struct groups *groups)
{
    inbox_close(&groups->inbox);
}

void
groups_stats(struct groups *groups, struct database_stats *stats)
{
    stats->groups = atomic_load(&groups->groups_count);
    stats->group_members = atomic_load(&groups->members_count);
    stats->group_in_hand = atomic_load(&groups->in_hand);
}

/* ---- a turn ---- */

static void
take_changes(struct groups *groups, const struct inbox_content *content)
{
    struct changed_name *changed = content->names;

    while (changed != NULL) {
        struct changed_name *next = changed->next;

        hosted_changed(groups, slice_make(changed->bytes, changed->size));
        free(changed);
        changed = next;
    }
    if (content->all_changed) {
        struct hosted *hosted;

        groups->has_left = true; /* Any may have been deleted. */
        LIST_FOREACH(hosted, &groups->all, in_all)
        {
            hosted->is_stale = true;
            hosted_make_busy(hosted);
        }
    }
}

static void
take_jobs(struct groups *groups, struct job *job)
{
    while (job != NULL) {
        struct job *next = job->next;

        groups_do(groups, job);
        job = next;
    }
}

static void
take_timers(struct groups *groups)
{
    struct heap_node *node;

    while ((node = heap_first(&groups->timers)) != NULL &&
           node->time <= groups->now_us) {
        heap_remove(&groups->timers, node);
        hosted_make_busy(OUTER(struct hosted, timer, node));
    }
}

static void
step_some(struct groups *groups)
{
    struct hosted *hosted;

    for (unsigned steps = 0;
         steps < STEPS_MAX && (hosted = TAILQ_FIRST(&groups->busy)) != NULL;
         steps++) {
        TAILQ_REMOVE(&groups->busy, hosted, in_busy);
        hosted->is_busy = false;
        if (hosted->is_stale && hosted->not_before <= groups->now_us) {
            hosted_changed(groups, hosted_name(hosted));
        } else {
            hosted_step(hosted);
            hosted_let_go_if_idle(hosted);
        }
    }
}

/* When there will be something to do, if nothing comes. */
static uint64_t
next_time(struct groups *groups, bool all_sent)
{
    struct heap_node *first = heap_first(&groups->timers);
    uint64_t until = first == NULL ? UINT64_MAX : first->time;

    if (!TAILQ_EMPTY(&groups->busy)) {
        return 0;
    }
    if (!all_sent && until > groups->now_us + STARVED_US) {
        until = groups->now_us + STARVED_US;
    }
    if (groups->has_left && !groups->is_sweeping && !groups->is_ending &&
        until > groups->sweep_at_us) {
        until = groups->sweep_at_us;
    }
    if (interest_count(groups->interest) > 0) {
        /* In this order: a commit in between is seen by one or the other. */
        atomic_store(&groups->wants_commit, true);
        if (database_head(groups->database) != groups->seen) {
            return 0;
        }
    }
    return until;
}

static void
look_at_clocks(struct groups *groups)
{
    groups->now_us = clock_mono().us;
    groups->wall_us = clock_wall().us;
    reader_set_time(groups->reader, groups->wall_us);
}

/* Returns when the next one is due. */
static uint64_t
turn(struct groups *groups, const struct inbox_content *content)
{
    look_at_clocks(groups);
    take_changes(groups, content);
    groups_take_saves(groups);
    take_jobs(groups, content->jobs);
    take_timers(groups);
    groups_look_at_head(groups);
    step_some(groups);
    groups_sweep(groups);
    return next_time(groups, peers_flush(&groups->peers));
}

/* ---- the end ---- */

static void
end_all(struct groups *groups)
{
    struct hosted *hosted;

    LIST_FOREACH(hosted, &groups->all, in_all)
    {
        hosted_end(hosted, ACTA_STOPPING, "server is stopping");
        hosted_make_busy(hosted);
    }
}

/* Memberships are over. What is still to be saved is, unless there is no space
 * for it: then events that were settled will be handed out again.
 */
static void
end(struct groups *groups)
{
    struct inbox_content content = {0};
    uint64_t until, last_us;
    struct hosted *hosted;

    look_at_clocks(groups);
    last_us = groups->now_us + END_US;
    groups->is_ending = true;
    end_all(groups);
    until = turn(groups, &content);
    while (groups->saves_count > 0 ||
           (!LIST_EMPTY(&groups->all) && groups->now_us < last_us)) {
        inbox_take(&groups->inbox, until < last_us ? until : last_us, &content);
        until = turn(groups, &content);
    }
    while ((hosted = LIST_FIRST(&groups->all)) != NULL) {
        hosted_discard(hosted);
    }
}

static void *
run(void *arg)
{
    struct groups *groups = arg;
    struct inbox_content content = {0};
    uint64_t until = 0;

    while (!content.is_closed) {
        inbox_take(&groups->inbox, until, &content);
        until = turn(groups, &content);
    }
    end(groups);
    writer_unwatch(groups->writer, &groups->watcher);
    reader_close(groups->reader);
    groups->reader = NULL;
    writer_refuse(groups->writer);
    return NULL;
}

/* ---- starting and stopping ---- */

struct groups *
groups_new(size_t queue_size)
{
    struct groups *groups = calloc(1, sizeof(*groups));

    if (groups == NULL) {
        return NULL;
    }
    groups->watcher = (struct watcher){.wake = wake_for_commit, .user = groups};
    inbox_init(&groups->inbox, queue_size);
    completions_init(&groups->saves, wake_for_save, groups);
    LIST_INIT(&groups->all);
    TAILQ_INIT(&groups->busy);
    TAILQ_INIT(&groups->open);
    peers_init(&groups->peers);
    buf_init(&groups->records, SIZE_MAX);
    buf_init(&groups->fetched, SIZE_MAX);
    groups->has_left = true; /* By a database that was stopped before. */
    return groups;
}

enum acta_code
groups_start(struct groups *groups, struct database *database,
             struct writer *writer, struct acta_err *err)
{
    enum acta_code code;

    groups->database = database;
    groups->writer = writer;
    code = reader_open(&groups->reader, database, err);
    if (code != ACTA_OK) {
        return code;
    }
    groups->interest = interest_new();
    writer_watch(writer, &groups->watcher);
    groups->is_started =
        groups->interest != NULL &&
        pthread_create(&groups->thread, NULL, run, groups) == 0;
    if (!groups->is_started) {
        writer_unwatch(writer, &groups->watcher);
        return acta_fail(err, ACTA_MEMORY, "start groups");
    }
    return ACTA_OK;
}

void
groups_stop(struct groups *groups)
{
    if (groups != NULL && groups->is_started) {
        groups_refuse(groups);
        pthread_join(groups->thread, NULL);
    }
}

void
groups_free(struct groups *groups)
{
    if (groups == NULL) {
        return;
    }
    reader_close(groups->reader);
    peers_fini(&groups->peers);
    name_map_fini(&groups->hosted, NULL); /* It is empty. */
    heap_fini(&groups->timers);
    interest_free(groups->interest);
    buf_fini(&groups->records);
    buf_fini(&groups->fetched);
    completions_fini(&groups->saves);
    inbox_fini(&groups->inbox);
    free(groups);
}

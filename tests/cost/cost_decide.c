/* Appends are decided, become records and postings in memory, and go from there
 * to the store.
 */

#include <inttypes.h>
#include <stdio.h>

#include "core.h"
#include "cost.h"
#include "run.h"

#define STREAMS 500
#define ROUNDS  4
#define BATCH   50
#define NAME    32

static uint8_t payload[256];

/* One event for each stream, at its version. */
static void
draft_round(struct job *jobs[static STREAMS], uint64_t round)
{
    for (size_t i = 0; i < STREAMS; i++) {
        char stream[NAME];
        struct draft draft = {
            .id = round * STREAMS + i + 1,
            .type = i % 2 == 0 ? "OrderPlaced" : "OrderShipped",
            .tags = {"region:north", "channel:web",
                     i % 10 == 0 ? "customer:7" : "customer:8"},
            .data = slice_make(payload, sizeof(payload)),
        };
        struct draft_write write = {stream, (int64_t)round, &draft, 1};

        snprintf(stream, sizeof(stream), "order-%zu", i);
        jobs[i] = draft_append(&write, 1);
    }
}

static void
decide_round(struct core *core, struct job *jobs[static STREAMS],
             const char *path)
{
    cost_begin();
    for (size_t i = 0; i < STREAMS; i += BATCH) {
        core_begin(core);
        for (size_t j = i; j < i + BATCH; j++) {
            (void)core_decide_next(core, jobs[j]);
        }
        core_end(core);
    }
    cost_end(path, STREAMS);
    for (size_t i = 0; i < STREAMS; i++) {
        ck_assert_int_eq(jobs[i]->outcome.code, ACTA_OK);
        job_free(jobs[i]);
    }
}

void
cost_decide(void)
{
    /* New streams; those that the memtable has; those that the store has. */
    static const char *const paths[ROUNDS] = {"decide-new", "decide-again",
                                              "decide-more", "decide-stored"};
    struct job *jobs[STREAMS];
    struct core core;

    core_open(&core);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        draft_round(jobs, round);
        decide_round(&core, jobs, paths[round]);
        if (round == 2) {
            core_seal(&core);
            cost_begin();
            core_store(&core);
            cost_end("checkpoint", round * STREAMS + STREAMS);
        }
    }
    core_close(&core);
}

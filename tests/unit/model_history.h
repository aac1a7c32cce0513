/* A random history: a real database and the model beside it, to which the same
 * is done, and that are asked the same.
 */

#ifndef ACTA_TEST_MODEL_HISTORY_H
#define ACTA_TEST_MODEL_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "db.h"
#include "model.h"
#include "rnd.h"
#include "uuid.h"

/* Among so many events nothing is given up for want of steps. */
#define HISTORY_DECIDED_MAX 1000

#define HISTORY_IDS         64
#define HISTORY_TEXT_SIZE   64
#define HISTORY_ERASED      64
#define HISTORY_ERASED_SIZE 24

/* Some of the data that was erased: how it began. It is random, so that it is
 * nowhere else.
 */
struct history_erased {
    uint8_t samples[HISTORY_ERASED][HISTORY_ERASED_SIZE];
    size_t count; /* Of all that were seen; the samples are some of them. */
};

struct history {
    struct rnd rnd;
    struct db db;
    struct model model;
    uint64_t now_us; /* What the clock shows, here and to the database. */
    struct uuid ids[HISTORY_IDS]; /* Used before: for repeats. */
    size_t ids_count;
    struct uuid commands[HISTORY_IDS];
    size_t commands_count;
    struct uuid_source source;
    struct buf last_append; /* The body of the last one, to be sent again. */
    struct history_erased erased;
    unsigned given_up; /* Conditions that were UNDECIDED. */
    bool is_apart;     /* One that the model took: it goes no further. */
};

/* ---- model_draw.c: what comes next ---- */

/* The name of a stream, in @text: few of them, so that they meet; one is the
 * beginning of another.
 */
struct slice draw_stream(struct history *history,
                         char text[static HISTORY_TEXT_SIZE]);

struct uuid draw_id(struct history *history);

/* A query, to be freed with query_fini(). */
void draw_query(struct history *history, struct query *query);

/* The body of an append: often one that is to be refused, sometimes one that
 * is not even valid.
 */
void draw_append(struct history *history, struct buf *body);

/* The body of a change of a stream. */
void draw_change(struct history *history, struct buf *body);

/* ---- model_ask.c: is it all the same? ---- */

/* Ask a random question of both, and fail the test if they answer differently.
 */
void ask(struct history *history);

/* Erased data is in no file, once the database says so. */
void ask_files(struct history *history);

/* The events that a refusal brings along are those that the model has. */
void ask_unseen(struct history *history, const struct msg_append *append);

#endif

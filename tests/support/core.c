#include "core.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "frame.h"
#include "limit.h"
#include "msg.h"

#define SECOND_US  1000000u
#define TAGS_MAX   4
#define TERMS_MAX  16
#define ITEMS_MAX  16
#define FRAME_ROOM ((size_t)ACTA_FRAME_SIZE_MAX + FRAME_HEADER_SIZE)

/* ---- drafts ---- */

struct uuid
draft_id(uint64_t number)
{
    struct uuid id = {{0}};

    put_key_u64(id.bytes + 8, number);
    return id;
}

static void
write_content(struct buf *to, const struct draft *draft)
{
    struct uuid id = draft_id(draft->id);
    struct uuid correlation = draft_id(draft->correlation);
    struct uuid causation = draft_id(draft->causation);
    struct slice tags[TAGS_MAX];
    size_t count = 0;
    struct event event = {
        .type = slice_of(draft->type == NULL ? "Noted" : draft->type),
        .id = id.bytes,
        .correlation_id = draft->correlation == 0 ? NULL : correlation.bytes,
        .causation_id = draft->causation == 0 ? NULL : causation.bytes,
        .metadata = draft->metadata,
        .data = draft->data,
        .format = draft->format,
    };

    while (count < TAGS_MAX && draft->tags[count] != NULL) {
        tags[count] = slice_of(draft->tags[count]);
        count++;
    }
    event_encode_content(to, &event, tags, count);
}

void
draft_event(struct event *event, struct buf *content, const char *stream,
            const struct draft *draft)
{
    struct pack_reader reader;

    buf_clear(content);
    write_content(content, draft);
    ck_assert(!buf_failed(content));
    pack_reader_init(&reader, buf_slice(content), NULL);
    event_decode_content(&reader, event);
    ck_assert(!reader.failed);
    event->stream = slice_of(stream);
}

static struct slice
body_behind(const struct buf *frame, size_t start)
{
    ck_assert(!buf_failed(frame));
    return slice_make(frame->data + frame->start + start + FRAME_HEADER_SIZE,
                      buf_size(frame) - start - FRAME_HEADER_SIZE);
}

static struct slice
write_body(struct buf *frame, const struct draft_write *writes, size_t count,
           const struct msg_append_more *more)
{
    size_t start = msg_append_begin(frame, 1, count);

    for (size_t w = 0; w < count; w++) {
        msg_append_write(frame, slice_of(writes[w].stream), writes[w].expected,
                         writes[w].count);
        for (size_t e = 0; e < writes[w].count; e++) {
            write_content(frame, &writes[w].drafts[e]);
        }
    }
    msg_append_end(frame, start, more);
    return body_behind(frame, start);
}

struct slice
draft_body(struct buf *frame, const struct draft_write *writes, size_t count)
{
    return write_body(frame, writes, count, NULL);
}

static struct job *
job_of(enum job_kind kind, struct slice body)
{
    struct acta_err err;
    struct job *job;

    ck_assert_msg(job_new(&job, kind, body, &err) == ACTA_OK, "%s", err.text);
    return job;
}

struct job *
draft_append_with(const struct draft_write *writes, size_t count,
                  const struct msg_append_more *more)
{
    struct buf frame;
    struct job *job;

    buf_init(&frame, FRAME_ROOM);
    job = job_of(JOB_APPEND, write_body(&frame, writes, count, more));
    buf_fini(&frame);
    return job;
}

struct job *
draft_append(const struct draft_write *writes, size_t count)
{
    return draft_append_with(writes, count, NULL);
}

struct job *
draft_change(const struct msg_change *change)
{
    struct buf frame;
    struct job *job;

    buf_init(&frame, FRAME_ROOM);
    msg_change_encode(&frame, 1, change);
    job = job_of(JOB_CHANGE, body_behind(&frame, 0));
    buf_fini(&frame);
    return job;
}

struct job *
draft_consumer(const struct msg_change_consumer *change)
{
    struct buf frame;
    struct job *job;

    buf_init(&frame, FRAME_ROOM);
    msg_change_consumer_encode(&frame, 1, change);
    job = job_of(JOB_CONSUMER, body_behind(&frame, 0));
    buf_fini(&frame);
    return job;
}

struct job *
draft_lease(const struct msg_change_lease *change)
{
    struct buf frame;
    struct job *job;

    buf_init(&frame, FRAME_ROOM);
    msg_change_lease_encode(&frame, 1, change);
    job = job_of(JOB_LEASE, body_behind(&frame, 0));
    buf_fini(&frame);
    return job;
}

struct job *
draft_await(const struct msg_await *wanted)
{
    struct buf frame;
    struct job *job;

    buf_init(&frame, FRAME_ROOM);
    msg_await_encode(&frame, 1, wanted);
    job = job_of(JOB_AWAIT, body_behind(&frame, 0));
    buf_fini(&frame);
    return job;
}

struct slice
draft_writes(struct buf *buf, const struct draft_write *writes, size_t count)
{
    struct slice body = draft_body(buf, writes, count);

    return slice_make(body.data + 1, body.size - 1); /* Behind its array. */
}

/* ---- rooms ---- */

static void
assert_ok(enum acta_code code, const struct acta_err *err)
{
    ck_assert_msg(code == ACTA_OK, "%s", err->text);
}

static void
open_rooms(struct core *core)
{
    struct store_meta meta;
    struct acta_err err;

    assert_ok(
        store_open(&core->rooms.store, core->dir.path, CORE_MAP_SIZE, &err),
        &err);
    assert_ok(store_meta(core->rooms.store, &meta, &err), &err);
    assert_ok(tail_init(&core->rooms.tail, meta.position, meta.sequence,
                        CORE_EVENTS_MAX, &err),
              &err);
    assert_ok(heads_open(&core->heads, &core->rooms, &err), &err);
    core->decider = decider_new(&core->heads);
    ck_assert_ptr_nonnull(core->decider);
    assert_ok(decider_load(core->decider, core->mono_us, &err), &err);
}

static void
close_rooms(struct core *core)
{
    decider_free(core->decider);
    heads_close(&core->heads);
    tail_fini(&core->rooms.tail);
    store_close(core->rooms.store);
}

void
core_open(struct core *core)
{
    struct uuid id = draft_id(1);
    struct acta_err err;

    *core = (struct core){.time_us = CORE_TIME_US};
    tempdir_make(&core->dir);
    assert_ok(store_create(core->dir.path, CORE_MAP_SIZE, &id, 0, &err), &err);
    open_rooms(core);
}

void
core_close(struct core *core)
{
    close_rooms(core);
    marks_fini(&core->rooms.marks);
    tempdir_remove(&core->dir);
}

void
core_reopen(struct core *core)
{
    core_checkpoint(core);
    close_rooms(core);
    open_rooms(core);
}

void
core_begin(struct core *core)
{
    struct acta_err err;

    core->sequence++;
    core->time_us += SECOND_US;
    heads_begin(&core->heads, core->sequence, core->time_us);
    assert_ok(decider_begin(core->decider, core->mono_us, &err), &err);
}

bool
core_decide_next(struct core *core, struct job *job)
{
    struct acta_err err;
    bool waits;

    assert_ok(decide(core->decider, job, &waits, &err), &err);
    return !waits;
}

void
core_end(struct core *core)
{
    struct memtable *active = tail_active(&core->rooms.tail);
    struct acta_err err;

    assert_ok(decider_end(core->decider, &err), &err);
    heads_end(&core->heads);
    tail_publish(&core->rooms.tail,
                 memtable_first_position(active) + memtable_count(active) - 1,
                 core->sequence);
}

/* Its rows take no more than what the writer makes room for. */
static void
assert_room(const struct core *core, const struct job *job, size_t for_time)
{
    size_t room = ROWS_HEADER_SIZE + for_time + job->rows_size;

    ck_assert_uint_le(buf_size(&core->heads.rows), room);
}

enum acta_code
core_decide(struct core *core, struct job *job)
{
    size_t for_time = decider_rows_size(core->decider, core->mono_us);

    core_begin(core);
    ck_assert_msg(core_decide_next(core, job), "the job waits");
    core_end(core);
    assert_room(core, job, for_time);
    return job->outcome.code;
}

enum acta_code
core_append(struct core *core, const char *stream, int64_t expected,
            const struct draft *drafts, size_t count)
{
    struct draft_write write = {stream, expected, drafts, count};
    struct job *job = draft_append(&write, 1);
    enum acta_code code = core_decide(core, job);

    job_free(job);
    return code;
}

enum acta_code
core_change(struct core *core, const struct msg_change *change)
{
    struct job *job = draft_change(change);
    enum acta_code code = core_decide(core, job);

    job_free(job);
    return code;
}

void
core_seal(struct core *core)
{
    struct acta_err err;

    assert_ok(tail_seal(&core->rooms.tail, core->sequence, core->time_us, &err),
              &err);
}

void
core_store(struct core *core)
{
    struct memtable *sealed;
    struct acta_err err;
    uint64_t sequence;

    sealed = tail_sealed(&core->rooms.tail, &sequence);
    ck_assert_ptr_nonnull(sealed);
    assert_ok(store_checkpoint(core->rooms.store, sealed, sequence,
                               core->time_us, &err),
              &err);
    memtable_unref(sealed);
    tail_drop_sealed(&core->rooms.tail);
}

void
core_checkpoint(struct core *core)
{
    if (tail_is_sealed(&core->rooms.tail)) {
        core_store(core);
    }
    core_seal(core);
    core_store(core);
}

uint64_t
core_head(struct core *core)
{
    return tail_head(&core->rooms.tail);
}

/* ---- queries ---- */

/* Cut @text, a copy of which is made, into terms; where they are ids, each is
 * made out of its number.
 */
static struct query_terms
cut(const char *text, bool ids, struct slice terms[static TERMS_MAX],
    char **memory)
{
    size_t count = 0;
    char *rest;

    *memory = strdup(text == NULL ? "" : text);
    rest = *memory;
    for (char *term; (term = strsep(&rest, " ")) != NULL;) {
        if (term[0] == '\0') {
            continue;
        }
        ck_assert_uint_lt(count, TERMS_MAX);
        if (ids) {
            struct uuid *id = malloc(sizeof(*id));

            *id = draft_id(strtoull(term, NULL, 10));
            terms[count++] = slice_make(id->bytes, UUID_SIZE);
        } else {
            terms[count++] = slice_of(term);
        }
    }
    return (struct query_terms){.texts = terms, .count = count};
}

/* A query that owns its memory, out of one that does not. */
static struct query
copy(const struct query *query)
{
    struct pack_reader reader;
    struct query copied;
    struct buf buf;

    buf_init(&buf, (size_t)1 << 20);
    query_encode(&buf, query);
    pack_reader_init(&reader, buf_slice(&buf), NULL);
    query_decode(&reader, &copied);
    ck_assert(!reader.failed);
    buf_fini(&buf);
    return copied;
}

struct query
core_query(const char *categories, const char *types, const char *tags,
           const char *streams, const char *correlations)
{
    const char *texts[QUERY_FIELDS] = {categories, types, tags, streams,
                                       correlations};
    struct slice terms[QUERY_FIELDS][TERMS_MAX];
    char *memory[QUERY_FIELDS];
    struct query_item item;
    struct query query = {&item, 1, NULL};

    for (enum query_field f = 0; f < QUERY_FIELDS; f++) {
        item.fields[f] =
            cut(texts[f], f == QUERY_CORRELATION_IDS, terms[f], &memory[f]);
    }
    query = copy(&query);
    for (size_t i = 0; i < item.fields[QUERY_CORRELATION_IDS].count; i++) {
        free((void *)(uintptr_t)terms[QUERY_CORRELATION_IDS][i].data);
    }
    for (enum query_field f = 0; f < QUERY_FIELDS; f++) {
        free(memory[f]);
    }
    return query;
}

struct query
core_query_or(struct query *queries, size_t count)
{
    struct query_item items[ITEMS_MAX];
    struct query query = {items, 0, NULL};

    for (size_t q = 0; q < count; q++) {
        for (size_t i = 0; i < queries[q].items_count; i++) {
            ck_assert_uint_lt(query.items_count, ITEMS_MAX);
            items[query.items_count++] = queries[q].items[i];
        }
    }
    query = copy(&query);
    for (size_t q = 0; q < count; q++) {
        query_fini(&queries[q]);
    }
    return query;
}

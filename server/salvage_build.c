/* The new database: all events again, in order, by checkpoints as a server
 * makes them, so that lists, postings and ids are made anew; then what was
 * swept is swept again; then rows.
 */

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "consumer.h"
#include "event.h"
#include "file.h"
#include "lease.h"
#include "memtable.h"
#include "record.h"
#include "salvage_inside.h"
#include "snapshot.h"
#include "store_lmdb.h"
#include "verify_contents.h"

#define EVENTS_MAX   65536u
#define BATCH_SIZE   ((size_t)64 << 20)
#define ROWS_BATCH   256u
#define DIR_MODE     0700
#define NUMBERS_JUMP (UINT64_C(1) << 32)

struct build {
    struct salvage *salvage;
    struct salvage_reader reader;
    struct store *store;       /* owned */
    struct memtable *memtable; /* owned: of the batch */
    struct store_edit *stubs;  /* owned: EVENTS_MAX */
    size_t stubs_count;
    uint64_t time_us;
    struct buf content; /* Of a placeholder, */
    struct buf record;
    struct acta_err *err;
};

/* ---- batches ---- */

static enum acta_code
sweep_again(struct build *build)
{
    enum acta_code code = ACTA_OK;
    size_t done = 0;

    while (code == ACTA_OK && done < build->stubs_count) {
        struct store_edited edited;

        code = store_rewrite(build->store, build->stubs + done,
                             build->stubs_count - done, BATCH_SIZE, &edited,
                             build->err);
        done += edited.done;
    }
    build->stubs_count = 0;
    return code;
}

static enum acta_code
begin_batch(struct build *build, uint64_t position)
{
    build->memtable = memtable_new(position, EVENTS_MAX);
    return build->memtable == NULL
               ? acta_fail(build->err, ACTA_MEMORY, "salvage")
               : ACTA_OK;
}

static enum acta_code
end_batch(struct build *build)
{
    enum acta_code code = ACTA_OK;

    if (memtable_count(build->memtable) > 0) {
        memtable_seal(build->memtable, 1, build->time_us);
        /* The new journal begins with entry 1. */
        code = store_checkpoint(build->store, build->memtable, 0,
                                build->time_us, build->err);
    }
    memtable_unref(build->memtable);
    build->memtable = NULL;
    return code == ACTA_OK ? sweep_again(build) : code;
}

static bool
is_full(const struct build *build)
{
    return memtable_room(build->memtable) == 0 ||
           memtable_size(build->memtable) >= BATCH_SIZE;
}

/* ---- events ---- */

static enum acta_code
add_event(struct build *build, struct salvage_stream *stream,
          const struct event *event)
{
    struct memlist *list = memtable_add_stream(
        build->memtable, event->stream, stream->version, 0, stream->id_max);

    if (list == NULL || !memtable_add(build->memtable, list, event)) {
        return acta_fail(build->err, ACTA_MEMORY, "salvage");
    }
    stream->version = event->version;
    if (memcmp(event->id, stream->id_max, UUID_SIZE) > 0) {
        memcpy(stream->id_max, event->id, UUID_SIZE);
    }
    build->time_us = event->time_us;
    return ACTA_OK;
}

/* An id for an event of which it is not known: of no version that clients make.
 */
static void
make_id(uint8_t id[static UUID_SIZE], uint64_t position)
{
    static const uint8_t front[8] = {'l', 'o', 's', 't', 0, 0, 0x80, 0};

    memcpy(id, front, sizeof(front));
    for (unsigned i = 0; i < 8; i++) {
        id[8 + i] = (uint8_t)(position >> (56 - 8 * i));
    }
    id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
}

/* What is known of an event besides its place. */
struct known {
    struct slice type;
    const uint8_t *correlation_id;
    struct slice tags[ACTA_TAGS_MAX];
    size_t tags_count;
};

static struct known
look_up(const struct salvage *salvage, const struct salvage_fact *fact)
{
    struct known known = {.type = slice_of(SALVAGE_LOST_NAME)};

    for (size_t i = 0; fact != NULL && i < fact->lists_count; i++) {
        const struct salvage_list *list = salvage_list(salvage, fact->lists[i]);

        if (list == NULL) {
            continue;
        }
        if (list->name.kind == LIST_TYPE) {
            known.type = list->name.name;
        } else if (list->name.kind == LIST_CORRELATION &&
                   list->name.name.size == UUID_SIZE) {
            known.correlation_id = list->name.name.data;
        } else if (list->name.kind == LIST_TAG &&
                   known.tags_count < ACTA_TAGS_MAX) {
            known.tags[known.tags_count++] = list->name.name;
        }
    }
    return known;
}

/* Where an event goes that is not there any more. */
static struct salvage_stream *
find_place(struct build *build, const struct salvage_fact *fact,
           uint64_t *version, bool *is_known)
{
    struct salvage *salvage = build->salvage;
    const struct salvage_list *list =
        fact == NULL ? NULL : salvage_list(salvage, fact->stream);
    struct salvage_stream *stream = NULL;

    *is_known = false;
    if (fact != NULL && fact->put != NULL) {
        stream = salvage_stream(salvage, fact->put->node.name);
        *version = fact->version;
    } else if (list != NULL && list->name.kind == LIST_STREAM &&
               fact->version > 0) {
        stream = salvage_stream(salvage, list->name.name);
        *version = fact->version;
        *is_known = true;
    }
    if (stream != NULL && *version == stream->version + 1) {
        return stream;
    }
    *is_known = false;
    stream = salvage_stream(salvage, slice_of(SALVAGE_LOST_NAME));
    if (stream != NULL) {
        *version = stream->version + 1;
    }
    return stream;
}

/* Encode @event, and read it back: what it points to is then in its record. */
static enum acta_code
make_record(struct build *build, struct event *event, const struct known *known)
{
    struct pack_reader pack;
    uint8_t *to = NULL;
    struct slice bytes;
    size_t size;

    buf_clear(&build->content);
    buf_clear(&build->record);
    event_encode_content(&build->content, event, known->tags,
                         known->tags_count);
    if (!buf_failed(&build->content)) {
        /* The head of the content's array is not part of it. */
        bytes = buf_slice(&build->content);
        event->content = slice_make(bytes.data + 1, bytes.size - 1);
        size = event_record_size(event);
        to = buf_reserve(&build->record, size);
    }
    if (to == NULL) {
        return acta_fail(build->err, ACTA_MEMORY, "salvage");
    }
    event_write_record(to, event);
    buf_advance(&build->record, size);
    pack_reader_init(&pack, buf_slice(&build->record), build->err);
    event_decode_record(&pack, event);
    return pack_code(&pack);
}

/* Put something in the place of an event that is lost or was swept. */
static enum acta_code
add_placeholder(struct build *build, uint64_t position, bool is_stub)
{
    struct salvage *salvage = build->salvage;
    const struct salvage_fact *fact = salvage_fact(salvage, position);
    struct known known = look_up(salvage, fact);
    struct salvage_lost lost = {.position = position, .type = known.type};
    uint8_t id[UUID_SIZE];
    struct event event = {.position = position,
                          .time_us = build->time_us,
                          .type = known.type,
                          .id = id,
                          .correlation_id = known.correlation_id,
                          .format = EVENT_ERASED};
    struct salvage_stream *stream =
        find_place(build, fact, &event.version, &lost.is_known);
    enum acta_code code;

    if (stream == NULL) {
        return acta_fail(build->err, ACTA_MEMORY, "salvage");
    }
    make_id(id, position);
    if (fact != NULL && fact->has_id) {
        memcpy(id, fact->id, UUID_SIZE);
    }
    if (!is_stub && known.tags_count < ACTA_TAGS_MAX) {
        known.tags[known.tags_count++] = slice_of(SALVAGE_LOST_TAG);
    }
    event.stream = stream->node.name;
    code = make_record(build, &event, &known);
    if (code != ACTA_OK) {
        return code;
    }
    if (is_stub) {
        build->stubs[build->stubs_count++] =
            (struct store_edit){position, STORE_STUB};
        salvage->report->swept++;
    } else {
        lost.stream = event.stream;
        lost.version = event.version;
        salvage->report->lost++;
        salvage->options->lost(salvage->options->user, &lost);
    }
    return add_event(build, stream, &event);
}

static enum acta_code
add_position(struct build *build, uint64_t position)
{
    struct salvage *salvage = build->salvage;
    struct salvage_stream *stream;
    struct event event;

    if (!salvage_read_event(&build->reader, position, &event)) {
        return add_placeholder(build, position,
                               salvage->states[position] == SALVAGE_STUB);
    }
    stream = salvage_stream(salvage, event.stream);
    if (stream == NULL) {
        return acta_fail(build->err, ACTA_MEMORY, "salvage");
    }
    if (event.version != stream->version + 1 ||
        event.time_us < build->time_us) {
        salvage_note(salvage,
                     "the event at position %" PRIu64
                     " can be read, but not be put in its place",
                     position);
        return add_placeholder(build, position, false);
    }
    salvage->report->events++;
    return add_event(build, stream, &event);
}

static enum acta_code
add_events(struct build *build)
{
    enum acta_code code = begin_batch(build, 1);

    for (uint64_t p = 1; code == ACTA_OK && p <= build->salvage->head; p++) {
        code = add_position(build, p);
        if (code == ACTA_OK && is_full(build)) {
            code = end_batch(build);
            if (code == ACTA_OK) {
                code = begin_batch(build, p + 1);
            }
        }
    }
    return code == ACTA_OK ? end_batch(build) : code;
}

/* ---- rows ---- */

struct rows {
    struct build *build;
    struct row rows[ROWS_BATCH];
    size_t count;
    uint64_t number_max; /* Of all that come from the one counter. */
    enum acta_code code;
};

static void
note_row(struct build *build, struct slice key, const char *why)
{
    salvage_note(build->salvage, "row %.*s of the %s %s",
                 key.data[0] == ROW_COMMAND ? 0 : (int)key.size - 1,
                 (const char *)key.data + 1, row_kind_name(key.data[0]), why);
}

static void
flush_rows(struct rows *rows)
{
    if (rows->code == ACTA_OK && rows->count > 0) {
        rows->code = store_set_rows(rows->build->store, rows->rows, rows->count,
                                    rows->build->err);
        rows->build->salvage->report->rows += rows->count;
    }
    rows->count = 0;
}

static void
put_row(struct rows *rows, const struct row *row)
{
    rows->rows[rows->count++] = *row;
    if (rows->count == ROWS_BATCH) {
        flush_rows(rows);
    }
}

static void
see_number(struct rows *rows, uint64_t number)
{
    if (number > rows->number_max) {
        rows->number_max = number;
    }
}

static void
see_numbers(struct rows *rows, const struct row *row)
{
    union {
        struct consumer consumer;
        struct checkpoint_row checkpoint;
        struct lease lease;
    } as;

    if (row->kind == ROW_CONSUMER &&
        consumer_decode(&as.consumer, row->value, NULL) == ACTA_OK) {
        see_number(rows, as.consumer.number);
    } else if (row->kind == ROW_CHECKPOINT &&
               checkpoint_decode(&as.checkpoint, row->value, NULL) == ACTA_OK) {
        see_number(rows, as.checkpoint.epoch);
    } else if (row->kind == ROW_LEASE &&
               lease_decode(&as.lease, row->value, NULL) == ACTA_OK) {
        see_number(rows, as.lease.fence);
    } else if (row->kind == ROW_COUNTER && row->value.size == 8) {
        see_number(rows, get_u64(row->value.data));
    }
}

/* A checkpoint behind the head would pass over events to come. */
static void
put_checkpoint(struct rows *rows, const struct row *row)
{
    struct build *build = rows->build;
    struct checkpoint_row checkpoint;
    struct row lower = *row;
    struct buf value;

    if (checkpoint_decode(&checkpoint, row->value, NULL) != ACTA_OK ||
        checkpoint.position <= build->salvage->head) {
        put_row(rows, row);
        return;
    }
    salvage_note(build->salvage,
                 "the checkpoint of %.*s was %" PRIu64 " and is %" PRIu64
                 " now, the new head",
                 (int)row->key.size, (const char *)row->key.data,
                 checkpoint.position, build->salvage->head);
    checkpoint.position = build->salvage->head;
    checkpoint.pending = SLICE_NONE;
    buf_init(&value, SIZE_MAX);
    checkpoint_encode(&value, &checkpoint);
    lower.value = buf_slice(&value);
    flush_rows(rows);
    put_row(rows, &lower);
    flush_rows(rows);
    buf_fini(&value);
}

static bool
is_ahead(struct build *build, const struct row *row)
{
    struct name_node *node = name_map_find(&build->salvage->streams, row->key);
    const struct salvage_stream *stream =
        (const struct salvage_stream *)(const void *)node;
    struct snapshot snapshot;

    return snapshot_decode(&snapshot, row->value, NULL) != ACTA_OK ||
           stream == NULL || snapshot.version > stream->version;
}

static void
take_row(struct rows *rows, const struct salvage_row *found)
{
    struct build *build = rows->build;
    struct slice key = found->node.name;
    struct row row = {(enum row_kind)key.data[0],
                      slice_make(key.data + 1, key.size - 1), found->value};
    uint8_t bytes[ROW_STORE_KEY_MAX];
    struct slice partner = verify_partner(bytes, key);

    see_numbers(rows, &row);
    if (!verify_is_row(key, found->value)) {
        note_row(build, key, "is none, and was left out");
    } else if (partner.size > 0 &&
               name_map_find(&build->salvage->rows, partner) == NULL) {
        note_row(build, key,
                 "lacks another that belongs to it, and was left "
                 "out");
    } else if (row.kind == ROW_SNAPSHOT && is_ahead(build, &row)) {
        note_row(build, key, "is of a version that is lost, and was left out");
    } else if (row.kind == ROW_CHECKPOINT) {
        put_checkpoint(rows, &row);
    } else if (row.kind != ROW_COUNTER) {
        put_row(rows, &row);
    }
}

/* Whatever is given from now on has to be greater than all that was given. If
 * that is not known, a jump is large enough.
 */
static void
put_counter(struct rows *rows)
{
    uint64_t number = rows->number_max;
    uint8_t value[8];

    if (rows->build->salvage->rows_are_uncertain) {
        number += NUMBERS_JUMP;
    }
    if (number > 0) {
        put_u64(value, number);
        put_row(rows, &(struct row){ROW_COUNTER, SLICE_NONE,
                                    slice_make(value, sizeof(value))});
        flush_rows(rows);
    }
}

static enum acta_code
add_rows(struct build *build)
{
    const struct name_map *map = &build->salvage->rows;
    struct rows rows = {.build = build, .code = ACTA_OK};

    for (size_t i = 0; i < map->buckets_count; i++) {
        for (struct name_node *n = map->buckets[i];
             rows.code == ACTA_OK && n != NULL; n = n->next_in_bucket) {
            take_row(&rows, (struct salvage_row *)(void *)n);
        }
    }
    flush_rows(&rows);
    if (rows.code == ACTA_OK) {
        put_counter(&rows);
    }
    return rows.code;
}

/* ---- all of it ---- */

/* Streams were gone through once already. */
static void
start_anew(struct salvage *salvage)
{
    for (size_t i = 0; i < salvage->streams.buckets_count; i++) {
        for (struct name_node *n = salvage->streams.buckets[i]; n != NULL;
             n = n->next_in_bucket) {
            ((struct salvage_stream *)(void *)n)->version = 0;
        }
    }
}

static enum acta_code
make_store(struct build *build, const char *dir)
{
    const struct store_meta *meta = &build->salvage->meta;
    char store[FILE_PATH_MAX], journal[FILE_PATH_MAX];
    struct acta_err *err = build->err;
    enum acta_code code;

    if ((code = file_join(store, dir, "store", err)) != ACTA_OK ||
        (code = file_join(journal, dir, "journal", err)) != ACTA_OK ||
        (code = file_make_dir(dir, DIR_MODE, err)) != ACTA_OK ||
        (code = file_make_dir(store, DIR_MODE, err)) != ACTA_OK ||
        (code = file_make_dir(journal, DIR_MODE, err)) != ACTA_OK ||
        (code = store_create(store, build->salvage->map_size, &meta->id,
                             meta->without, err)) != ACTA_OK ||
        (code = file_sync_dir(store, err)) != ACTA_OK) {
        return code;
    }
    return store_open(&build->store, store, build->salvage->map_size, err);
}

enum acta_code
salvage_build(struct salvage *salvage, const char *dir, struct acta_err *err)
{
    struct build build = {
        .salvage = salvage, .reader = {.salvage = salvage}, .err = err};
    enum acta_code code;

    start_anew(salvage);
    buf_init(&build.content, SIZE_MAX);
    buf_init(&build.record, SIZE_MAX);
    build.stubs = malloc(EVENTS_MAX * sizeof(*build.stubs));
    if (build.stubs == NULL) {
        code = acta_fail(err, ACTA_MEMORY, "salvage");
    } else {
        code = make_store(&build, dir);
    }
    if (code == ACTA_OK) {
        code = add_events(&build);
    }
    if (code == ACTA_OK) {
        code = add_rows(&build);
    }
    memtable_unref(build.memtable);
    store_close(build.store);
    salvage_reader_fini(&build.reader);
    buf_fini(&build.record);
    buf_fini(&build.content);
    free(build.stubs);
    return code == ACTA_OK ? file_sync_dir(dir, err) : code;
}

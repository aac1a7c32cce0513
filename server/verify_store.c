/* The tables of the store, each from its beginning to its end, and whether they
 * say the same of every event.
 *
 * That is found out by sums: of a hash of each (list, position) that follows
 * from an event, and of each that the lists have; and likewise of versions and
 * ids. Two sums are the same if and only if, but for a chance of one in 2^64,
 * what was added up is. So each table is read once and in its order, and next
 * to nothing is kept in memory: a bit for each event, since what is left of
 * those that were swept does not say which lists they are in.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "list.h"
#include "record.h"
#include "store_lmdb.h"
#include "verify_inside.h"

struct sum {
    uint64_t of_log;
    uint64_t of_index;
};

struct contents {
    struct verify *verify;
    struct store_view *view;
    const struct store_meta *meta;
    uint8_t *stubs;      /* owned: a bit for each position */
    uint8_t *numbers;    /* owned: a bit for each number of a list */
    uint64_t chunks;     /* That belong to lists. */
    struct sum lists;    /* (list, position) */
    struct sum versions; /* (position, version) */
    struct sum ids;      /* (id, position) */
    struct sum streams;  /* (number of the stream, position): of lists, ids */
};

/* Mix two numbers into one, so that sums of these tell apart what went in. */
static uint64_t
mix(uint64_t a, uint64_t b)
{
    uint64_t h = a ^ (b * UINT64_C(0x9e3779b97f4a7c15));

    h = (h ^ (h >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    h = (h ^ (h >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    return h ^ (h >> 32);
}

static bool
has_bit(const uint8_t *bits, uint64_t at)
{
    return (bits[at / 8] >> at % 8 & 1) != 0;
}

static void
set_bit(uint8_t *bits, uint64_t at)
{
    bits[at / 8] = (uint8_t)(bits[at / 8] | 1u << at % 8);
}

/* ---- the log ---- */

static void
add_event(struct contents *contents, const struct event *event)
{
    struct list_name names[LIST_NAMES_MAX];
    size_t count = list_names_of(event, names);

    for (size_t i = 0; i < count; i++) {
        contents->lists.of_log += mix(list_hash(&names[i]), event->position);
    }
    contents->ids.of_log += mix(list_hash_id(event->id), event->position);
}

static void
look_at_record(struct contents *contents, struct slice record,
               uint64_t position, uint64_t *time_us)
{
    struct pack_reader reader;
    struct event event;

    contents->verify->report->events++;
    contents->versions.of_log += mix(position, record_version(record));
    if (record_time(record) < *time_us) {
        verify_problem(contents->verify,
                       "store: the event at position %" PRIu64
                       " is recorded before the one in front of it",
                       position);
    }
    *time_us = record_time(record);
    if (record_is_stub(record)) {
        set_bit(contents->stubs, position);
        return;
    }
    pack_reader_init(&reader, record, NULL);
    event_decode_record(&reader, &event);
    if (reader.failed) {
        verify_problem(contents->verify,
                       "store: the event at position %" PRIu64 " is none",
                       position);
        return;
    }
    add_event(contents, &event);
}

static void
look_at_block(struct contents *contents, const struct block *block,
              uint64_t *time_us)
{
    for (uint64_t p = block->first_position; p < block_end(block); p++) {
        struct block_record record;

        if (block_get(block, p, &record, NULL) != ACTA_OK) {
            verify_problem(
                contents->verify,
                "store: the event at position %" PRIu64 " is damaged", p);
        } else {
            look_at_record(contents, slice_make(record.data, record.size), p,
                           time_us);
        }
    }
}

static void
look_for_gap(struct contents *contents, uint64_t due, uint64_t found)
{
    if (found != due) {
        verify_problem(contents->verify,
                       "store: the log goes on with position %" PRIu64
                       " where %" PRIu64 " is due",
                       found, due);
    }
}

static int
look_at_log(struct contents *contents)
{
    uint64_t due = 1, time_us = 0;
    MDB_val key, val;
    int rc;

    rc = mdb_cursor_get(contents->view->log, &key, &val, MDB_FIRST);
    for (; rc == 0;
         rc = mdb_cursor_get(contents->view->log, &key, &val, MDB_NEXT)) {
        uint64_t first =
            key.mv_size == LOG_KEY_SIZE ? get_key_u64(key.mv_data) : 0;
        struct block block;

        look_for_gap(contents, due, first);
        if (block_open(&block, slice_of_val(val), NULL) != ACTA_OK ||
            block.first_position != first ||
            block_end(&block) > contents->meta->position + 1) {
            verify_problem(contents->verify,
                           "store: the block of the log at position %" PRIu64
                           " is damaged",
                           first);
            due = first + 1;
            continue;
        }
        look_at_block(contents, &block, &time_us);
        due = block_end(&block);
    }
    look_for_gap(contents, contents->meta->position + 1, due);
    return rc;
}

/* ---- lists ---- */

/* The name of one by correlation id is no text. */
static void
fail_list(const struct contents *contents, const struct list_name *name)
{
    bool is_text = name->kind < LIST_CORRELATION;

    verify_problem(contents->verify,
                   "store: the list of kind %d of %.*s is damaged",
                   (int)name->kind, is_text ? (int)name->name.size : 6,
                   is_text ? (const char *)name->name.data : "its id");
}

/* Add positions to the sums. False if they are out of order. */
static bool
add_postings(struct contents *contents, const struct list_name *name,
             const struct list_head *head, const struct postings *postings,
             uint64_t *last)
{
    uint64_t hash = list_hash(name);

    for (size_t i = 0; i < postings->count; i++) {
        uint64_t position = postings->positions[i];

        if (position <= *last || position > contents->meta->position) {
            return false;
        }
        *last = position;
        if (!has_bit(contents->stubs, position)) {
            contents->lists.of_index += mix(hash, position);
        }
        if (name->kind == LIST_STREAM) {
            contents->versions.of_index +=
                mix(position, postings->first_ordinal + i);
            contents->streams.of_log += mix(head->number, position);
        }
    }
    return true;
}

/* Those that are in chunks, and then the newest. */
static bool
walk_list(struct contents *contents, const struct list_name *name,
          const struct list_head *head)
{
    struct store_view *view = contents->view;
    struct postings chunk = {.first_ordinal = 1};
    uint64_t last = 0, next = 1;
    uint8_t bytes[CHUNK_KEY_SIZE];
    MDB_val key = val_of(store_chunk_key(bytes, head->number, 0));
    MDB_val val;
    int rc;

    rc = mdb_cursor_get(view->postings, &key, &val, MDB_SET_RANGE);
    while (rc == 0 && next < head->newest.first_ordinal) {
        if (key.mv_size != CHUNK_KEY_SIZE ||
            get_key_u64(key.mv_data) != head->number ||
            postings_decode(&chunk, slice_of_val(key), slice_of_val(val),
                            NULL) != ACTA_OK ||
            chunk.first_ordinal != next ||
            !add_postings(contents, name, head, &chunk, &last)) {
            return false;
        }
        contents->chunks++;
        next += chunk.count;
        rc = mdb_cursor_get(view->postings, &key, &val, MDB_NEXT);
    }
    return next == head->newest.first_ordinal &&
           add_postings(contents, name, head, &head->newest, &last) &&
           next + head->newest.count == head->count + 1 &&
           last == head->last_position;
}

static bool
is_new_number(struct contents *contents, uint64_t number)
{
    if (number == 0 || number > contents->meta->lists_count ||
        has_bit(contents->numbers, number)) {
        return false;
    }
    set_bit(contents->numbers, number);
    return true;
}

static int
look_at_lists(struct contents *contents)
{
    MDB_val key, val;
    int rc;

    rc = mdb_cursor_get(contents->view->lists, &key, &val, MDB_FIRST);
    for (; rc == 0;
         rc = mdb_cursor_get(contents->view->lists, &key, &val, MDB_NEXT)) {
        const uint8_t *kind = key.mv_data;
        struct list_name name = {(enum list_kind) * kind,
                                 slice_make(kind + 1, key.mv_size - 1)};
        struct list_head head;

        contents->verify->report->lists++;
        contents->verify->report->streams += name.kind == LIST_STREAM;
        if (name.kind < LIST_STREAM || name.kind >= LIST_KINDS_END ||
            list_head_decode(&head, slice_of_val(key), slice_of_val(val),
                             NULL) != ACTA_OK ||
            !is_new_number(contents, head.number) ||
            !walk_list(contents, &name, &head)) {
            fail_list(contents, &name);
        }
    }
    return rc;
}

/* ---- ids ---- */

static int
look_at_ids(struct contents *contents)
{
    MDB_val key, val;
    int rc;

    rc = mdb_cursor_get(contents->view->ids, &key, &val, MDB_FIRST);
    for (; rc == 0;
         rc = mdb_cursor_get(contents->view->ids, &key, &val, MDB_NEXT)) {
        const uint8_t *id = key.mv_data;
        uint64_t position;

        contents->verify->report->ids++;
        if (key.mv_size != ID_KEY_SIZE ||
            store_read_id_value(slice_of_val(key), slice_of_val(val), &position,
                                NULL) != ACTA_OK ||
            position == 0 || position > contents->meta->position) {
            verify_problem(contents->verify,
                           "store: the place of an event id is damaged");
            continue;
        }
        contents->streams.of_index +=
            mix(get_key_u64(id + UUID_SIZE), position);
        if (!has_bit(contents->stubs, position)) {
            contents->ids.of_index += mix(list_hash_id(id), position);
        }
    }
    return rc;
}

/* ---- do they agree? ---- */

static void
compare(const struct contents *contents, const struct sum *sum,
        const char *what)
{
    if (sum->of_log != sum->of_index) {
        verify_problem(contents->verify, "store: %s", what);
    }
}

static void
compare_all(struct contents *contents)
{
    bool has_ids = (contents->meta->without & STORE_WITHOUT_EVENT_IDS) == 0;
    MDB_stat stat;

    compare(contents, &contents->lists,
            "lists have not the same events as the log");
    compare(contents, &contents->versions,
            "streams have not the same versions as the log");
    if (has_ids) {
        compare(contents, &contents->ids,
                "ids are not those of the events in the log");
        compare(contents, &contents->streams,
                "ids are not those of the events in streams");
    } else if (contents->verify->report->ids > 0) {
        verify_problem(contents->verify,
                       "store: it has event ids, which it does without");
    }
    if (mdb_stat(contents->view->txn, contents->view->store->postings, &stat) !=
            0 ||
        stat.ms_entries != contents->chunks) {
        verify_problem(contents->verify,
                       "store: there are postings that are in no list");
    }
}

static enum acta_code
look_at_all(struct contents *contents, struct acta_err *err)
{
    struct verify *verify = contents->verify;
    uint64_t problems = verify->report->problems;
    int rc;

    if ((rc = look_at_log(contents)) != MDB_NOTFOUND ||
        (rc = look_at_lists(contents)) != MDB_NOTFOUND ||
        (rc = look_at_ids(contents)) != MDB_NOTFOUND) {
        return store_fail(err, rc, "verify");
    }
    if (problems == verify->report->problems) {
        compare_all(contents);
    }
    return verify_rows(verify, contents->view, err);
}

static enum acta_code
look_at_view(struct verify *verify, struct store_view *view,
             struct acta_err *err)
{
    struct contents contents = {
        .verify = verify, .view = view, .meta = store_view_meta(view)};
    enum acta_code code;

    contents.stubs = calloc(contents.meta->position / 8 + 1, 1);
    contents.numbers = calloc(contents.meta->lists_count / 8 + 1, 1);
    if (contents.stubs == NULL || contents.numbers == NULL) {
        code = acta_fail(err, ACTA_MEMORY, "verify");
    } else {
        code = look_at_all(&contents, err);
    }
    free(contents.stubs);
    free(contents.numbers);
    return code;
}

enum acta_code
verify_store(struct verify *verify, struct store *store, struct acta_err *err)
{
    struct store_view *view;
    enum acta_code code = store_view_open(&view, store, err);

    if (code != ACTA_OK) {
        return code;
    }
    code = store_view_begin(view, err);
    if (code == ACTA_OK) {
        code = look_at_view(verify, view, err);
        store_view_end(view);
    }
    store_view_close(view);
    return code;
}

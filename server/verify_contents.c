#include "verify_contents.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "record.h"
#include "store_lmdb.h"

_Static_assert(sizeof(((struct verify_list *)0)->key) == LIST_KEY_SIZE_MAX,
               "a list's key has room");

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

enum acta_code
verify_contents_init(struct verify_contents *contents, struct verify *verify,
                     const struct store_meta *meta, struct acta_err *err)
{
    *contents = (struct verify_contents){
        .verify = verify,
        .meta = *meta,
        .position = meta->position,
        .lists_count = meta->lists_count,
        .due = 1,
    };
    contents->stubs = calloc(meta->position / 8 + 1, 1);
    contents->numbers = calloc(meta->lists_count / 8 + 1, 1);
    return contents->stubs == NULL || contents->numbers == NULL
               ? acta_fail(err, ACTA_MEMORY, "verify")
               : ACTA_OK;
}

void
verify_contents_fini(struct verify_contents *contents)
{
    free(contents->stubs);
    free(contents->numbers);
}

/* ---- the log ---- */

static void
add_event(struct verify_contents *contents, const struct event *event)
{
    struct list_name names[LIST_NAMES_MAX];
    size_t count = list_names_of(event, names);

    for (size_t i = 0; i < count; i++) {
        contents->lists.of_log += mix(list_hash(&names[i]), event->position);
    }
    contents->ids.of_log += mix(list_hash_id(event->id), event->position);
}

static void
look_at_record(struct verify_contents *contents, struct slice record,
               uint64_t position)
{
    struct pack_reader reader;
    struct event event;

    contents->verify->report->events++;
    if (record_time(record) < contents->time_us) {
        verify_problem(contents->verify,
                       "store: the event at position %" PRIu64
                       " is recorded before the one in front of it",
                       position);
    }
    contents->time_us = record_time(record);
    if (position > contents->position) {
        return;
    }
    contents->versions.of_log += mix(position, record_version(record));
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
look_at_block(struct verify_contents *contents, const struct block *block)
{
    uint64_t p = block->first_position;

    /* Blocks may be joined with what was looked at before, between two looks
     * at a store that changes.
     */
    for (p = p < contents->due ? contents->due : p; p < block_end(block); p++) {
        struct block_record record;

        if (block_get(block, p, &record, NULL) != ACTA_OK) {
            verify_problem(
                contents->verify,
                "store: the event at position %" PRIu64 " is damaged", p);
        } else {
            look_at_record(contents, slice_make(record.data, record.size), p);
        }
    }
}

static void
look_for_gap(struct verify_contents *contents, uint64_t found)
{
    if (found != contents->due) {
        verify_problem(contents->verify,
                       "store: the log goes on with position %" PRIu64
                       " where %" PRIu64 " is due",
                       found, contents->due);
    }
}

/* The position that a key of the log says; of a damaged one, that of its place
 * among the others.
 */
static uint64_t
log_key_position(struct slice key)
{
    uint8_t bytes[LOG_KEY_SIZE] = {0};

    memcpy(bytes, key.data,
           key.size < sizeof(bytes) ? key.size : sizeof(bytes));
    return get_key_u64(bytes);
}

static bool
open_log_block(const struct verify_contents *contents, struct slice key,
               struct slice value, struct block *block)
{
    return key.size == LOG_KEY_SIZE &&
           block_open(block, value, NULL) == ACTA_OK &&
           block->first_position == get_key_u64(key.data) &&
           block_end(block) <= contents->meta.position + 1;
}

bool
verify_log_is_due(const struct verify_contents *contents, struct slice key,
                  struct slice value)
{
    struct block block;

    return log_key_position(key) >= contents->due ||
           (open_log_block(contents, key, value, &block) &&
            block_end(&block) > contents->due);
}

void
verify_log_entry(struct verify_contents *contents, struct slice key,
                 struct slice value)
{
    uint64_t first = log_key_position(key);
    struct block block;

    if (!open_log_block(contents, key, value, &block)) {
        look_for_gap(contents, first);
        verify_problem(contents->verify,
                       "store: the block of the log at position %" PRIu64
                       " is damaged",
                       first);
        if (first >= contents->due) {
            contents->due = first + (first < UINT64_MAX);
        }
        return;
    }
    if (first > contents->due || block_end(&block) <= contents->due) {
        look_for_gap(contents, first);
    }
    look_at_block(contents, &block);
    if (block_end(&block) > contents->due) {
        contents->due = block_end(&block);
    }
}

void
verify_log_end(struct verify_contents *contents)
{
    if (contents->due <= contents->position) {
        verify_problem(contents->verify,
                       "store: the log ends before position %" PRIu64,
                       contents->due);
    }
}

/* ---- lists ---- */

/* What the list is of, where that has a text for a name. */
static const char *
text_of_kind(enum list_kind kind)
{
    switch (kind) {
    case LIST_STREAM:
        return "stream";
    case LIST_CATEGORY:
        return "category";
    case LIST_TYPE:
        return "type";
    case LIST_TAG:
        return "tag";
    case LIST_CORRELATION:
        break;
    }
    return NULL; /* Or, where the kind is damaged, none that is known. */
}

static void
fail_list(const struct verify_contents *contents, const struct list_name *name)
{
    const char *kind = text_of_kind(name->kind);

    if (kind != NULL) {
        verify_problem(contents->verify,
                       "store: the list of %s %.*s is damaged", kind,
                       (int)name->name.size, (const char *)name->name.data);
    } else if (name->kind == LIST_CORRELATION) {
        verify_problem(contents->verify,
                       "store: the list of a correlation id is damaged");
    } else {
        verify_problem(contents->verify, "store: a list is of no known kind");
    }
}

/* Add positions to the sums. False if they are out of order. */
static bool
add_postings(struct verify_contents *contents, struct verify_list *list,
             const struct postings *postings)
{
    uint64_t hash = list_hash(&list->name);

    for (size_t i = 0; i < postings->count; i++) {
        uint64_t position = postings->positions[i];

        if (position <= list->last || position > contents->meta.position) {
            return false;
        }
        list->last = position;
        if (position > contents->position) {
            continue;
        }
        if (!has_bit(contents->stubs, position)) {
            contents->lists.of_index += mix(hash, position);
        }
        if (list->name.kind == LIST_STREAM) {
            contents->versions.of_index +=
                mix(position, postings->first_ordinal + i);
            contents->streams.of_log += mix(list->head.number, position);
        }
    }
    return true;
}

static bool
is_new_number(struct verify_contents *contents, uint64_t number)
{
    if (number == 0 || number > contents->meta.lists_count) {
        return false;
    }
    if (number > contents->lists_count) {
        return true;
    }
    if (has_bit(contents->numbers, number)) {
        return false;
    }
    set_bit(contents->numbers, number);
    return true;
}

void
verify_list_begin(struct verify_contents *contents, struct verify_list *list,
                  struct slice key, struct slice value)
{
    contents->verify->report->lists++;
    list->key_size =
        key.size < sizeof(list->key) ? key.size : sizeof(list->key);
    memcpy(list->key, key.data, list->key_size);
    list->name =
        (struct list_name){(enum list_kind)list->key[0],
                           slice_make(list->key + 1, list->key_size - 1)};
    contents->verify->report->streams += list->name.kind == LIST_STREAM;
    list->last = 0;
    list->next = 1;
    list->is_whole =
        list->key_size == key.size && list->name.kind >= LIST_STREAM &&
        list->name.kind < LIST_KINDS_END &&
        list_head_decode(&list->head, key, value, NULL) == ACTA_OK &&
        is_new_number(contents, list->head.number);
}

void
verify_list_chunk(struct verify_contents *contents, struct verify_list *list,
                  struct slice key, struct slice value)
{
    struct postings chunk = {.first_ordinal = 1};

    if (key.size != CHUNK_KEY_SIZE ||
        get_key_u64(key.data) != list->head.number ||
        postings_decode(&chunk, key, value, NULL) != ACTA_OK ||
        chunk.first_ordinal != list->next ||
        !add_postings(contents, list, &chunk)) {
        list->is_whole = false;
        return;
    }
    contents->chunks++;
    list->next += chunk.count;
}

void
verify_list_end(struct verify_contents *contents, struct verify_list *list)
{
    const struct list_head *head = &list->head;

    if (!list->is_whole || list->next != head->newest.first_ordinal ||
        !add_postings(contents, list, &head->newest) ||
        list->next + head->newest.count != head->count + 1 ||
        list->last != head->last_position) {
        fail_list(contents, &list->name);
    }
}

void
verify_list_again(struct verify_list *list, struct slice value)
{
    uint64_t number = list->head.number;

    list->is_whole =
        list->is_whole &&
        list_head_decode(&list->head, slice_make(list->key, list->key_size),
                         value, NULL) == ACTA_OK &&
        list->head.number == number;
}

/* ---- ids ---- */

void
verify_id(struct verify_contents *contents, struct slice key,
          struct slice value)
{
    uint64_t position;

    contents->verify->report->ids++;
    if (key.size != ID_KEY_SIZE ||
        store_read_id_value(key, value, &position, NULL) != ACTA_OK ||
        position == 0 || position > contents->meta.position) {
        verify_problem(contents->verify,
                       "store: the place of an event id is damaged");
        return;
    }
    if (position > contents->position) {
        return;
    }
    contents->streams.of_index +=
        mix(get_key_u64(key.data + UUID_SIZE), position);
    if (!has_bit(contents->stubs, position)) {
        contents->ids.of_index += mix(list_hash_id(key.data), position);
    }
}

/* ---- do they agree? ---- */

static void
compare(const struct verify_contents *contents, const struct verify_sum *sum,
        const char *what)
{
    if (sum->of_log != sum->of_index) {
        verify_problem(contents->verify, "store: %s", what);
    }
}

void
verify_compare(struct verify_contents *contents)
{
    compare(contents, &contents->lists,
            "lists have not the same events as the log");
    compare(contents, &contents->versions,
            "streams have not the same versions as the log");
    if ((contents->meta.without & STORE_WITHOUT_EVENT_IDS) == 0) {
        compare(contents, &contents->ids,
                "ids are not those of the events in the log");
        compare(contents, &contents->streams,
                "ids are not those of the events in streams");
    } else if (contents->verify->report->ids > 0) {
        verify_problem(contents->verify,
                       "store: it has event ids, which it does without");
    }
}

/* Where events are that cannot be read: mostly lists and ids say it. An event
 * of which they do not say the stream is put where a stream lacks a version,
 * between the events that have the versions before and behind; what is left
 * over goes to a stream of its own.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "record.h"
#include "salvage_inside.h"

/* ---- finding ---- */

struct salvage_fact *
salvage_fact(const struct salvage *salvage, uint64_t position)
{
    size_t from = 0, to = salvage->facts_count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        struct salvage_fact *fact = &salvage->facts[middle];

        if (fact->position == position) {
            return fact;
        }
        if (fact->position < position) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return NULL;
}

const struct salvage_list *
salvage_list(const struct salvage *salvage, uint64_t number)
{
    size_t from = 0, to = salvage->lists_count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct salvage_list *list = &salvage->lists[middle];

        if (list->number == number) {
            return list;
        }
        if (list->number < number) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return NULL;
}

struct salvage_stream *
salvage_stream(struct salvage *salvage, struct slice name)
{
    struct name_node *node = name_map_find(&salvage->streams, name);
    struct salvage_stream *stream = (struct salvage_stream *)(void *)node;

    if (node != NULL) {
        return stream;
    }
    stream = calloc(1, sizeof(*stream) + name.size);
    if (stream == NULL || !name_map_reserve(&salvage->streams, 1)) {
        free(stream);
        return NULL;
    }
    memcpy(stream->bytes, name.data, name.size);
    stream->node.name = slice_make(stream->bytes, name.size);
    name_map_put(&salvage->streams, &stream->node);
    return stream;
}

/* ---- reading ---- */

static bool
load_block(struct salvage_reader *reader, uint32_t index)
{
    struct salvage *salvage = reader->salvage;
    const struct salvage_block *where = &salvage->blocks[index];
    struct pagefile *file = &salvage->files[where->file];
    uint64_t first = where->offset / file->page_size;
    uint64_t pages =
        (where->offset + where->size - 1) / file->page_size - first + 1;

    if (reader->block == index + 1) {
        return true;
    }
    reader->block = 0;
    if (pages * file->page_size > reader->room) {
        void *bytes;

        if (posix_memalign(&bytes, 4096, pages * file->page_size) != 0) {
            return false;
        }
        free(reader->bytes);
        reader->bytes = bytes;
        reader->room = pages * file->page_size;
    }
    (void)pagefile_read(file, first, pages, reader->bytes);
    reader->block = index + 1;
    return true;
}

/* The record of @position, which was found to be whole. */
static bool
read_record(struct salvage_reader *reader, uint64_t position,
            struct slice *record)
{
    struct salvage *salvage = reader->salvage;
    uint32_t index;
    const struct salvage_block *where;

    if (position > salvage->head || salvage->states[position] == SALVAGE_NONE) {
        return false;
    }
    index = salvage->sources[position];
    where = &salvage->blocks[index];
    return load_block(reader, index) &&
           salvage_get_record(
               slice_make(reader->bytes +
                              where->offset %
                                  salvage->files[where->file].page_size,
                          (size_t)where->size),
               where, position, record);
}

bool
salvage_read_event(struct salvage_reader *reader, uint64_t position,
                   struct event *event)
{
    struct pack_reader pack;
    struct slice record;

    if (!read_record(reader, position, &record) || record_is_stub(record)) {
        return false;
    }
    pack_reader_init(&pack, record, NULL);
    event_decode_record(&pack, event);
    return !pack.failed;
}

void
salvage_reader_fini(struct salvage_reader *reader)
{
    free(reader->bytes);
}

/* ---- gaps ---- */

static enum acta_code
add_gap(struct salvage *salvage, const struct salvage_gap *gap,
        struct acta_err *err)
{
    if (salvage->gaps_count == salvage->gaps_room) {
        size_t room = salvage->gaps_room == 0 ? 16 : 2 * salvage->gaps_room;
        struct salvage_gap *gaps = realloc(salvage->gaps, room * sizeof(*gaps));

        if (gaps == NULL) {
            return acta_fail(err, ACTA_MEMORY, "salvage versions");
        }
        salvage->gaps = gaps;
        salvage->gaps_room = room;
    }
    salvage->gaps[salvage->gaps_count++] = *gap;
    return ACTA_OK;
}

/* @name has an event at @position whose version is @version. */
static enum acta_code
pass(struct salvage *salvage, struct slice name, uint64_t version,
     uint64_t position, struct acta_err *err)
{
    struct salvage_stream *stream = salvage_stream(salvage, name);
    enum acta_code code = ACTA_OK;

    if (stream == NULL) {
        return acta_fail(err, ACTA_MEMORY, "salvage streams");
    }
    if (version > stream->version + 1) {
        code = add_gap(salvage,
                       &(struct salvage_gap){stream, stream->version + 1,
                                             version - 1, stream->position,
                                             position},
                       err);
    }
    if (version > stream->version) {
        stream->version = version;
        stream->position = position;
    }
    return code;
}

/* Go through all events as they will be, for what is missing of each stream. */
static enum acta_code
find_gaps(struct salvage *salvage, struct acta_err *err)
{
    struct salvage_reader reader = {.salvage = salvage};
    enum acta_code code = ACTA_OK;

    for (uint64_t p = 1; code == ACTA_OK && p <= salvage->head; p++) {
        const struct salvage_fact *fact = salvage_fact(salvage, p);
        const struct salvage_list *list;
        struct event event;

        if (fact == NULL) {
            if (salvage_read_event(&reader, p, &event)) {
                code = pass(salvage, event.stream, event.version, p, err);
            }
            continue;
        }
        list = salvage_list(salvage, fact->stream);
        if (list != NULL && list->name.kind == LIST_STREAM &&
            fact->version > 0) {
            code = pass(salvage, list->name.name, fact->version, p, err);
        }
    }
    salvage_reader_fini(&reader);
    /* Heads tell how many events a stream had in the store. */
    for (size_t i = 0; code == ACTA_OK && i < salvage->lists_count; i++) {
        const struct salvage_list *list = &salvage->lists[i];

        if (list->name.kind == LIST_STREAM) {
            const struct name_node *node =
                name_map_find(&salvage->streams, list->name.name);
            const struct salvage_stream *stream =
                (const struct salvage_stream *)(const void *)node;

            if (stream == NULL || stream->version < list->count) {
                code = pass(salvage, list->name.name, list->count + 1,
                            salvage->head + 1, err);
            }
        }
    }
    return code;
}

static int
compare_gaps(const void *a, const void *b)
{
    const struct salvage_gap *left = a, *right = b;

    return (left->before > right->before) - (left->before < right->before);
}

/* May the event be one of @stream that is missing there? Of some it is known
 * that they are, and only the version is not.
 */
static bool
may_be_of(const struct salvage *salvage, const struct salvage_fact *fact,
          const struct salvage_stream *stream)
{
    const struct salvage_list *list = salvage_list(salvage, fact->stream);

    if (fact->put != NULL) {
        return false;
    }
    if (list == NULL || list->name.kind != LIST_STREAM) {
        return true;
    }
    return fact->version == 0 &&
           slice_equal(list->name.name, stream->node.name);
}

/* Fill a gap with events in its bounds that have no place yet. A swept one says
 * its version.
 */
static void
fill_gap(struct salvage *salvage, const struct salvage_gap *gap)
{
    uint64_t version = gap->from;

    for (size_t i = 0; i < salvage->facts_count && version <= gap->to; i++) {
        struct salvage_fact *fact = &salvage->facts[i];

        if (fact->position <= gap->behind ||
            !may_be_of(salvage, fact, gap->stream) ||
            (fact->version != 0 && fact->version != version)) {
            continue;
        }
        if (fact->position >= gap->before) {
            break;
        }
        fact->put = gap->stream;
        fact->version = version++;
    }
    if (version <= gap->to && gap->before <= salvage->head) {
        salvage_note(salvage,
                     "stream %.*s: versions %" PRIu64 " to %" PRIu64
                     " are nowhere, what follows them is not taken",
                     (int)gap->stream->node.name.size,
                     (const char *)gap->stream->node.name.data, version,
                     gap->to);
    }
}

enum acta_code
salvage_place(struct salvage *salvage, struct acta_err *err)
{
    enum acta_code code = find_gaps(salvage, err);

    if (code != ACTA_OK) {
        return code;
    }
    if (salvage->gaps_count > 0) {
        qsort(salvage->gaps, salvage->gaps_count, sizeof(*salvage->gaps),
              compare_gaps);
    }
    for (size_t i = 0; i < salvage->gaps_count; i++) {
        fill_gap(salvage, &salvage->gaps[i]);
    }
    return ACTA_OK;
}

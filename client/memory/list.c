/* Lists of streams and of names. */

#include "limit.h"
#include "memory_handle.h"

static enum msg_stream_state
state_of(const struct memory_stream *stream)
{
    if (stream->is_tombstoned) {
        return MSG_STREAM_TOMBSTONED;
    }
    return stream->is_deleted ? MSG_STREAM_DELETED : MSG_STREAM_LIVE;
}

static struct msg_stream
describe(const struct memory_stream *stream)
{
    struct msg_stream told = {
        .name = stream->named.name,
        .version = stream->version,
        .state = state_of(stream),
        .settings = stream->settings,
    };

    if (stream->version > 0) {
        const struct event *last =
            &memory_version(stream, stream->version)->event;

        told.first_time_us = memory_version(stream, 1)->event.time_us;
        told.last_time_us = last->time_us;
        told.last_position = last->position;
    }
    return told;
}

static size_t
room(uint64_t asked, size_t max)
{
    return asked > 0 && asked < max ? (size_t)asked : max;
}

enum acta_code
handle_list_streams(struct memory_connection *connection, uint64_t id,
                    struct slice body, struct acta_err *err)
{
    const struct table *streams = &connection->memory->streams;
    struct msg_streams told = {.at_end = true};
    struct msg_list_streams list;
    struct msg_open open;
    enum acta_code code = msg_list_streams_decode(&list, body, err);
    size_t max;

    if (code != ACTA_OK) {
        return code;
    }
    max = room(list.count_max, ACTA_PAGE_STREAMS_MAX);
    open = msg_streams_begin(&connection->out, id);
    for (size_t i = table_first(streams, list.prefix, list.after);
         table_has(streams, i, list.prefix); i++) {
        const struct memory_stream *stream =
            (const struct memory_stream *)streams->entries[i];
        struct msg_stream entry = describe(stream);

        if (stream->version == 0) {
            continue; /* It has settings, or a tombstone, only. */
        }
        if (told.streams_count == max) {
            told.at_end = false;
            break;
        }
        msg_streams_add(&connection->out, &entry);
        told.streams_count++;
    }
    msg_streams_end(&connection->out, open, &told);
    return ACTA_OK;
}

enum acta_code
handle_describe_stream(struct memory_connection *connection, uint64_t id,
                       struct slice body, struct acta_err *err)
{
    struct acta_memory *memory = connection->memory;
    struct msg_description told = {.first_version = 1};
    const struct memory_stream *stream;
    enum acta_code code =
        msg_describe_stream_decode(&told.stream.name, body, err);

    if (code != ACTA_OK) {
        return code;
    }
    stream = memory_find_stream(memory, told.stream.name);
    if (stream != NULL) {
        told.stream = describe(stream);
        told.first_version = memory_first_version(memory, stream);
    }
    msg_description_encode(&connection->out, id, &told);
    return ACTA_OK;
}

enum acta_code
handle_list_names(struct memory_connection *connection, uint64_t id,
                  struct slice body, struct acta_err *err)
{
    struct msg_names told = {.at_end = true};
    struct msg_list_names list;
    const struct table *names;
    struct msg_open open;
    enum acta_code code = msg_list_names_decode(&list, body, err);
    size_t max;

    if (code != ACTA_OK) {
        return code;
    }
    names = &connection->memory->names[list.kind];
    max = room(list.count_max, ACTA_PAGE_NAMES_MAX);
    open = msg_names_begin(&connection->out, id);
    for (size_t i = table_first(names, list.prefix, list.after);
         table_has(names, i, list.prefix); i++) {
        if (told.names_count == max) {
            told.at_end = false;
            break;
        }
        msg_names_add(&connection->out,
                      &((const struct memory_name *)names->entries[i])->told);
        told.names_count++;
    }
    msg_names_end(&connection->out, open, &told);
    return ACTA_OK;
}

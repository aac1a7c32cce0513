#include "shape.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "opcode.h"
#include "pack.h"

struct shape {
    const char *name;
    const struct shape *parts; /* Of a tuple its fields, of a list its element;
                                  NULL: a value by itself. */
    size_t fields;             /* 0: a list. */
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VALUE(name)                                                            \
    {                                                                          \
        name, NULL, 0                                                          \
    }
#define TUPLE(name, fields)                                                    \
    {                                                                          \
        name, fields, COUNT(fields)                                            \
    }
#define LIST(name, element)                                                    \
    {                                                                          \
        name, element, 0                                                       \
    }

static const struct shape value[] = {VALUE("value")};

static const struct shape content_fields[] = {
    VALUE("type"),         VALUE("id"),         VALUE("correlation_id"),
    VALUE("causation_id"), LIST("tags", value), VALUE("metadata"),
    VALUE("data"),         VALUE("format"),
};
static const struct shape content[] = {TUPLE("event", content_fields)};

static const struct shape record_fields[] = {
    VALUE("position"),       VALUE("version"),      VALUE("time_us"),
    VALUE("stream"),         VALUE("type"),         VALUE("id"),
    VALUE("correlation_id"), VALUE("causation_id"), LIST("tags", value),
    VALUE("metadata"),       VALUE("data"),         VALUE("format"),
};
static const struct shape record[] = {TUPLE("event", record_fields)};

static const struct shape query_item_fields[] = {
    LIST("categories", value),
    LIST("types", value),
    LIST("tags", value),
    LIST("streams", value),
    LIST("correlation_ids", value),
};
static const struct shape query_item[] = {TUPLE("item", query_item_fields)};

static const struct shape hello_fields[] = {
    VALUE("protocol_min"),
    VALUE("protocol_max"),
    VALUE("client"),
    VALUE("database"),
};

static const struct shape limit_fields[] = {
    VALUE("frame_size_max"),
    VALUE("event_size_max"),
    VALUE("append_size_max"),
    VALUE("append_events_max"),
    VALUE("stream_size_max"),
    VALUE("type_size_max"),
    VALUE("tag_size_max"),
    VALUE("tags_max"),
    VALUE("page_size_max"),
    VALUE("requests_max"),
    VALUE("subscriptions_max"),
    VALUE("append_checks_max"),
    VALUE("append_conditions_max"),
    VALUE("query_items_max"),
    VALUE("query_terms_max"),
    VALUE("unseen_events_max"),
    VALUE("append_effects_max"),
    VALUE("snapshot_size_max"),
    VALUE("name_size_max"),
    VALUE("text_size_max"),
    VALUE("slots_max"),
    VALUE("settle_max"),
    VALUE("memberships_max"),
    VALUE("lease_us_max"),
    VALUE("retry_us_max"),
};

static const struct shape welcome_fields[] = {
    VALUE("protocol"),
    VALUE("server_version"),
    VALUE("server_id"),
    VALUE("database"),
    VALUE("database_id"),
    VALUE("head"),
    TUPLE("limits", limit_fields),
};

static const struct shape failure_fields[] = {
    VALUE("kind"),     VALUE("index"),  VALUE("event"),
    VALUE("expected"), VALUE("actual"),
};
static const struct shape failure[] = {TUPLE("failure", failure_fields)};

static const struct shape unseen_fields[] = {
    VALUE("complete"),
    VALUE("head"),
    LIST("events", record),
};

static const struct shape error_fields[] = {
    VALUE("code"),
    VALUE("text"),
    LIST("failures", failure),
    TUPLE("unseen", unseen_fields),
};

static const struct shape entry_fields[] = {VALUE("name"), VALUE("value")};
static const struct shape entry[] = {TUPLE("entry", entry_fields)};
static const struct shape status_reply_fields[] = {LIST("entries", entry)};

static const struct shape write_fields[] = {
    VALUE("stream"),
    VALUE("expected"),
    LIST("events", content),
};
static const struct shape write[] = {TUPLE("write", write_fields)};

static const struct shape check_fields[] = {VALUE("stream"), VALUE("expected")};
static const struct shape check[] = {TUPLE("check", check_fields)};
static const struct shape condition_fields[] = {
    LIST("query", query_item),
    VALUE("after"),
};
static const struct shape condition[] = {TUPLE("condition", condition_fields)};
static const struct shape bounds_fields[] = {
    VALUE("events_max"),
    VALUE("bytes_max"),
};

static const struct shape checkpoint_fields[] = {
    VALUE("consumer"),
    VALUE("epoch"),
    VALUE("from"),
    VALUE("to"),
};
static const struct shape checkpoint[] = {
    TUPLE("checkpoint", checkpoint_fields)};
static const struct shape fence_fields[] = {VALUE("lease"), VALUE("fence")};
static const struct shape fence[] = {TUPLE("lease", fence_fields)};
static const struct shape snapshot_fields[] = {
    VALUE("stream"),
    VALUE("version"),
    VALUE("schema"),
    VALUE("data"),
};
static const struct shape snapshot[] = {TUPLE("snapshot", snapshot_fields)};
static const struct shape schedule_fields[] = {
    VALUE("name"),
    VALUE("due_us"),
    VALUE("is_delay"),
    LIST("writes", write),
};
static const struct shape schedule[] = {TUPLE("schedule", schedule_fields)};

static const struct shape append_fields[] = {
    LIST("writes", write),          LIST("checks", check),
    LIST("conditions", condition),  VALUE("command_id"),
    TUPLE("unseen", bounds_fields), LIST("checkpoints", checkpoint),
    LIST("leases", fence),          LIST("snapshots", snapshot),
    LIST("schedules", schedule),    LIST("cancellations", value),
};

static const struct shape run_fields[] = {
    VALUE("write"),
    VALUE("first_version"),
    VALUE("first_position"),
    VALUE("count"),
};
static const struct shape run[] = {TUPLE("run", run_fields)};
static const struct shape appended_fields[] = {
    VALUE("repeated"),
    LIST("runs", run),
    VALUE("cancelled"),
};

/* Of every kind of change its own. */
static const struct shape change_stream_fields[] = {
    VALUE("stream"),
    VALUE("expected"),
    VALUE("kind"),
    LIST("values", value),
};

static const struct shape changed_fields[] = {
    VALUE("version"),
    VALUE("head"),
    VALUE("changed"),
};

static const struct shape read_stream_fields[] = {
    VALUE("stream"),     VALUE("from"),      VALUE("backward"),
    VALUE("events_max"), VALUE("bytes_max"),
};

static const struct shape read_all_fields[] = {
    LIST("query", query_item), VALUE("from"),      VALUE("backward"),
    VALUE("events_max"),       VALUE("bytes_max"),
};

static const struct shape read_event_fields[] = {
    VALUE("id"),
    VALUE("stream"),
    VALUE("version"),
};

static const struct shape page_fields[] = {
    VALUE("next"),    VALUE("at_end"),        VALUE("head"),
    VALUE("version"), LIST("events", record),
};

static const struct shape list_streams_fields[] = {
    VALUE("prefix"),
    VALUE("after"),
    VALUE("count_max"),
};

static const struct shape settings_fields[] = {
    VALUE("truncate_before"),
    VALUE("max_count"),
    VALUE("max_age_us"),
};

static const struct shape stream_fields[] = {
    VALUE("name"),
    VALUE("version"),
    VALUE("first_time_us"),
    VALUE("last_time_us"),
    VALUE("last_position"),
    VALUE("state"),
    TUPLE("settings", settings_fields),
};
static const struct shape stream[] = {TUPLE("stream", stream_fields)};
static const struct shape streams_fields[] = {
    LIST("streams", stream),
    VALUE("at_end"),
};

static const struct shape describe_stream_fields[] = {VALUE("stream")};
static const struct shape description_fields[] = {
    TUPLE("stream", stream_fields),
    VALUE("first_version"),
};

static const struct shape list_names_fields[] = {
    VALUE("kind"),
    VALUE("prefix"),
    VALUE("after"),
    VALUE("count_max"),
};

static const struct shape name_fields[] = {
    VALUE("name"),         VALUE("count"),         VALUE("first_time_us"),
    VALUE("last_time_us"), VALUE("last_position"),
};
static const struct shape name[] = {TUPLE("name", name_fields)};
static const struct shape names_fields[] = {
    LIST("names", name),
    VALUE("at_end"),
};

static const struct shape subscribe_fields[] = {
    LIST("query", query_item), VALUE("after"), VALUE("credit"),
    VALUE("consumer"),         VALUE("epoch"),
};

static const struct shape delivery_fields[] = {
    VALUE("position"),
    VALUE("head"),
    LIST("events", record),
};

static const struct shape unsubscribed_fields[] = {
    VALUE("code"),
    VALUE("text"),
    VALUE("position"),
};

/* ---- consumers ---- */

/* Of every kind of change its own; a query among them is shown as it is. */
static const struct shape change_consumer_fields[] = {
    VALUE("name"),
    VALUE("kind"),
    LIST("values", value),
};
static const struct shape consumer_changed_fields[] = {
    VALUE("position"),
    VALUE("epoch"),
    VALUE("changed"),
};
static const struct shape list_fields[] = {
    VALUE("prefix"),
    VALUE("after"),
    VALUE("count_max"),
};
static const struct shape group_settings_fields[] = {
    VALUE("key_tag"),
    VALUE("ack_timeout_us"),
    VALUE("deliveries_max"),
    VALUE("on_park"),
};
static const struct shape lag_fields[] = {
    VALUE("events"),
    VALUE("matching"),
    VALUE("is_counted"),
    VALUE("time_us"),
};
static const struct shape consumer_fields[] = {
    VALUE("name"),
    VALUE("kind"),
    LIST("query", query_item),
    VALUE("position"),
    VALUE("epoch"),
    VALUE("is_paused"),
    TUPLE("settings", group_settings_fields),
    TUPLE("lag", lag_fields),
    VALUE("head"),
    VALUE("changed_us"),
    VALUE("connected"),
    VALUE("in_hand"),
    VALUE("delayed"),
    VALUE("parked"),
    VALUE("note"),
    VALUE("note_us"),
};
static const struct shape consumer[] = {TUPLE("consumer", consumer_fields)};
static const struct shape consumers_fields[] = {
    LIST("consumers", consumer),
    VALUE("at_end"),
};
static const struct shape await_fields[] = {
    VALUE("consumer"),
    VALUE("position"),
    VALUE("timeout_us"),
};
static const struct shape verify_fields[] = {VALUE("id"), VALUE("rate")};
static const struct shape problem_fields[] = {VALUE("file"), VALUE("text")};
static const struct shape problem[] = {TUPLE("problem", problem_fields)};
static const struct shape verified_store_fields[] = {
    VALUE("pages"), VALUE("has_tables"), VALUE("events"), VALUE("streams"),
    VALUE("lists"), VALUE("ids"),        VALUE("rows"),
};
static const struct shape verified_journal_fields[] = {
    VALUE("segments"),
    VALUE("entries"),
    VALUE("first_entry"),
    VALUE("last_entry"),
};
static const struct shape verified_fields[] = {
    VALUE("id"),
    VALUE("is_done"),
    VALUE("read"),
    VALUE("size"),
    VALUE("problems_found"),
    VALUE("head"),
    TUPLE("store", verified_store_fields),
    TUPLE("journal", verified_journal_fields),
    LIST("problems", problem),
};
static const struct shape describe_consumer_fields[] = {VALUE("name")};
static const struct shape member_fields[] = {
    VALUE("name"),      VALUE("slots"), VALUE("in_hand"),
    VALUE("joined_us"), VALUE("acked"),
};
static const struct shape member[] = {TUPLE("member", member_fields)};
static const struct shape described_fields[] = {
    TUPLE("consumer", consumer_fields),
    LIST("members", member),
};

static const struct shape list_parked_fields[] = {
    VALUE("group"),
    VALUE("after"),
    VALUE("count_max"),
};
static const struct shape parked_event_fields[] = {
    VALUE("position"),   VALUE("key"),     VALUE("state"),
    VALUE("deliveries"), VALUE("time_us"), VALUE("reason"),
};
static const struct shape parked_event[] = {
    TUPLE("parked", parked_event_fields)};
static const struct shape parked_fields[] = {
    LIST("parked", parked_event),
    VALUE("at_end"),
};
static const struct shape change_parked_fields[] = {
    VALUE("group"),
    VALUE("kind"),
    LIST("positions", value),
};
static const struct shape count_fields[] = {VALUE("count")};

/* ---- groups ---- */

static const struct shape join_fields[] = {
    VALUE("group"),
    VALUE("slots"),
    VALUE("member"),
};
static const struct shape joined_fields[] = {
    VALUE("position"),
    VALUE("epoch"),
    VALUE("key_tag"),
    VALUE("on_park"),
};
static const struct shape deliveries_fields[] = {
    VALUE("index"),
    VALUE("deliveries"),
};
static const struct shape deliveries[] = {TUPLE("count", deliveries_fields)};
static const struct shape handed_fields[] = {
    VALUE("fence"),
    VALUE("head"),
    LIST("events", record),
    LIST("counts", deliveries),
};
static const struct shape answer_fields[] = {
    VALUE("kind"),
    VALUE("fence"),
    VALUE("position"),
    VALUE("value"),
};
static const struct shape answer[] = {TUPLE("answer", answer_fields)};
static const struct shape settle_fields[] = {
    VALUE("membership"),
    LIST("answers", answer),
};
static const struct shape settled_fields[] = {
    VALUE("settled"),
    LIST("refused", value),
};
static const struct shape membership_fields[] = {VALUE("membership")};
static const struct shape left_fields[] = {VALUE("code"), VALUE("text")};

/* ---- leases, schedules, loading ---- */

static const struct shape change_lease_fields[] = {
    VALUE("name"),
    VALUE("kind"),
    LIST("values", value),
};
static const struct shape lease_changed_fields[] = {
    VALUE("fence"),
    VALUE("remaining_us"),
    VALUE("changed"),
    VALUE("waited_us"),
};
static const struct shape lease_fields[] = {
    VALUE("name"),          VALUE("holder"),        VALUE("fence"),
    VALUE("duration_us"),   VALUE("remaining_us"),  VALUE("since_us"),
    VALUE("waiters_count"), LIST("waiters", value),
};
static const struct shape lease[] = {TUPLE("lease", lease_fields)};
static const struct shape leases_fields[] = {
    LIST("leases", lease),
    VALUE("at_end"),
};
static const struct shape scheduled_fields[] = {
    VALUE("name"), VALUE("due_us"), VALUE("created_us"), VALUE("state"),
    VALUE("text"), VALUE("stream"), VALUE("type"),       VALUE("events_count"),
};
static const struct shape scheduled[] = {TUPLE("schedule", scheduled_fields)};
static const struct shape schedules_fields[] = {
    LIST("schedules", scheduled),
    VALUE("at_end"),
};
static const struct shape load_fields[] = {
    VALUE("stream"),     VALUE("version"),   VALUE("schema"),
    VALUE("events_max"), VALUE("bytes_max"),
};
static const struct shape begin_backup_fields[] = {
    VALUE("after"),
    VALUE("database_id"),
};
static const struct shape backup_begun_fields[] = {
    VALUE("has_base"), VALUE("sequence"), VALUE("position"), VALUE("last"),
    VALUE("head"),     VALUE("size"),     VALUE("reason"),
};
static const struct shape read_backup_fields[] = {
    VALUE("part"),
    VALUE("size_max"),
    VALUE("last"),
};
static const struct shape backup_chunk_fields[] = {
    VALUE("bytes"),    VALUE("checksum"), VALUE("at_end"),
    VALUE("sequence"), VALUE("last"),     VALUE("grown"),
};
static const struct shape backup_fields[] = {VALUE("sequence")};
static const struct shape loaded_snapshot_fields[] = {
    VALUE("version"),
    VALUE("schema"),
    VALUE("time_us"),
    VALUE("data"),
};
static const struct shape loaded_fields[] = {
    TUPLE("snapshot", loaded_snapshot_fields),
    VALUE("next"),
    VALUE("at_end"),
    VALUE("head"),
    VALUE("version"),
    LIST("events", record),
};

static const struct shape head_fields[] = {VALUE("head")};
static const struct shape command_fields[] = {VALUE("command_id")};
static const struct shape time_fields[] = {VALUE("time_us")};
static const struct shape position_fields[] = {VALUE("position")};
static const struct shape bytes_fields[] = {VALUE("bytes")};
static const struct shape subscription_fields[] = {VALUE("subscription")};

static const struct shape bodies[256] = {
    [OP_HELLO] = TUPLE("body", hello_fields),
    [OP_APPEND] = TUPLE("body", append_fields),
    [OP_CHANGE_STREAM] = TUPLE("body", change_stream_fields),
    [OP_READ_STREAM] = TUPLE("body", read_stream_fields),
    [OP_READ_ALL] = TUPLE("body", read_all_fields),
    [OP_READ_EVENT] = TUPLE("body", read_event_fields),
    [OP_FIND_TIME] = TUPLE("body", time_fields),
    [OP_FIND_COMMAND] = TUPLE("body", command_fields),
    [OP_DESCRIBE_STREAM] = TUPLE("body", describe_stream_fields),
    [OP_LIST_NAMES] = TUPLE("body", list_names_fields),
    [OP_LIST_STREAMS] = TUPLE("body", list_streams_fields),
    [OP_SUBSCRIBE] = TUPLE("body", subscribe_fields),
    [OP_CREDIT] = TUPLE("body", bytes_fields),
    [OP_UNSUBSCRIBE] = TUPLE("body", subscription_fields),
    [OP_ERROR] = TUPLE("body", error_fields),
    [OP_WELCOME] = TUPLE("body", welcome_fields),
    [OP_PONG] = TUPLE("body", head_fields),
    [OP_STATUS_REPLY] = TUPLE("body", status_reply_fields),
    [OP_APPENDED] = TUPLE("body", appended_fields),
    [OP_CHANGED] = TUPLE("body", changed_fields),
    [OP_FOUND_TIME] = TUPLE("body", position_fields),
    [OP_DESCRIPTION] = TUPLE("body", description_fields),
    [OP_NAMES] = TUPLE("body", names_fields),
    [OP_PAGE] = TUPLE("body", page_fields),
    [OP_STREAMS] = TUPLE("body", streams_fields),
    [OP_SUBSCRIBED] = TUPLE("body", head_fields),
    [OP_DELIVERY] = TUPLE("body", delivery_fields),
    [OP_CAUGHT_UP] = TUPLE("body", position_fields),
    [OP_FELL_BEHIND] = TUPLE("body", position_fields),
    [OP_UNSUBSCRIBED] = TUPLE("body", unsubscribed_fields),
    [OP_CHANGE_CONSUMER] = TUPLE("body", change_consumer_fields),
    [OP_CHANGE_LEASE] = TUPLE("body", change_lease_fields),
    [OP_CHANGE_PARKED] = TUPLE("body", change_parked_fields),
    [OP_LOAD] = TUPLE("body", load_fields),
    [OP_VERIFY] = TUPLE("body", verify_fields),
    [OP_VERIFIED] = TUPLE("body", verified_fields),
    [OP_AWAIT] = TUPLE("body", await_fields),
    [OP_LIST_CONSUMERS] = TUPLE("body", list_fields),
    [OP_DESCRIBE_CONSUMER] = TUPLE("body", describe_consumer_fields),
    [OP_LIST_PARKED] = TUPLE("body", list_parked_fields),
    [OP_LIST_LEASES] = TUPLE("body", list_fields),
    [OP_LIST_SCHEDULES] = TUPLE("body", list_fields),
    [OP_JOIN] = TUPLE("body", join_fields),
    [OP_SETTLE] = TUPLE("body", settle_fields),
    [OP_LEAVE] = TUPLE("body", membership_fields),
    [OP_CONSUMER_CHANGED] = TUPLE("body", consumer_changed_fields),
    [OP_LEASE_CHANGED] = TUPLE("body", lease_changed_fields),
    [OP_PARKED_CHANGED] = TUPLE("body", count_fields),
    [OP_LOADED] = TUPLE("body", loaded_fields),
    [OP_CONSUMERS] = TUPLE("body", consumers_fields),
    [OP_CONSUMER] = TUPLE("body", described_fields),
    [OP_PARKED] = TUPLE("body", parked_fields),
    [OP_LEASES] = TUPLE("body", leases_fields),
    [OP_SCHEDULES] = TUPLE("body", schedules_fields),
    [OP_JOINED] = TUPLE("body", joined_fields),
    [OP_HANDED] = TUPLE("body", handed_fields),
    [OP_SETTLED] = TUPLE("body", settled_fields),
    [OP_LEFT] = TUPLE("body", left_fields),
    [OP_BEGIN_BACKUP] = TUPLE("body", begin_backup_fields),
    [OP_READ_BACKUP] = TUPLE("body", read_backup_fields),
    [OP_END_BACKUP] = TUPLE("body", backup_fields),
    [OP_BACKUP_BEGUN] = TUPLE("body", backup_begun_fields),
    [OP_BACKUP_CHUNK] = TUPLE("body", backup_chunk_fields),
    [OP_BACKUP_ENDED] = TUPLE("body", backup_fields),
};

void
shape_write_string(FILE *file, struct slice text)
{
    fputc('"', file);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\') {
            fputc('\\', file);
        }
        assert(text.data[i] >= 0x20);
        fputc(text.data[i], file);
    }
    fputc('"', file);
}

static void
write_value(FILE *file, struct pack_reader *reader)
{
    enum pack_type type = pack_peek(reader);
    struct slice bytes;
    size_t count;

    if (type == PACK_NIL) {
        pack_skip_nil(reader);
        fputs("null", file);
    } else if (type == PACK_BOOL) {
        fputs(pack_get_bool(reader, "") ? "true" : "false", file);
    } else if (type == PACK_UINT) {
        fprintf(file, "%ju", (uintmax_t)pack_get_uint(reader, ""));
    } else if (type == PACK_INT) {
        fprintf(file, "%jd", (intmax_t)pack_get_int(reader, ""));
    } else if (type == PACK_STR) {
        shape_write_string(file, pack_get_str(reader, ""));
    } else if (type == PACK_ARRAY) { /* A prefix in a query, or a query. */
        count = pack_get_array(reader, "");
        fputc('[', file);
        for (size_t i = 0; i < count; i++) {
            fputs(i == 0 ? "" : ", ", file);
            write_value(file, reader);
        }
        fputc(']', file);
    } else {
        bytes = pack_get_bin(reader, "");
        fputc('"', file);
        for (size_t i = 0; i < bytes.size; i++) {
            fprintf(file, "%02x", bytes.data[i]);
        }
        fputc('"', file);
    }
    assert(!reader->failed);
}

static void
write_shape(FILE *file, const struct shape *shape, struct pack_reader *reader,
            unsigned indent)
{
    bool is_list = shape->fields == 0;
    size_t count;

    if (shape->parts == NULL || pack_peek(reader) == PACK_NIL) {
        write_value(file, reader);
        return;
    }
    count = pack_get_array(reader, shape->name);
    assert(is_list || count <= shape->fields);
    fputc(is_list ? '[' : '{', file);
    for (size_t i = 0; i < count; i++) {
        const struct shape *part = &shape->parts[is_list ? 0 : i];

        fprintf(file, "%s\n%*s", i == 0 ? "" : ",", (int)indent + 2, "");
        if (!is_list) {
            fprintf(file, "\"%s\": ", part->name);
        }
        write_shape(file, part, reader, indent + 2);
    }
    if (count > 0) {
        fprintf(file, "\n%*s", (int)indent, "");
    }
    fputc(is_list ? ']' : '}', file);
}

void
shape_write_json(FILE *file, uint8_t kind, struct slice body, unsigned indent)
{
    struct pack_reader reader;

    pack_reader_init(&reader, body, NULL);
    if (bodies[kind].parts == NULL) {
        assert(pack_get_array(&reader, "body") == 0);
        fputs("{}", file);
    } else {
        write_shape(file, &bodies[kind], &reader, indent);
    }
    assert(reader.at == reader.end);
}

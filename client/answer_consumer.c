/* Replies about consumers. A query is told as the texts it names, which are put
 * into memory of their own: the wire has it as an array of arrays.
 */

#include <stdlib.h>

#include "answer.h"

/* The texts of all queries: pointers, what these point to, and the characters.
 */
struct texts {
    size_t count;
    size_t size; /* Of the characters, with their ends. */
    const struct acta_query_text **pointers;
    struct acta_query_text *texts;
    char *characters;
};

static size_t
text_size(enum query_field field, struct slice text)
{
    return field == QUERY_CORRELATION_IDS ? ACTA_ID_TEXT_SIZE : text.size + 1;
}

static void
count_slices(struct texts *texts, enum query_field field,
             const struct slice *slices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        texts->size += text_size(field, slices[i]);
    }
    texts->count += count;
}

static void
put_slices(struct texts *texts, size_t item, enum query_field field,
           bool is_prefix, const struct slice *slices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct acta_query_text *text = texts->texts++;

        *text = (struct acta_query_text){
            .item = item,
            .field = (enum acta_query_field)field,
            .is_prefix = is_prefix,
            .text = texts->characters,
        };
        *texts->pointers++ = text;
        if (field == QUERY_CORRELATION_IDS) {
            struct acta_id id;

            memcpy(id.bytes, slices[i].data, sizeof(id.bytes));
            acta_id_format(&id, texts->characters);
        } else {
            memcpy(texts->characters, slices[i].data, slices[i].size);
            texts->characters[slices[i].size] = '\0';
        }
        texts->characters += text_size(field, slices[i]);
    }
}

/* Count the texts of @query, or put them if there is memory for them. */
static void
add_query(struct texts *texts, const struct query *query)
{
    for (size_t i = 0; i < query->items_count; i++) {
        for (enum query_field f = 0; f < QUERY_FIELDS; f++) {
            const struct query_terms *terms = &query->items[i].fields[f];

            if (texts->texts == NULL) {
                count_slices(texts, f, terms->texts, terms->count);
                count_slices(texts, f, terms->prefixes, terms->prefixes_count);
            } else {
                put_slices(texts, i, f, false, terms->texts, terms->count);
                put_slices(texts, i, f, true, terms->prefixes,
                           terms->prefixes_count);
            }
        }
    }
}

static enum acta_code
add_packed_query(struct texts *texts, struct slice packed, struct acta_err *err)
{
    struct pack_reader reader;
    struct query query;

    pack_reader_init(&reader, packed, err);
    query_decode(&reader, &query);
    add_query(texts, &query);
    query_fini(&query);
    return pack_code(&reader);
}

static enum acta_code
make_texts(struct answer *answer, struct texts *texts, struct acta_err *err)
{
    size_t heads_size = sizeof(void *) + sizeof(struct acta_query_text);

    free(answer->more);
    answer->more = malloc(texts->count * heads_size + texts->size + 1);
    if (answer->more == NULL) {
        return acta_fail(err, ACTA_MEMORY, "queries of consumers");
    }
    texts->pointers = answer->more;
    texts->texts =
        (struct acta_query_text *)(void *)(texts->pointers + texts->count);
    texts->characters = (char *)(texts->texts + texts->count);
    return ACTA_OK;
}

static enum acta_code
fill_consumer(struct acta_consumer *to, struct texts *texts, uint8_t *body,
              struct slice base, const struct msg_consumer *consumer,
              struct acta_err *err)
{
    const struct acta_query_text **query = texts->pointers;
    enum acta_code code = add_packed_query(texts, consumer->query, err);

    *to = (struct acta_consumer){
        .name = view_terminate(body, base, consumer->name),
        .kind = (enum acta_consumer_kind)consumer->kind,
        .query = query,
        .query_count = (size_t)(texts->pointers - query),
        .position = consumer->position,
        .epoch = consumer->epoch,
        .head = consumer->head,
        .lag_events = consumer->lag.events,
        .lag_matching = consumer->lag.matching,
        .lag_is_counted = consumer->lag.is_counted,
        .lag_us = consumer->lag.time_us,
        .changed_us = consumer->changed_us,
        .connected = consumer->connected,
        .is_paused = consumer->is_paused,
        .key_tag = view_terminate(body, base, consumer->settings.key_tag),
        .ack_timeout_us = consumer->settings.ack_timeout_us,
        .deliveries_max = consumer->settings.deliveries_max,
        .on_park = (enum acta_on_park)consumer->settings.on_park,
        .in_hand = consumer->in_hand,
        .delayed = consumer->delayed,
        .parked = consumer->parked,
        .note = answer_terminate(body, base, consumer->note),
        .note_us = consumer->note_us,
    };
    return code;
}

enum acta_code
answer_read_consumers(struct answer *answer, uint8_t *body, struct slice base,
                      struct acta_err *err)
{
    struct texts texts = {0};
    struct acta_consumer *consumers;
    struct msg_consumers packed = {0};
    struct slice left;
    enum acta_code code = msg_consumers_decode(&packed, base, err);

    left = packed.consumers;
    for (size_t i = 0; code == ACTA_OK && i < packed.consumers_count; i++) {
        code = add_packed_query(&texts, msg_next_consumer(&left).query, err);
    }
    if (code == ACTA_OK) {
        code = make_texts(answer, &texts, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    consumers =
        answer_make_list(answer, packed.consumers_count, sizeof(*consumers));
    if (consumers == NULL) {
        return acta_fail(err, ACTA_MEMORY, "list of consumers");
    }
    for (size_t i = 0; code == ACTA_OK && i < packed.consumers_count; i++) {
        struct msg_consumer consumer = msg_next_consumer(&packed.consumers);

        code = fill_consumer(&consumers[i], &texts, body, base, &consumer, err);
    }
    answer->consumers = (struct acta_consumers){
        .consumers = answer->list,
        .consumers_count = packed.consumers_count,
        .at_end = packed.at_end,
    };
    return code;
}

enum acta_code
answer_read_described(struct answer *answer, uint8_t *body, struct slice base,
                      struct acta_err *err)
{
    struct texts texts = {0};
    struct msg_described described;
    struct acta_member_info *members;
    enum acta_code code = msg_consumer_decode(&described, base, err);

    if (code == ACTA_OK) {
        code = add_packed_query(&texts, described.consumer.query, err);
    }
    if (code == ACTA_OK) {
        code = make_texts(answer, &texts, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    members =
        answer_make_list(answer, described.members_count, sizeof(*members));
    if (members == NULL) {
        return acta_fail(err, ACTA_MEMORY, "list of members");
    }
    for (size_t i = 0; i < described.members_count; i++) {
        struct msg_member member = msg_next_member(&described.members);

        members[i] = (struct acta_member_info){
            .name = view_terminate(body, base, member.name),
            .slots = member.slots,
            .in_hand = member.in_hand,
            .joined_us = member.joined_us,
            .acked = member.acked,
        };
    }
    answer->described = (struct acta_consumer_description){
        .consumer = &answer->consumer,
        .members = answer->list,
        .members_count = described.members_count,
    };
    return fill_consumer(&answer->consumer, &texts, body, base,
                         &described.consumer, err);
}

enum acta_code
answer_read_parked(struct answer *answer, uint8_t *body, struct slice base,
                   struct acta_err *err)
{
    struct acta_parked *parked;
    struct msg_parked_page packed;
    enum acta_code code = msg_parked_decode(&packed, base, err);

    if (code != ACTA_OK) {
        return code;
    }
    parked = answer_make_list(answer, packed.parked_count, sizeof(*parked));
    if (parked == NULL) {
        return acta_fail(err, ACTA_MEMORY, "list of parked events");
    }
    for (size_t i = 0; i < packed.parked_count; i++) {
        struct msg_parked next = msg_next_parked(&packed.parked);

        parked[i] = (struct acta_parked){
            .position = next.position,
            .key = view_terminate(body, base, next.key),
            .state = (enum acta_parked_state)next.state,
            .deliveries = next.deliveries,
            .time_us = next.time_us,
            .reason = answer_terminate(body, base, next.reason),
        };
    }
    answer->parked = (struct acta_parked_page){
        .parked = answer->list,
        .parked_count = packed.parked_count,
        .at_end = packed.at_end,
    };
    return ACTA_OK;
}

/* An event that is handed to a member: counts are looked at when it is told. */
enum acta_code
answer_read_handed(struct answer *answer, uint8_t *body, struct slice base,
                   struct acta_err *err)
{
    struct msg_handed *handed = &answer->handed;
    enum acta_code code = msg_handed_decode(handed, base, err);
    size_t used;

    if (code == ACTA_OK) {
        code = answer_read_events(answer, body, base, handed->events,
                                  handed->events_count, &used, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    return msg_handed_counts(
        handed,
        slice_make(handed->events.data + used, handed->events.size - used),
        &answer->counts, &answer->counts_count, err);
}

/* Names are put together digit by digit: printf() would cost the client more
 * than sending the event, on processors that it shares with the server.
 */

#include "sample.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"

enum acta_code
sample_init(struct sample *sample, uint64_t seed, struct acta_err *err)
{
    uint64_t random = sample_random_start(seed);

    assert(sample->tags_count <= SAMPLE_TAGS_MAX);
    assert(sample->tags_of > 0);
    assert(sample->payload_size >= sizeof(uint64_t));

    if (sample->names == 0) {
        sample->names = (uint32_t)(clock_ns() / NS_PER_US) ^ (uint32_t)getpid()
                                                                 << 16;
    }
    sample->payload = malloc(sample->payload_size);
    if (sample->payload == NULL) {
        return acta_fail(err, ACTA_MEMORY, "payload");
    }
    for (size_t i = 0; i < sample->payload_size; i++) {
        sample->payload[i] = (uint8_t)(sample_random(&random) >> 56);
    }
    return ACTA_OK;
}

void
sample_fini(struct sample *sample)
{
    free(sample->payload);
    sample->payload = NULL;
}

/* Put the lowest @digits of @number, and return what is behind them. */
static char *
put_hex(char *to, uint64_t number, unsigned digits)
{
    for (unsigned i = 0; i < digits; i++) {
        to[digits - 1 - i] = "0123456789abcdef"[number & 15];
        number >>= 4;
    }
    return to + digits;
}

static char *
put_two_digits(char *to, uint64_t number)
{
    to[0] = (char)('0' + number / 10 % 10);
    to[1] = (char)('0' + number % 10);
    return to + 2;
}

void
sample_stream(const struct sample *sample, uint64_t number,
              char name[SAMPLE_NAME_SIZE])
{
    uint64_t category;

    number += sample->first;
    category = number % sample->categories;
    *name++ = 'c';
    if (category >= 100) {
        *name++ = (char)('0' + category / 100);
    }
    name = put_two_digits(name, category);
    *name++ = '-';
    name = put_hex(name, sample->names, 8);
    *name++ = '-';
    name = put_hex(name, number, 8);
    *name = '\0';
}

void
sample_tag(const struct sample *sample, size_t index, uint64_t value,
           char tag[SAMPLE_TAG_SIZE])
{
    unsigned digits = 3;

    while (digits < 8 && sample->tags_of > UINT64_C(1) << (4 * digits)) {
        digits++;
    }
    *tag++ = 't';
    tag = put_two_digits(tag, index);
    *tag++ = ':';
    tag = put_hex(tag, value, digits);
    *tag = '\0';
}

/* The same for events in a row, another one for the next. */
static struct acta_id
correlation_id(const struct sample *sample, uint64_t number)
{
    uint64_t group = number / sample->correlated;
    uint64_t halves[2] = {
        group * UINT64_C(0x9e3779b97f4a7c15) ^ sample->names,
        ~group,
    };
    struct acta_id id;

    memcpy(id.bytes, halves, sizeof(id.bytes));
    return id;
}

static void
add_event(const struct sample *sample, uint64_t number, const void *data,
          struct acta_append *append)
{
    static const char *const types[16] = {
        "T0", "T1", "T2", "T3", "T4", "T5", "T6", "T7",
        "T8", "T9", "TA", "TB", "TC", "TD", "TE", "TF",
    };
    uint64_t mixed = number * UINT64_C(0x9e3779b97f4a7c15);
    struct acta_draft draft =
        acta_draft_of(types[mixed >> 60], data, sample->payload_size);
    char texts[SAMPLE_TAGS_MAX][SAMPLE_TAG_SIZE];
    const char *tags[SAMPLE_TAGS_MAX];
    struct acta_id correlation;

    for (size_t i = 0; i < sample->tags_count; i++) {
        sample_tag(sample, i, (mixed >> (8 + i)) % sample->tags_of, texts[i]);
        tags[i] = texts[i];
    }
    draft.tags = tags;
    draft.tags_count = sample->tags_count;
    if (sample->correlated > 0) {
        correlation = correlation_id(sample, number);
        draft.correlation_id = &correlation;
    }
    acta_append_event(append, &draft);
}

void
sample_event(const struct sample *sample, uint64_t number,
             struct acta_append *append)
{
    add_event(sample, number, sample->payload, append);
}

void
sample_stamped(const struct sample *sample, uint64_t number, uint64_t stamp,
               struct acta_append *append)
{
    memcpy(sample->payload, &stamp, sizeof(stamp));
    add_event(sample, number, sample->payload, append);
}

uint64_t
sample_stamp(const struct acta_event *event)
{
    uint64_t stamp;

    assert(event->data_size >= sizeof(stamp));

    memcpy(&stamp, event->data, sizeof(stamp));
    return stamp;
}

/* Every value starts with a byte that tells its type and either its value, its
 * size or how many bytes of size follow. read_head() understands that byte and
 * is all that the scan and the getters share: it checks that a head and the
 * bytes it claims are there, and leaves counts of elements to the scan, which
 * keeps the sum of elements still owed. Each of them takes at least a byte, so
 * a claim of more elements than there are bytes left is refused at once.
 */

#include "pack.h"

#include <assert.h>
#include <endian.h>
#include <msgpack/pack.h>
#include <stdarg.h>
#include <string.h>

#include "text.h"

#define DEPTH_LIMIT 32

/* First bytes that are looked for by themselves. */
#define FIXINT_MAX 0x7f
#define FIXINT_MIN (-32)
#define NIL        0xc0
#define BIN_8      0xc4
#define BIN_16     0xc5
#define UINT_64    0xcf
#define STR_8      0xd9

static int
write_to_buf(void *data, const char *bytes, size_t size)
{
    buf_append(data, bytes, size);
    return 0; /* The buf remembers that it failed. */
}

static msgpack_packer
packer_of(struct buf *buf)
{
    return (msgpack_packer){.data = buf, .callback = write_to_buf};
}

void
pack_nil(struct buf *buf)
{
    msgpack_packer packer = packer_of(buf);

    msgpack_pack_nil(&packer);
}

void
pack_bool(struct buf *buf, bool value)
{
    msgpack_packer packer = packer_of(buf);

    if (value) {
        msgpack_pack_true(&packer);
    } else {
        msgpack_pack_false(&packer);
    }
}

void
pack_uint(struct buf *buf, uint64_t value)
{
    msgpack_packer packer = packer_of(buf);

    msgpack_pack_uint64(&packer, value);
}

void
pack_int(struct buf *buf, int64_t value)
{
    msgpack_packer packer = packer_of(buf);

    msgpack_pack_int64(&packer, value);
}

void
pack_str(struct buf *buf, struct slice text)
{
    msgpack_packer packer = packer_of(buf);

    msgpack_pack_str(&packer, text.size);
    buf_append_slice(buf, text);
}

void
pack_text(struct buf *buf, const char *text)
{
    pack_str(buf, slice_of(text));
}

void
pack_bin(struct buf *buf, struct slice bytes)
{
    msgpack_packer packer = packer_of(buf);

    msgpack_pack_bin(&packer, bytes.size);
    buf_append_slice(buf, bytes);
}

void
pack_array(struct buf *buf, size_t count)
{
    msgpack_packer packer = packer_of(buf);

    msgpack_pack_array(&packer, count);
}

void
pack_fixed(struct buf *buf, uint64_t value)
{
    msgpack_packer packer = packer_of(buf);

    msgpack_pack_fix_uint64(&packer, value);
}

void
pack_patch_fixed(struct buf *buf, size_t offset, uint64_t value)
{
    uint64_t value_be = htobe64(value);

    buf_patch(buf, offset + 1, &value_be, sizeof(value_be));
}

void
pack_patch_bool(struct buf *buf, size_t offset, bool value)
{
    uint8_t byte = value ? 0xc3 : 0xc2;

    buf_patch(buf, offset, &byte, sizeof(byte));
}

size_t
pack_array_begin(struct buf *buf)
{
    static const uint8_t head[5] = {0xdd};
    size_t offset = buf_size(buf);

    buf_append(buf, head, sizeof(head));
    return offset;
}

void
pack_array_end(struct buf *buf, size_t offset, size_t count)
{
    uint32_t count_be = htobe32((uint32_t)count);

    assert(count <= UINT32_MAX);
    buf_patch(buf, offset + 1, &count_be, sizeof(count_be));
}

/* The head of a value. For scalars, number is the value; for strings, bytes
 * and extensions, bytes follow; for arrays and maps, count elements or pairs.
 */
struct head {
    enum pack_type type;
    uint64_t number; /* UINT and BOOL as is, INT as two's complement. */
    size_t size;     /* Of the head itself. */
    size_t bytes;    /* That belong to the value, behind the head. */
    size_t count;
};

static uint64_t
load_be(const uint8_t *at, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

/* Where a size follows the first byte: how many bytes of it, and what it
 * counts.
 */
static bool
read_sized(struct head *head, const uint8_t *at, size_t left, size_t size_size,
           enum pack_type type)
{
    uint64_t size;

    if (left < 1 + size_size) {
        return false;
    }
    size = load_be(at + 1, size_size);
    head->type = type;
    head->size = 1 + size_size;
    if (type == PACK_ARRAY || type == PACK_MAP) {
        head->count = size;
        return true;
    }
    head->bytes = size + (type == PACK_EXT ? 1 : 0);
    return head->bytes <= left - head->size;
}

static bool
read_number(struct head *head, const uint8_t *at, size_t left, size_t size,
            bool is_signed)
{
    if (left < 1 + size) {
        return false;
    }
    head->size = 1 + size;
    head->number = load_be(at + 1, size);
    head->type = PACK_UINT;
    if (is_signed && (at[1] & 0x80) != 0) {
        head->type = PACK_INT;
        if (size < 8) {
            head->number |= UINT64_MAX << (8 * size);
        }
    }
    return true;
}

static bool
read_short(struct head *head, size_t left, enum pack_type type, size_t bytes)
{
    head->type = type;
    head->size = 1;
    head->bytes = bytes;
    return bytes <= left - 1;
}

/* False if the bytes end before the value does, or begin none. */
static bool
read_head(struct head *head, const uint8_t *at, size_t left)
{
    uint8_t first;

    *head = (struct head){0};
    if (left == 0) {
        return false;
    }
    first = at[0];

    if (first <= 0x7f) { /* positive fixint */
        head->number = first;
        return read_short(head, left, PACK_UINT, 0);
    }
    if (first >= 0xe0) { /* negative fixint */
        head->number = UINT64_MAX << 8 | first;
        return read_short(head, left, PACK_INT, 0);
    }
    if (first <= 0x8f) { /* fixmap */
        head->count = first & 0x0f;
        return read_short(head, left, PACK_MAP, 0);
    }
    if (first <= 0x9f) { /* fixarray */
        head->count = first & 0x0f;
        return read_short(head, left, PACK_ARRAY, 0);
    }
    if (first <= 0xbf) { /* fixstr */
        return read_short(head, left, PACK_STR, first & 0x1f);
    }

    switch (first) {
    case 0xc0:
        return read_short(head, left, PACK_NIL, 0);
    case 0xc2:
    case 0xc3:
        head->number = first & 1;
        return read_short(head, left, PACK_BOOL, 0);
    case 0xc4: /* bin 8, 16, 32 */
    case 0xc5:
    case 0xc6:
        return read_sized(head, at, left, (size_t)1 << (first - 0xc4),
                          PACK_BIN);
    case 0xc7: /* ext 8, 16, 32 */
    case 0xc8:
    case 0xc9:
        return read_sized(head, at, left, (size_t)1 << (first - 0xc7),
                          PACK_EXT);
    case 0xca: /* float 32 */
        return read_short(head, left, PACK_FLOAT, 4);
    case 0xcb: /* float 64 */
        return read_short(head, left, PACK_FLOAT, 8);
    case 0xcc: /* uint 8, 16, 32, 64 */
    case 0xcd:
    case 0xce:
    case 0xcf:
        return read_number(head, at, left, (size_t)1 << (first - 0xcc), false);
    case 0xd0: /* int 8, 16, 32, 64 */
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return read_number(head, at, left, (size_t)1 << (first - 0xd0), true);
    case 0xd4: /* fixext 1, 2, 4, 8, 16 */
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return read_short(head, left, PACK_EXT,
                          1 + ((size_t)1 << (first - 0xd4)));
    case 0xd9: /* str 8, 16, 32 */
    case 0xda:
    case 0xdb:
        return read_sized(head, at, left, (size_t)1 << (first - 0xd9),
                          PACK_STR);
    case 0xdc: /* array 16, 32 */
    case 0xdd:
        return read_sized(head, at, left, (size_t)2 << (first - 0xdc),
                          PACK_ARRAY);
    case 0xde: /* map 16, 32 */
    case 0xdf:
        return read_sized(head, at, left, (size_t)2 << (first - 0xde),
                          PACK_MAP);
    default: /* 0xc1 is never used */
        return false;
    }
}

/* Positive or negative: the byte is the number. */
static inline bool
is_fixint(uint8_t first)
{
    return (int8_t)first >= FIXINT_MIN;
}

/* The size of a value that has no elements, if its head is one of those that
 * nearly all values of messages have; 0: read_head() has to tell.
 */
static inline size_t
short_size(const uint8_t *at, size_t left)
{
    size_t size = 0;

    if (left > 0 && (is_fixint(at[0]) || at[0] == NIL)) {
        return 1;
    }
    if (left < 3) {
        return 0;
    }
    if ((at[0] & 0xe0) == 0xa0) { /* fixstr */
        size = 1 + (at[0] & 0x1f);
    } else if (at[0] == BIN_8 || at[0] == STR_8) {
        size = 2 + (size_t)at[1];
    } else if (at[0] == UINT_64) {
        size = PACK_FIXED_SIZE;
    } else if (at[0] == BIN_16) {
        size = 3 + ((size_t)at[1] << 8 | at[2]);
    }
    return size <= left ? size : 0;
}

/* A fixarray behind whose head there may be as many elements as it claims? */
static inline bool
is_short_array(const uint8_t *at, size_t left)
{
    return left > 0 && (at[0] & 0xf0) == 0x90 && (at[0] & 0x0f) < left;
}

static size_t
elements_of(const struct head *head)
{
    return head->type == PACK_MAP ? 2 * head->count : head->count;
}

/* Walk over one value from @at. @count is how many are still to come at this
 * depth, where 0 has the value itself; @owed[d] how many at depth d, once its
 * element that is being walked over is done. Returns where it ends, or NULL
 * with the offset and reason in @err.
 */
static const uint8_t *
walk(const uint8_t *at, const uint8_t *start, const uint8_t *end,
     unsigned depth_max, struct acta_err *err)
{
    size_t owed[DEPTH_LIMIT];
    unsigned depth = 0;
    size_t count = 1;
    struct head head;
    size_t size;

    assert(depth_max <= DEPTH_LIMIT);

    for (;;) {
        if (count == 0 && depth == 0) {
            return at;
        }
        if (count == 0) {
            count = owed[--depth];
            continue;
        }
        count--;
        size = short_size(at, (size_t)(end - at));
        if (size > 0) {
            at += size;
            continue;
        }
        if (is_short_array(at, (size_t)(end - at)) && depth < depth_max) {
            owed[depth++] = count;
            count = *at++ & 0x0f;
            continue;
        }
        if (!read_head(&head, at, (size_t)(end - at))) {
            acta_fail(err, ACTA_PROTOCOL,
                      "msgpack is cut short or wrong at offset %td",
                      at - start);
            return NULL;
        }
        at += head.size + head.bytes;
        if (head.type != PACK_ARRAY && head.type != PACK_MAP) {
            continue;
        }
        if (elements_of(&head) > (size_t)(end - at)) {
            acta_fail(err, ACTA_PROTOCOL,
                      "msgpack at offset %td claims %zu elements, but only "
                      "%td bytes follow",
                      at - start, elements_of(&head), end - at);
            return NULL;
        }
        if (depth == depth_max) {
            acta_fail(err, ACTA_PROTOCOL,
                      "msgpack is nested deeper than %u at offset %td",
                      depth_max, at - start);
            return NULL;
        }
        owed[depth++] = count;
        count = elements_of(&head);
    }
}

enum acta_code
pack_scan(struct slice bytes, unsigned depth_max, struct acta_err *err)
{
    const uint8_t *end;
    const uint8_t *at;

    if (bytes.size == 0) {
        return acta_fail(err, ACTA_PROTOCOL, "msgpack is missing");
    }
    end = bytes.data + bytes.size;
    at = walk(bytes.data, bytes.data, end, depth_max, err);
    if (at == NULL) {
        return ACTA_PROTOCOL;
    }
    if (at != end) {
        return acta_fail(err, ACTA_PROTOCOL,
                         "%td bytes follow the msgpack value", end - at);
    }
    return ACTA_OK;
}

void
pack_reader_init(struct pack_reader *reader, struct slice bytes,
                 struct acta_err *err)
{
    static const uint8_t nothing[1];

    if (bytes.size == 0) {
        bytes.data = nothing; /* Pointers into NULL may not be moved. */
    }
    *reader = (struct pack_reader){
        .at = bytes.data,
        .start = bytes.data,
        .end = bytes.data + bytes.size,
        .err = err,
    };
}

static bool
next_head(const struct pack_reader *reader, struct head *head)
{
    if (reader->failed) {
        *head = (struct head){.type = PACK_END};
        return false;
    }
    if (!read_head(head, reader->at, (size_t)(reader->end - reader->at))) {
        *head = (struct head){.type = PACK_END};
        return false;
    }
    return true;
}

enum pack_type
pack_peek(const struct pack_reader *reader)
{
    struct head head;

    next_head(reader, &head);
    return head.type;
}

void
pack_fail(struct pack_reader *reader, enum acta_code code, const char *fmt, ...)
{
    va_list args;

    assert(code != ACTA_OK);
    if (reader->failed) {
        return;
    }
    reader->failed = true;
    reader->code = code;
    if (reader->err != NULL) {
        reader->err->code = code;
        va_start(args, fmt);
        text_format(reader->err->text, sizeof(reader->err->text), fmt, args);
        va_end(args);
    }
}

enum acta_code
pack_code(const struct pack_reader *reader)
{
    return reader->failed ? reader->code : ACTA_OK;
}

static const char *
type_name(enum pack_type type)
{
    static const char *const names[] = {
        [PACK_NIL] = "nil",        [PACK_BOOL] = "a boolean",
        [PACK_UINT] = "a number",  [PACK_INT] = "a negative number",
        [PACK_FLOAT] = "a float",  [PACK_STR] = "a string",
        [PACK_BIN] = "bytes",      [PACK_EXT] = "an extension",
        [PACK_ARRAY] = "an array", [PACK_MAP] = "a map",
        [PACK_END] = "missing",
    };

    return names[type];
}

/* The head of the next value, if it has the type that is wanted. The reader
 * goes past the head and past the bytes of strings, not past elements.
 */
static bool
take(struct pack_reader *reader, enum pack_type type, const char *what,
     struct head *head)
{
    if (!next_head(reader, head) || head->type != type) {
        pack_fail(reader, head->type == PACK_END ? ACTA_PROTOCOL : ACTA_INVALID,
                  "%s must be %s, is %s", what, type_name(type),
                  type_name(head->type));
        *head = (struct head){.type = PACK_END};
        return false;
    }
    reader->at += head->size + head->bytes;
    return true;
}

/* Getters first try the heads that nearly all values of messages have: one byte
 * with the value or size in it, a size of one or two bytes, the number of
 * pack_fixed(). All others, and all that is wrong, are left to take().
 */

static size_t
bytes_left(const struct pack_reader *reader)
{
    return reader->failed ? 0 : (size_t)(reader->end - reader->at);
}

/* The bytes of a string (@first_8 is STR_8) or binary (BIN_8) value. In line,
 * so that each getter has its own half of it.
 */
static inline __attribute__((always_inline)) bool
take_short_bytes(struct pack_reader *reader, uint8_t first_8,
                 struct slice *bytes)
{
    const uint8_t *at = reader->at;
    size_t left = bytes_left(reader);
    size_t head, size;

    /* Not tested: either copy of this has another first_8 always. */
    if (left > 0 && first_8 == STR_8 && (at[0] & 0xe0) == 0xa0) { /* fixstr */
        head = 1;
        size = at[0] & 0x1f;
    } else if (left > 1 && at[0] == first_8) {
        head = 2;
        size = at[1];
    } else if (left > 2 && at[0] == first_8 + 1) {
        head = 3;
        size = (size_t)at[1] << 8 | at[2];
    } else {
        return false;
    }
    if (size > left - head) {
        return false;
    }
    *bytes = slice_make(at + head, size);
    reader->at = at + head + size;
    return true;
}

bool
pack_get_bool(struct pack_reader *reader, const char *what)
{
    struct head head;

    return take(reader, PACK_BOOL, what, &head) && head.number != 0;
}

uint64_t
pack_get_uint(struct pack_reader *reader, const char *what)
{
    size_t left = bytes_left(reader);
    struct head head;

    if (left > 0 && reader->at[0] <= FIXINT_MAX) {
        return *reader->at++;
    }
    if (left >= PACK_FIXED_SIZE && reader->at[0] == UINT_64) {
        uint64_t value_be;

        memcpy(&value_be, reader->at + 1, sizeof(value_be));
        reader->at += PACK_FIXED_SIZE;
        return be64toh(value_be);
    }
    return take(reader, PACK_UINT, what, &head) ? head.number : 0;
}

int64_t
pack_get_int(struct pack_reader *reader, const char *what)
{
    struct head head;

    if (bytes_left(reader) > 0 && is_fixint(reader->at[0])) {
        return (int8_t)*reader->at++;
    }
    if (pack_peek(reader) == PACK_INT) {
        take(reader, PACK_INT, what, &head);
        return (int64_t)head.number;
    }
    if (!take(reader, PACK_UINT, what, &head)) {
        return 0;
    }
    if (head.number > INT64_MAX) {
        pack_fail(reader, ACTA_INVALID, "%s is too large", what);
        return 0;
    }
    return (int64_t)head.number;
}

static struct slice
take_bytes(struct pack_reader *reader, enum pack_type type, const char *what)
{
    struct head head;

    if (!take(reader, type, what, &head)) {
        return SLICE_NONE;
    }
    return slice_make(reader->at - head.bytes, head.bytes);
}

struct slice
pack_get_str(struct pack_reader *reader, const char *what)
{
    struct slice text;

    if (take_short_bytes(reader, STR_8, &text)) {
        return text;
    }
    return take_bytes(reader, PACK_STR, what);
}

struct slice
pack_get_bin(struct pack_reader *reader, const char *what)
{
    struct slice bytes;

    if (take_short_bytes(reader, BIN_8, &bytes)) {
        return bytes;
    }
    return take_bytes(reader, PACK_BIN, what);
}

/* Out of line, so that it costs nothing where it is not needed. */
static __attribute__((noinline)) size_t
take_elements(struct pack_reader *reader, enum pack_type type, const char *what)
{
    struct head head;

    if (!take(reader, type, what, &head)) {
        return 0;
    }
    if (elements_of(&head) > (size_t)(reader->end - reader->at)) {
        pack_fail(reader, ACTA_PROTOCOL, "%s claims more elements than bytes",
                  what);
        return 0;
    }
    return head.count;
}

/* In line, so that both that get arrays have it. */
static inline __attribute__((always_inline)) size_t
get_array(struct pack_reader *reader, const char *what)
{
    if (is_short_array(reader->at, bytes_left(reader))) {
        return *reader->at++ & 0x0f;
    }
    return take_elements(reader, PACK_ARRAY, what);
}

size_t
pack_get_array(struct pack_reader *reader, const char *what)
{
    return get_array(reader, what);
}

size_t
pack_get_map(struct pack_reader *reader, const char *what)
{
    return take_elements(reader, PACK_MAP, what);
}

size_t
pack_get_array_of(struct pack_reader *reader, size_t min, size_t max,
                  const char *what)
{
    size_t count = get_array(reader, what);

    if (reader->failed || (count >= min && count <= max)) {
        return count;
    }
    if (min == max) {
        pack_fail(reader, count > max ? ACTA_UNSUPPORTED : ACTA_INVALID,
                  "%s has %zu fields, must have %zu", what, count, min);
    } else if (count > max) {
        pack_fail(reader, ACTA_TOO_LARGE, "%zu %s, the limit is %zu", count,
                  what, max);
    } else {
        pack_fail(reader, ACTA_INVALID, "%zu %s, must be at least %zu", count,
                  what, min);
    }
    return 0;
}

bool
pack_skip_nil(struct pack_reader *reader)
{
    if (bytes_left(reader) == 0 || reader->at[0] != NIL) {
        return false;
    }
    reader->at++;
    return true;
}

const uint8_t *
pack_get_bytes_or_nil(struct pack_reader *reader, size_t size, const char *what)
{
    struct slice bytes;

    if (pack_skip_nil(reader)) {
        return NULL;
    }
    bytes = pack_get_bin(reader, what);
    if (!reader->failed && bytes.size != size) {
        pack_fail(reader, ACTA_INVALID, "%s must be %zu bytes, is %zu", what,
                  size, bytes.size);
    }
    return reader->failed ? NULL : bytes.data;
}

void
pack_skip(struct pack_reader *reader)
{
    struct acta_err err;
    const uint8_t *at;
    size_t size;

    if (reader->failed) {
        return;
    }
    size = short_size(reader->at, bytes_left(reader));
    if (size > 0) {
        reader->at += size;
        return;
    }
    at = walk(reader->at, reader->start, reader->end, DEPTH_LIMIT, &err);
    if (at == NULL) {
        pack_fail(reader, ACTA_PROTOCOL, "%s", err.text);
        return;
    }
    reader->at = at;
}

struct slice
pack_since(const struct pack_reader *reader, const uint8_t *from)
{
    assert(from >= reader->start && from <= reader->at);
    return slice_make(from, (size_t)(reader->at - from));
}

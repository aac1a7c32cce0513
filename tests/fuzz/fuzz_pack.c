/* The scan of msgpack against msgpack-c: what the scan accepts, msgpack-c
 * decodes, to the same end, in memory bounded by the size of the input. What
 * it refuses, msgpack-c is asked only where it cannot allocate much: a value
 * that is cut, wrong, or nested too deep.
 */

#include <msgpack.h>
#include <stdbool.h>

#include "fuzz.h"
#include "pack.h"

#define DEPTH_MAX 8

/* Compare what the reader's getters say of a value with msgpack-c's object.
 * Returns how many objects it has.
 */
static size_t
compare(struct pack_reader *reader, const msgpack_object *object)
{
    enum pack_type type = pack_peek(reader);
    size_t objects = 1;
    struct slice bytes;
    size_t count;

    switch (object->type) {
    case MSGPACK_OBJECT_NIL:
        FUZZ_PROMISE(type == PACK_NIL);
        FUZZ_PROMISE(pack_skip_nil(reader));
        break;
    case MSGPACK_OBJECT_BOOLEAN:
        FUZZ_PROMISE(pack_get_bool(reader, "") == object->via.boolean);
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        FUZZ_PROMISE(pack_get_uint(reader, "") == object->via.u64);
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        FUZZ_PROMISE(type == PACK_INT);
        FUZZ_PROMISE(pack_get_int(reader, "") == object->via.i64);
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        FUZZ_PROMISE(type == PACK_FLOAT);
        pack_skip(reader);
        break;
    case MSGPACK_OBJECT_STR:
        bytes = pack_get_str(reader, "");
        FUZZ_PROMISE(slice_equal(
            bytes, slice_make(object->via.str.ptr, object->via.str.size)));
        break;
    case MSGPACK_OBJECT_BIN:
        bytes = pack_get_bin(reader, "");
        FUZZ_PROMISE(slice_equal(
            bytes, slice_make(object->via.bin.ptr, object->via.bin.size)));
        break;
    case MSGPACK_OBJECT_EXT:
        FUZZ_PROMISE(type == PACK_EXT);
        pack_skip(reader);
        break;
    case MSGPACK_OBJECT_ARRAY:
        count = pack_get_array(reader, "");
        FUZZ_PROMISE(count == object->via.array.size);
        for (size_t i = 0; i < count; i++) {
            objects += compare(reader, &object->via.array.ptr[i]);
        }
        break;
    case MSGPACK_OBJECT_MAP:
        count = pack_get_map(reader, "");
        FUZZ_PROMISE(count == object->via.map.size);
        for (size_t i = 0; i < count; i++) {
            objects += compare(reader, &object->via.map.ptr[i].key);
            objects += compare(reader, &object->via.map.ptr[i].val);
        }
        break;
    }
    FUZZ_PROMISE(!reader->failed);
    return objects;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_make(data, size);
    struct acta_err err = {ACTA_OK, ""};
    struct pack_reader reader;
    msgpack_object object;
    msgpack_zone zone;
    size_t used = 0;

    if (pack_scan(bytes, DEPTH_MAX, &err) != ACTA_OK) {
        FUZZ_PROMISE(err.code == ACTA_PROTOCOL);
        return 0;
    }
    FUZZ_PROMISE(msgpack_zone_init(&zone, 1024));
    FUZZ_PROMISE(msgpack_unpack((const char *)data, size, &used, &zone,
                                &object) == MSGPACK_UNPACK_SUCCESS);
    FUZZ_PROMISE(used == size);

    pack_reader_init(&reader, bytes, &err);
    /* An object for each byte at most: so is the memory that they take. */
    FUZZ_PROMISE(compare(&reader, &object) <= size);
    FUZZ_PROMISE(reader.at == reader.end);
    msgpack_zone_destroy(&zone);
    return 0;
}

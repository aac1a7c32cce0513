/* Every decoder of messages. The first byte of the input is the kind, the rest
 * the body. What decodes is written anew, and that decodes to the same.
 */

#include "frame.h"
#include "fuzz.h"
#include "limit.h"
#include "reencode.h"

#define SIZE_MAX_AGAIN (4u << 20)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct acta_err err = {ACTA_OK, ""};
    struct buf first, second;
    struct frame frame;
    enum acta_code code;
    size_t used;

    if (size == 0) {
        return 0;
    }
    buf_init(&first, SIZE_MAX_AGAIN);
    buf_init(&second, SIZE_MAX_AGAIN);
    code = reencode(&first, data[0], 1, slice_make(data + 1, size - 1), &err);
    FUZZ_PROMISE(code == err.code);
    if (code == ACTA_OK) {
        FUZZ_PROMISE(!buf_failed(&first));
        FUZZ_PROMISE(frame_decode(&frame, &used, buf_slice(&first),
                                  ACTA_FRAME_SIZE_MAX, &err) == ACTA_OK);
        FUZZ_PROMISE(used == buf_size(&first));
        FUZZ_PROMISE(frame.kind == data[0]);
        FUZZ_PROMISE(reencode(&second, frame.kind, frame.request_id, frame.body,
                              &err) == ACTA_OK);
        FUZZ_PROMISE(slice_equal(buf_slice(&first), buf_slice(&second)));
    }
    buf_fini(&first);
    buf_fini(&second);
    return 0;
}

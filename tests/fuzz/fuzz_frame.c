/* The header of a frame: in any bytes there is a frame that lies within them,
 * or a wait for more, or a refusal, and more bytes never change a verdict.
 */

#include <string.h>

#include "frame.h"
#include "fuzz.h"

#define BODY_SIZE_MAX 4096

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum acta_code first_code = ACTA_OK;
    struct frame first, frame;
    size_t first_used = 0, used;
    struct buf buf;

    for (size_t given = 0; given <= size; given++) {
        struct acta_err err = {ACTA_OK, ""};
        enum acta_code code = frame_decode(
            &frame, &used, slice_make(data, given), BODY_SIZE_MAX, &err);

        FUZZ_PROMISE(code == ACTA_OK || code == ACTA_PROTOCOL ||
                     code == ACTA_TOO_LARGE);
        FUZZ_PROMISE(err.code == code);
        FUZZ_PROMISE(code == ACTA_OK || used == 0);
        if (first_code != ACTA_OK || first_used > 0) {
            FUZZ_PROMISE(code == first_code);
            FUZZ_PROMISE(used == first_used);
            continue;
        }
        first_code = code;
        first_used = used;
        first = frame;
        /* Once there is a frame, the bytes behind it are another's. */
        if (given > FRAME_HEADER_SIZE + BODY_SIZE_MAX) {
            break;
        }
    }
    if (first_used == 0) {
        return 0;
    }

    FUZZ_PROMISE(first_used == FRAME_HEADER_SIZE + first.body.size);
    FUZZ_PROMISE(first_used <= size);
    buf_init(&buf, FRAME_HEADER_SIZE + BODY_SIZE_MAX);
    used = frame_begin(&buf, first.kind, first.request_id);
    buf_append_slice(&buf, first.body);
    frame_end(&buf, used);
    FUZZ_PROMISE(!buf_failed(&buf));
    FUZZ_PROMISE(slice_equal(buf_slice(&buf), slice_make(data, first_used)));
    buf_fini(&buf);
    return 0;
}

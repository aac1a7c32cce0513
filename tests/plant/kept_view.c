/* The server keeps a view of the store for as long as it runs: what the first
 * subscriber to begin at the start saw first.
 */

#include "reader_view.h"
#include "rooms.h"
#include "sub.h"

enum sub_next __real_sub_step(struct sub *sub, struct reader *reader,
                              const struct read_bounds *step, struct buf *out,
                              struct acta_err *err);
enum sub_next __wrap_sub_step(struct sub *sub, struct reader *reader,
                              const struct read_bounds *step, struct buf *out,
                              struct acta_err *err);

enum sub_next
__wrap_sub_step(struct sub *sub, struct reader *reader,
                const struct read_bounds *step, struct buf *out,
                struct acta_err *err)
{
    static _Thread_local struct store_view *kept;

    if (kept == NULL && sub->position == 0 &&
        (store_view_open(&kept, reader->rooms->store, err) != ACTA_OK ||
         store_view_begin(kept, err) != ACTA_OK)) {
        return SUB_FAILED;
    }
    return __real_sub_step(sub, reader, step, out, err);
}

/* Now and then an event is not found to be of its key, which so may be in the
 * hands of two members.
 */

#include <stdatomic.h>

#include "group_state.h"

struct group_key *__real_group_keys_get(struct group_keys *keys,
                                        struct slice bytes, uint64_t hash);
struct group_key *__wrap_group_keys_get(struct group_keys *keys,
                                        struct slice bytes, uint64_t hash);

struct group_key *
__wrap_group_keys_get(struct group_keys *keys, struct slice bytes,
                      uint64_t hash)
{
    static _Atomic unsigned calls;

    if (bytes.size > 0 && atomic_fetch_add(&calls, 1) % 8 == 0) {
        bytes.size--;
    }
    return __real_group_keys_get(keys, bytes, hash);
}

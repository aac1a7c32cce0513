/* Tags that are told apart by their hash alone, which here is their size: those
 * of one size share a list, under the name of the one that came first.
 */

#include <pthread.h>
#include <string.h>

#include "list.h"
#include "memtable.h"
#include "store_lmdb.h"

size_t __real_list_names_of(const struct event *event,
                            struct list_name names[static LIST_NAMES_MAX]);
size_t __wrap_list_names_of(const struct event *event,
                            struct list_name names[static LIST_NAMES_MAX]);
struct memlist *__real_memtable_find(const struct memtable *memtable,
                                     const struct list_name *name);
struct memlist *__wrap_memtable_find(const struct memtable *memtable,
                                     const struct list_name *name);
struct slice __real_store_list_key(uint8_t to[static LIST_KEY_SIZE_MAX],
                                   const struct list_name *name);
struct slice __wrap_store_list_key(uint8_t to[static LIST_KEY_SIZE_MAX],
                                   const struct list_name *name);

/* The name of the list that is taken for that of @name. */
static struct list_name
mistake(const struct list_name *name)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static uint8_t first[ACTA_TAG_SIZE_MAX + 1][ACTA_TAG_SIZE_MAX];
    struct list_name mistaken = *name;
    size_t size = name->name.size;

    if (name->kind == LIST_TAG) {
        pthread_mutex_lock(&lock);
        if (first[size][0] == '\0') {
            memcpy(first[size], name->name.data, size);
        }
        mistaken.name = slice_make(first[size], size);
        pthread_mutex_unlock(&lock);
    }
    return mistaken;
}

/* The lists of an event. Of two tags that share one, only the first is left. */
size_t
__wrap_list_names_of(const struct event *event,
                     struct list_name names[static LIST_NAMES_MAX])
{
    size_t count = __real_list_names_of(event, names);
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct list_name name = mistake(&names[i]);
        bool is_new = true;

        for (size_t k = 0; k < kept; k++) {
            is_new = is_new && !list_name_equal(&names[k], &name);
        }
        if (is_new) {
            names[kept++] = name;
        }
    }
    return kept;
}

struct memlist *
__wrap_memtable_find(const struct memtable *memtable,
                     const struct list_name *name)
{
    struct list_name mistaken = mistake(name);

    return __real_memtable_find(memtable, &mistaken);
}

struct slice
__wrap_store_list_key(uint8_t to[static LIST_KEY_SIZE_MAX],
                      const struct list_name *name)
{
    struct list_name mistaken = mistake(name);

    return __real_store_list_key(to, &mistaken);
}

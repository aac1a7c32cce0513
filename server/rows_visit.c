#include "rows_visit.h"

#include "row_walk.h"

static enum acta_code
visit_rows(struct store_view *store, const struct tail_view *tail,
           enum row_kind kind,
           enum acta_code (*visit)(void *user, const struct row *row,
                                   struct acta_err *err),
           void *user, struct acta_err *err)
{
    struct row_walk walk;
    enum acta_code code;
    bool found = true;
    size_t steps = 0;
    struct row row;

    code =
        row_walk_begin(&walk, store, tail, kind, SLICE_NONE, SLICE_NONE, err);
    while (code == ACTA_OK && found) {
        code = row_walk_next(&walk, &row, &found, &steps, err);
        if (code == ACTA_OK && found) {
            code = visit(user, &row, err);
        }
    }
    return code;
}

enum acta_code
rows_visit(struct rooms *rooms, enum row_kind kind,
           enum acta_code (*visit)(void *user, const struct row *row,
                                   struct acta_err *err),
           void *user, struct acta_err *err)
{
    struct store_view *store;
    struct tail_view tail;
    enum acta_code code;

    code = store_view_open(&store, rooms->store, err);
    if (code != ACTA_OK) {
        return code;
    }
    tail_pin(&rooms->tail, &tail);
    code = store_view_begin(store, err);
    if (code == ACTA_OK) {
        code = visit_rows(store, &tail, kind, visit, user, err);
        store_view_end(store);
    }
    tail_unpin(&tail);
    store_view_close(store);
    return code;
}

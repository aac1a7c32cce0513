/* The tables of the store, read through LMDB as of one moment. */

#include <stdlib.h>

#include "store_lmdb.h"
#include "verify_contents.h"
#include "verify_inside.h"

struct look {
    struct verify_contents contents;
    struct store_view *view;
};

static int
look_at_log(struct look *look)
{
    MDB_val key, val;
    int rc;

    rc = store_cursor_get(look->view, &look->view->log, &key, &val, MDB_FIRST);
    while (rc == 0) {
        verify_log_entry(&look->contents, slice_of_val(key), slice_of_val(val));
        rc = store_cursor_get(look->view, &look->view->log, &key, &val,
                              MDB_NEXT);
    }
    verify_log_end(&look->contents);
    return rc;
}

/* The chunks of a list, and then its newest postings. */
static void
look_at_list(struct look *look, struct slice name, struct slice head)
{
    struct store_cursor *postings = &look->view->postings;
    uint8_t bytes[CHUNK_KEY_SIZE];
    struct verify_list list;
    MDB_val key, val;
    int rc;

    verify_list_begin(&look->contents, &list, name, head);
    key = val_of(store_chunk_key(bytes, list.head.number, 0));
    rc = verify_list_goes_on(&list)
             ? store_cursor_get(look->view, postings, &key, &val, MDB_SET_RANGE)
             : 0;
    while (rc == 0 && verify_list_goes_on(&list)) {
        verify_list_chunk(&look->contents, &list, slice_of_val(key),
                          slice_of_val(val));
        rc = store_cursor_get(look->view, postings, &key, &val, MDB_NEXT);
    }
    verify_list_end(&look->contents, &list);
}

static int
look_at_lists(struct look *look)
{
    MDB_val key, val;
    int rc;

    rc =
        store_cursor_get(look->view, &look->view->lists, &key, &val, MDB_FIRST);
    while (rc == 0) {
        look_at_list(look, slice_of_val(key), slice_of_val(val));
        rc = store_cursor_get(look->view, &look->view->lists, &key, &val,
                              MDB_NEXT);
    }
    return rc;
}

static int
look_at_ids(struct look *look)
{
    MDB_val key, val;
    int rc;

    rc = store_cursor_get(look->view, &look->view->ids, &key, &val, MDB_FIRST);
    while (rc == 0) {
        verify_id(&look->contents, slice_of_val(key), slice_of_val(val));
        rc = store_cursor_get(look->view, &look->view->ids, &key, &val,
                              MDB_NEXT);
    }
    return rc;
}

static void
compare_all(struct look *look)
{
    MDB_stat stat;

    verify_compare(&look->contents);
    if (mdb_stat(look->view->txn, look->view->store->postings, &stat) != 0 ||
        stat.ms_entries != look->contents.chunks) {
        verify_problem(look->contents.verify,
                       "store: there are postings that are in no list");
    }
}

static enum acta_code
look_at_all(struct look *look, struct acta_err *err)
{
    struct verify *verify = look->contents.verify;
    uint64_t problems = verify->report->problems;
    int rc;

    if ((rc = look_at_log(look)) != MDB_NOTFOUND ||
        (rc = look_at_lists(look)) != MDB_NOTFOUND ||
        (rc = look_at_ids(look)) != MDB_NOTFOUND) {
        return store_fail(err, rc, "verify");
    }
    if (problems == verify->report->problems) {
        compare_all(look);
    }
    return verify_rows(verify, look->view, err);
}

static enum acta_code
look_at_view(struct verify *verify, struct store_view *view,
             struct acta_err *err)
{
    struct look look = {.view = view};
    enum acta_code code;

    code = verify_contents_init(&look.contents, verify, store_view_meta(view),
                                err);
    if (code == ACTA_OK) {
        code = look_at_all(&look, err);
    }
    verify_contents_fini(&look.contents);
    return code;
}

enum acta_code
verify_store(struct verify *verify, struct store *store, struct acta_err *err)
{
    struct store_view *view;
    enum acta_code code = store_view_open(&view, store, err);

    if (code != ACTA_OK) {
        return code;
    }
    code = store_view_begin(view, err);
    if (code == ACTA_OK) {
        code = look_at_view(verify, view, err);
        store_view_end(view);
    }
    store_view_close(view);
    return code;
}

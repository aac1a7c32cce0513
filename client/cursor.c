/* A cursor has two pages: one that is gone through, and one that is asked for
 * ahead.
 */

#include <stdlib.h>

#include "client.h"
#include "given.h"
#include "query_build.h"
#include "sync.h"

/* Of a page that is asked for ahead: how long its reader takes to come for it
 * is not the server's fault.
 */
#define NO_TIMEOUT UINT64_MAX

struct acta_cursor {
    struct acta_cursor *prev, *next;
    struct acta_sync *sync;
    struct acta_id database;  /* That it reads from. */
    struct acta_read read;    /* from: where the page that comes next begins. */
    char *stream;             /* owned; NULL: read by query */
    struct acta_query *query; /* owned */

    struct answer answers[2];
    struct answer *current; /* One of answers; NULL: none was read yet. */
    size_t index;           /* Of the next event in it. */

    uint64_t request; /* Of the page ahead; 0: it is not asked for. */
    struct sync_call call;
};

static struct answer *
ahead(struct acta_cursor *cursor)
{
    return cursor->current == &cursor->answers[0] ? &cursor->answers[1]
                                                  : &cursor->answers[0];
}

static enum acta_code
copy_read(struct acta_cursor *cursor, const struct acta_read *read,
          struct acta_err *err)
{
    if (!given_copy(&cursor->read, sizeof(cursor->read), read)) {
        return acta_fail(err, ACTA_INVALID,
                         "read is not of acta_read_of_...()");
    }
    cursor->read.size = sizeof(cursor->read);
    if (cursor->read.stream != NULL) {
        cursor->stream = strdup(cursor->read.stream);
        cursor->read.stream = cursor->stream;
        cursor->read.query = NULL;
        if (cursor->stream == NULL) {
            return acta_fail(err, ACTA_MEMORY, "cursor");
        }
    }
    if (cursor->read.query != NULL) {
        cursor->query = query_copy(cursor->read.query);
        cursor->read.query = cursor->query;
        if (cursor->query == NULL) {
            return acta_fail(err, ACTA_MEMORY, "cursor");
        }
    }
    return ACTA_OK;
}

enum acta_code
acta_cursor_open(struct acta_cursor **cursor, struct acta_sync *sync,
                 const struct acta_read *read, struct acta_err *err)
{
    struct acta_cursor *made = calloc(1, sizeof(*made));
    enum acta_code code;

    *cursor = NULL;
    if (made == NULL) {
        return acta_fail(err, ACTA_MEMORY, "cursor");
    }
    made->sync = sync;
    made->database = *acta_sync_server(sync)->database_id;
    made->answers[0].keeps = true;
    made->answers[1].keeps = true;
    made->next = sync->cursors;
    if (made->next != NULL) {
        made->next->prev = made;
    }
    sync->cursors = made;
    code = copy_read(made, read, err);
    if (code != ACTA_OK) {
        cursor_free(made);
        return code;
    }
    *cursor = made;
    return ACTA_OK;
}

static void
on_page(void *user, const struct acta_err *err, const struct acta_page *page)
{
    struct acta_cursor *cursor = user;

    (void)page;
    sync_call_done(&cursor->call, err);
}

/* Ask for the page ahead, unless it is under way. */
static void
ask(struct acta_cursor *cursor)
{
    if (cursor->request != 0) {
        return;
    }
    cursor->call = (struct sync_call){0};
    sync_keep_in(cursor->sync, ahead(cursor));
    cursor->request = acta_read(cursor->sync->client, &cursor->read, NO_TIMEOUT,
                                on_page, cursor, &cursor->call.err);
    acta_flush(cursor->sync->client);
}

/* What is there now goes on otherwise than what was read before. */
static enum acta_code
check_database(const struct acta_cursor *cursor, struct acta_err *err)
{
    const struct acta_server *server = acta_sync_server(cursor->sync);

    return memcmp(&cursor->database, server->database_id,
                  sizeof(cursor->database)) == 0
               ? ACTA_OK
               : acta_fail(err, ACTA_FENCED,
                           "another database answers at this address now");
}

/* Wait for the page ahead, make it the current one, and ask for the next. */
static enum acta_code
turn_page(struct acta_cursor *cursor, struct acta_err *err)
{
    struct acta_client *client = cursor->sync->client;
    enum acta_code code;

    ask(cursor);
    core_set_timeout(&client->core, cursor->request,
                     client->options.given.timeout_ms, client_now_ms(client));
    code = sync_wait(cursor->sync, cursor->request, &cursor->call, err);
    cursor->request = 0;
    if (code == ACTA_OK) {
        code = check_database(cursor, err);
    }
    if (code != ACTA_OK) {
        return code;
    }
    cursor->current = ahead(cursor);
    cursor->index = 0;
    cursor->read.from = cursor->current->page.next;
    if (!cursor->current->page.at_end) {
        ask(cursor);
    }
    return ACTA_OK;
}

enum acta_code
acta_cursor_next(struct acta_cursor *cursor, const struct acta_event **event,
                 struct acta_err *err)
{
    *event = NULL;
    while (cursor->current == NULL ||
           cursor->index == cursor->current->page.events_count) {
        enum acta_code code;

        if (cursor->current != NULL && cursor->current->page.at_end) {
            return ACTA_OK;
        }
        code = turn_page(cursor, err);
        if (code != ACTA_OK) {
            return code;
        }
    }
    *event = cursor->current->page.events[cursor->index++];
    return ACTA_OK;
}

uint64_t
acta_cursor_head(const struct acta_cursor *cursor)
{
    return cursor->current == NULL ? 0 : cursor->current->page.head;
}

void
cursor_free(struct acta_cursor *cursor)
{
    if (cursor->request != 0) {
        (void)acta_cancel(cursor->sync->client, cursor->request);
    }
    if (cursor->prev == NULL) {
        cursor->sync->cursors = cursor->next;
    } else {
        cursor->prev->next = cursor->next;
    }
    if (cursor->next != NULL) {
        cursor->next->prev = cursor->prev;
    }
    answer_fini(&cursor->answers[0]);
    answer_fini(&cursor->answers[1]);
    acta_query_free(cursor->query);
    free(cursor->stream);
    free(cursor);
}

void
acta_cursor_close(struct acta_cursor *cursor)
{
    if (cursor != NULL) {
        cursor_free(cursor);
    }
}

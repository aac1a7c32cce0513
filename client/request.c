#include "request.h"

#include <assert.h>
#include <stdlib.h>

/* ---- slots ---- */

static bool
slots_init(struct request_slots *slots, size_t first, size_t count)
{
    slots->slots = calloc(count, sizeof(struct request *));
    slots->free_slots = calloc(count, sizeof(uint32_t));
    if (slots->slots == NULL || slots->free_slots == NULL) {
        return false;
    }
    slots->first = first;
    slots->count = count;
    slots->free_count = count;
    for (size_t i = 0; i < count; i++) {
        slots->free_slots[i] = (uint32_t)(count - 1 - i);
    }
    return true;
}

static void
slots_fini(struct request_slots *slots)
{
    free(slots->slots);
    free(slots->free_slots);
}

static struct request_slots *
slots_of(struct requests *requests, uint64_t id)
{
    return request_id_waits(id) ? &requests->waits : &requests->usual;
}

/* ---- all of them ---- */

enum acta_code
requests_init(struct requests *requests, size_t count_max, struct acta_err *err)
{
    assert(count_max > 0);
    assert(count_max <= REQUEST_SLOTS_MAX);

    *requests = (struct requests){.deadline_ms = UINT64_MAX};
    if (!slots_init(&requests->usual, 0, count_max) ||
        !slots_init(&requests->waits, REQUEST_WAIT_FIRST, ACTA_WAITS_MAX)) {
        requests_fini(requests);
        return acta_fail(err, ACTA_MEMORY, "%zu requests", count_max);
    }
    return ACTA_OK;
}

void
requests_fini(struct requests *requests)
{
    assert(requests->count == 0);
    slots_fini(&requests->usual);
    slots_fini(&requests->waits);
    *requests = (struct requests){0};
}

/* ---- lists ---- */

/* Put @request behind @before, or first if that is NULL. */
static void
list_insert(struct request_list *list, struct request *before,
            struct request *request)
{
    request->prev = before;
    request->next = before == NULL ? list->first : before->next;
    if (request->prev == NULL) {
        list->first = request;
    } else {
        request->prev->next = request;
    }
    if (request->next == NULL) {
        list->last = request;
    } else {
        request->next->prev = request;
    }
}

static void
list_remove(struct request_list *list, struct request *request)
{
    if (request->prev == NULL) {
        list->first = request->next;
    } else {
        request->prev->next = request->next;
    }
    if (request->next == NULL) {
        list->last = request->prev;
    } else {
        request->next->prev = request->prev;
    }
}

static struct request_list *
list_of(struct requests *requests, const struct request *request)
{
    return request->sent ? &requests->sent : &requests->waiting;
}

/* ---- requests ---- */

uint64_t
requests_next_id(const struct requests *requests, bool is_wait)
{
    const struct request_slots *slots =
        is_wait ? &requests->waits : &requests->usual;

    if (slots->free_count == 0) {
        return 0;
    }
    return (requests->serial + 1) << REQUEST_SLOT_BITS |
           (slots->first + slots->free_slots[slots->free_count - 1]);
}

struct request *
requests_add(struct requests *requests, uint64_t id, struct slice frame,
             uint64_t deadline_ms)
{
    struct request_slots *slots = slots_of(requests, id);
    struct request *request = malloc(sizeof(*request) + frame.size);

    assert(id != 0);
    assert(id == requests_next_id(requests, request_id_waits(id)));
    if (request == NULL) {
        return NULL;
    }
    *request = (struct request){
        .id = id,
        .deadline_ms = deadline_ms,
        .size = frame.size,
    };
    memcpy(request->frame, frame.data, frame.size);
    requests->serial++;
    slots->slots[slots->free_slots[--slots->free_count]] = request;
    requests->count++;
    requests->size += frame.size;
    if (deadline_ms < requests->deadline_ms) {
        requests->deadline_ms = deadline_ms;
    }
    list_insert(&requests->waiting, requests->waiting.last, request);
    return request;
}

struct request *
requests_find(const struct requests *requests, uint64_t id)
{
    const struct request_slots *slots =
        request_id_waits(id) ? &requests->waits : &requests->usual;
    size_t slot = REQUEST_SLOT(id) - slots->first;
    struct request *request = slot < slots->count ? slots->slots[slot] : NULL;

    return request != NULL && request->id == id ? request : NULL;
}

void
requests_remove(struct requests *requests, struct request *request)
{
    struct request_slots *slots = slots_of(requests, request->id);
    size_t slot = REQUEST_SLOT(request->id) - slots->first;

    assert(slots->slots[slot] == request);
    list_remove(list_of(requests, request), request);
    slots->slots[slot] = NULL;
    slots->free_slots[slots->free_count++] = (uint32_t)slot;
    requests->count--;
    requests->size -= request->size;
}

void
requests_mark_sent(struct requests *requests)
{
    struct request *request = requests->waiting.first;

    list_remove(&requests->waiting, request);
    request->sent = true;
    list_insert(&requests->sent, requests->sent.last, request);
    requests->on_wire += !request_id_waits(request->id);
}

void
requests_mark_waiting(struct requests *requests, struct request *request)
{
    struct request *before = NULL;
    struct request *after = requests->waiting.first;

    list_remove(&requests->sent, request);
    request->sent = false;
    /* Serial numbers are in front of ids, so ids compare by age. */
    while (after != NULL && after->id < request->id) {
        before = after;
        after = after->next;
    }
    list_insert(&requests->waiting, before, request);
}

static void
forget_bound(struct requests *requests)
{
    struct request *next;

    for (struct request *request = requests->waiting.first; request != NULL;
         request = next) {
        next = request->next;
        if (request->is_bound) {
            requests_remove(requests, request);
            free(request);
        }
    }
}

void
requests_lost(struct requests *requests)
{
    struct request *request = requests->sent.last;

    /* From the youngest, each goes in front of all: only those that were put
     * back to wait by an answer are as old as what was sent.
     */
    while (request != NULL) {
        struct request *before = request->prev;

        request->doubtful = true;
        requests_mark_waiting(requests, request);
        request = before;
    }
    requests->on_wire = 0;
    forget_bound(requests);
}

struct request *
requests_first(const struct requests *requests)
{
    struct request *waiting = requests->waiting.first;
    struct request *sent = requests->sent.first;

    if (waiting == NULL || sent == NULL) {
        return waiting == NULL ? sent : waiting;
    }
    return waiting->id < sent->id ? waiting : sent;
}

static struct request *
find_expired(const struct request_list *list, uint64_t now_ms, uint64_t *next)
{
    for (struct request *request = list->first; request != NULL;
         request = request->next) {
        if (request->deadline_ms <= now_ms) {
            return request;
        }
        if (request->deadline_ms < *next) {
            *next = request->deadline_ms;
        }
    }
    return NULL;
}

struct request *
requests_expired(struct requests *requests, uint64_t now_ms)
{
    struct request *request;
    uint64_t next = UINT64_MAX;

    if (now_ms < requests->deadline_ms) {
        return NULL;
    }
    request = find_expired(&requests->sent, now_ms, &next);
    if (request == NULL) {
        request = find_expired(&requests->waiting, now_ms, &next);
    }
    if (request == NULL) {
        requests->deadline_ms = next;
    }
    return request;
}

/* Those of acta_backup.h, and reads. */
static void
finish_backups(const struct request *request, const struct acta_err *err,
               const struct answer *answer)
{
    static const struct acta_page no_page;
    static const struct acta_backup_begun not_begun = {.reason = ""};
    static const struct acta_backup_chunk no_chunk;
    bool answered = answer != NULL;

    switch ((unsigned)request->kind) {
    case OP_BEGIN_BACKUP:
        request->done.backup_begun(
            request->user, err, answered ? &answer->backup_begun : &not_begun);
        break;
    case OP_READ_BACKUP:
        request->done.backup_chunk(
            request->user, err, answered ? &answer->backup_chunk : &no_chunk);
        break;
    case OP_END_BACKUP:
        request->done.backup_ended(request->user, err,
                                   answered ? answer->number : 0);
        break;
    default:
        request->done.page(request->user, err,
                           answered ? &answer->page : &no_page);
        break;
    }
}

/* Those of acta_lease.h, acta_snapshot.h and acta_schedule.h, and the rest. */
static void
finish_leases(const struct request *request, const struct acta_err *err,
              const struct answer *answer)
{
    static const struct acta_page no_page;
    static const struct acta_leases no_leases;
    static const struct acta_schedules no_schedules;
    static const struct acta_loaded not_loaded = {.page = &no_page};
    static const struct acta_verification not_verified;
    bool answered = answer != NULL;

    switch ((unsigned)request->kind) {
    case OP_LIST_LEASES:
        request->done.leases(request->user, err,
                             answered ? &answer->leases : &no_leases);
        break;
    case OP_LIST_SCHEDULES:
        request->done.schedules(request->user, err,
                                answered ? &answer->schedules : &no_schedules);
        break;
    case OP_LOAD:
        request->done.loaded(request->user, err,
                             answered ? &answer->loaded : &not_loaded);
        break;
    case OP_VERIFY:
        request->done.verification(request->user, err,
                                   answered ? &answer->verification
                                            : &not_verified);
        break;
    default:
        finish_backups(request, err, answer);
        break;
    }
}

/* Those of acta_consumer.h. */
static void
finish_consumers(const struct request *request, const struct acta_err *err,
                 const struct answer *answer)
{
    static const struct acta_consumer_changed not_changed;
    static const struct acta_consumers no_consumers;
    static const struct acta_consumer_description no_description;
    static const struct acta_parked_page none_parked;
    bool answered = answer != NULL;

    switch ((unsigned)request->kind) {
    case OP_AWAIT:
    case OP_CHANGE_CONSUMER:
        request->done.consumer_changed(request->user, err,
                                       answered ? &answer->consumer_changed
                                                : &not_changed);
        break;
    case OP_LIST_CONSUMERS:
        request->done.consumers(request->user, err,
                                answered ? &answer->consumers : &no_consumers);
        break;
    case OP_DESCRIBE_CONSUMER:
        request->done.described(request->user, err,
                                answered ? &answer->described
                                         : &no_description);
        break;
    case OP_LIST_PARKED:
        request->done.parked(request->user, err,
                             answered ? &answer->parked : &none_parked);
        break;
    case OP_CHANGE_PARKED:
        request->done.count(request->user, err, answered ? answer->number : 0);
        break;
    default:
        finish_leases(request, err, answer);
        break;
    }
}

void
request_finish(const struct request *request, const struct acta_err *err,
               const struct answer *answer)
{
    static const struct acta_status no_status;
    static const struct acta_appended not_appended;
    static const struct acta_streams no_streams;
    static const struct acta_stream no_stream = {.name = ""};
    static const struct acta_description no_description = {&no_stream, 0};
    static const struct acta_names no_names;
    static const struct acta_changed not_changed;
    bool answered = answer != NULL;

    if (request->done.pong == NULL) {
        return;
    }
    if (request->is_own) {
        request->done.own(request->user, request, err, answer);
        return;
    }
    switch ((unsigned)request->kind) {
    case OP_PING:
        request->done.pong(request->user, err, answered ? answer->number : 0);
        break;
    case OP_STATUS:
        request->done.status(request->user, err,
                             answered ? &answer->status : &no_status);
        break;
    case OP_APPEND:
    case OP_FIND_COMMAND:
        request->done.appended(request->user, err,
                               answered ? &answer->appended : &not_appended);
        break;
    case OP_CHANGE_STREAM:
        request->done.changed(request->user, err,
                              answered ? &answer->changed : &not_changed);
        break;
    case OP_FIND_TIME:
        request->done.position(request->user, err,
                               answered ? answer->number : 0);
        break;
    case OP_LIST_STREAMS:
        request->done.streams(request->user, err,
                              answered ? &answer->streams : &no_streams);
        break;
    case OP_DESCRIBE_STREAM:
        request->done.description(request->user, err,
                                  answered ? &answer->description
                                           : &no_description);
        break;
    case OP_LIST_NAMES:
        request->done.names(request->user, err,
                            answered ? &answer->names : &no_names);
        break;
    default:
        finish_consumers(request, err, answer);
        break;
    }
}

enum opcode
request_reply_kind(enum opcode kind)
{
    switch ((unsigned)kind) {
    case OP_PING:
        return OP_PONG;
    case OP_STATUS:
        return OP_STATUS_REPLY;
    case OP_APPEND:
    case OP_FIND_COMMAND:
        return OP_APPENDED;
    case OP_CHANGE_STREAM:
        return OP_CHANGED;
    case OP_FIND_TIME:
        return OP_FOUND_TIME;
    case OP_LIST_STREAMS:
        return OP_STREAMS;
    case OP_DESCRIBE_STREAM:
        return OP_DESCRIPTION;
    case OP_LIST_NAMES:
        return OP_NAMES;
    case OP_AWAIT:
    case OP_CHANGE_CONSUMER:
        return OP_CONSUMER_CHANGED;
    case OP_LIST_CONSUMERS:
        return OP_CONSUMERS;
    case OP_DESCRIBE_CONSUMER:
        return OP_CONSUMER;
    case OP_LIST_PARKED:
        return OP_PARKED;
    case OP_CHANGE_PARKED:
        return OP_PARKED_CHANGED;
    case OP_CHANGE_LEASE:
        return OP_LEASE_CHANGED;
    case OP_LIST_LEASES:
        return OP_LEASES;
    case OP_LIST_SCHEDULES:
        return OP_SCHEDULES;
    case OP_LOAD:
        return OP_LOADED;
    case OP_VERIFY:
        return OP_VERIFIED;
    case OP_SETTLE:
        return OP_SETTLED;
    case OP_LEAVE:
        return OP_LEFT;
    case OP_BEGIN_BACKUP:
        return OP_BACKUP_BEGUN;
    case OP_READ_BACKUP:
        return OP_BACKUP_CHUNK;
    case OP_END_BACKUP:
        return OP_BACKUP_ENDED;
    default:
        return OP_PAGE;
    }
}

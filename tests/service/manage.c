#include "manage.h"

#include <acta/acta_schedule.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "patient.h"
#include "rig.h"

#define TOLD_SIZE 2048

struct acta_memory *memory;
struct acta_sync *sync_;
struct acta_sync *runs_on;
struct acta_process *process;
struct acta_manager *manager;
struct acta_manager_options options;
struct acta_upcasters *upcasters;
struct acta_err err;

static struct rig rig;

struct acta_sync *
connect_to_it(void)
{
    struct acta_options to;
    struct acta_sync *opened;
    enum acta_code code;
    char url[64];

    snprintf(url, sizeof(url), "acta://127.0.0.1:%u", rig.port);
    to = patient_options(url);
    code = memory != NULL ? acta_sync_open_memory(&opened, memory, NULL, &err)
                          : acta_sync_open(&opened, &to, &err);
    ck_assert_msg(code == ACTA_OK, "%s", err.text);
    return opened;
}

static void
begin(void)
{
    payments_states = 0;
    payments_late_ms = 3600000;
    payments_nudge = NULL;
    payments_before_reacting = NULL;
    sync_ = connect_to_it();
    runs_on = connect_to_it();
    process = payments_new();
    upcasters = NULL;
    manager = NULL;
    options = acta_manager_options_of();
    options.is_once = true;
    options.retry_ms = 1;
}

void
setup(void)
{
    memory = NULL;
    rig_start(&rig, NULL);
    begin();
}

void
setup_memory(void)
{
    memory = acta_memory_new();
    ck_assert_ptr_nonnull(memory);
    begin();
}

void
teardown(void)
{
    acta_manager_free(manager);
    acta_process_free(process);
    acta_upcasters_free(upcasters);
    acta_sync_close(runs_on);
    acta_sync_close(sync_);
    if (memory == NULL) {
        rig_stop(&rig);
    }
    acta_memory_free(memory);
    ck_assert_int_eq(payments_states, 0);
}

void
must(enum acta_code code)
{
    ck_assert_msg(code == ACTA_OK, "%s", err.text);
}

void
put_draft(const char *stream, const struct acta_draft *draft)
{
    struct acta_append *append = acta_append_new();

    acta_append_stream(append, stream, ACTA_EXPECT_ANY);
    acta_append_event(append, draft);
    must(acta_sync_append(sync_, append, NULL, &err));
    acta_append_free(append);
}

void
put(const char *stream, const char *type, const char *data)
{
    struct acta_draft draft = acta_draft_of(type, data, strlen(data));

    draft.format = ACTA_FORMAT_JSON;
    put_draft(stream, &draft);
}

void
pay(const char *key, const char *cents)
{
    struct acta_draft draft =
        acta_draft_of("PaymentReceived", cents, strlen(cents));
    char tag[64];
    const char *tags[] = {"paid", tag};

    snprintf(tag, sizeof(tag), "order:%s", key);
    draft.tags = tags;
    draft.tags_count = 2;
    put_draft("payment-1", &draft);
}

enum acta_code
run(void)
{
    if (manager == NULL) {
        must(acta_manager_new(&manager, process, runs_on, &options, &err));
    }
    err = (struct acta_err){ACTA_OK, ""};
    return acta_manager_run(manager, &err);
}

const char *
told(const char *stream)
{
    static char text[TOLD_SIZE];
    struct acta_read read = acta_read_of_stream(stream);
    const struct acta_page *page;
    size_t end = 0;

    must(acta_sync_read(sync_, &read, &page, &err));
    text[0] = '\0';
    for (size_t i = 0; i < page->events_count; i++) {
        const struct acta_event *event = page->events[i];

        end += (size_t)snprintf(text + end, sizeof(text) - end, "%s%s%s%s",
                                i == 0 ? "" : " ", event->type,
                                event->data_size == 0 ? "" : ":",
                                (const char *)event->data);
        ck_assert_uint_lt(end, sizeof(text));
    }
    return text;
}

const char *
scheduled(void)
{
    static char text[TOLD_SIZE];
    const struct acta_schedules *page;
    size_t end = 0;

    must(acta_sync_list_schedules(sync_, NULL, NULL, 0, &page, &err));
    text[0] = '\0';
    for (size_t i = 0; i < page->schedules_count; i++) {
        end += (size_t)snprintf(text + end, sizeof(text) - end, "%s%s",
                                i == 0 ? "" : " ", page->schedules[i]->name);
        ck_assert_uint_lt(end, sizeof(text));
    }
    return text;
}

uint64_t
head(void)
{
    uint64_t position;

    must(acta_sync_ping(sync_, &position, &err));
    return position;
}

uint64_t
checkpoint(void)
{
    const struct acta_consumer_description *description;

    must(acta_sync_describe_consumer(sync_, "payments", &description, &err));
    return description->consumer->position;
}

void
wait_for_deadlines(const char *type, size_t count)
{
    struct acta_query *query = acta_query_new();
    struct acta_follower *follower;
    const struct acta_news *news;
    size_t found = 0;

    acta_query_all_versions(query, type);
    if (memory != NULL) {
        acta_memory_pass(memory, 1000);
    }
    must(acta_follower_open(&follower, sync_, query, 0, &err));
    while (found < count) {
        must(acta_follower_next(follower, MANAGE_PATIENCE_MS, &news, &err));
        found += news->events_count;
    }
    ck_assert_uint_eq(found, count);
    acta_follower_close(follower);
    acta_query_free(query);
}

const struct acta_manager_status *
status(void)
{
    return acta_manager_status(manager);
}

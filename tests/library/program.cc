// A program in C++: all public headers, a lambda as callback, events that go in
// and come out.

#include <acta/acta_consumer.h>
#include <acta/acta_ev.h>
#include <acta/acta_group.h>
#include <acta/acta_lease.h>
#include <acta/acta_poll.h>
#include <acta/acta_schedule.h>
#include <acta/acta_snapshot.h>
#include <acta/acta_sync.h>

#include <cstdio>
#include <cstdlib>
#include <string>

static void
fail(const char *what, const acta_err &err)
{
    std::fprintf(stderr, "%s: %s: %s\n", what, acta_code_name(err.code),
                 err.text);
    std::exit(1);
}

// A struct that shares its name with a function is a struct only if one says
// so.
static void
append(const char *url)
{
    static const char *const tags[] = {"customer:7"};
    std::string data = "{\"total\": 12}";
    acta_options options = acta_options_of(url);
    acta_draft draft = acta_draft_of("OrderPlaced", data.data(), data.size());
    struct acta_append *append = acta_append_new();
    acta_client *client = nullptr;
    acta_poll loop;
    acta_err err;
    bool done = false;

    draft.format = ACTA_FORMAT_JSON;
    draft.tags = tags;
    draft.tags_count = 1;
    acta_append_stream(append, "order-42", 0);
    acta_append_event(append, &draft);
    if (acta_poll_open(&loop, &client, &options, &err) != ACTA_OK) {
        fail("open", err);
    }
    auto on_appended = [](void *user, const acta_err *why,
                          const struct acta_appended *appended) {
        if (why != nullptr) {
            fail("append", *why);
        }
        std::printf("version %llu\n", (unsigned long long)appended->version);
        *static_cast<bool *>(user) = true;
    };
    if (acta_append(client, append, 0, on_appended, &done, &err) == 0) {
        fail("append", err);
    }
    while (!done) {
        acta_poll_turn(&loop, -1);
    }
    acta_close(client);
    acta_append_free(append);
}

static void
read(const char *url)
{
    acta_options options = acta_options_of(url);
    acta_query *query = acta_query_new();
    struct acta_read read = acta_read_of_query(query);
    acta_cursor *cursor = nullptr;
    acta_sync *sync = nullptr;
    const acta_event *event = nullptr;
    acta_err err;

    acta_query_tag(query, "customer:7");
    if (acta_sync_open(&sync, &options, &err) != ACTA_OK ||
        acta_cursor_open(&cursor, sync, &read, &err) != ACTA_OK ||
        acta_cursor_next(cursor, &event, &err) != ACTA_OK) {
        fail("read", err);
    }
    std::printf("%s: %s\n", event->type,
                static_cast<const char *>(event->data));
    acta_cursor_close(cursor);
    acta_sync_close(sync);
    acta_query_free(query);
}

static void
load(const char *url)
{
    acta_options options = acta_options_of(url);
    struct acta_load load = acta_load_of("order-42");
    acta_acquire acquire = acta_acquire_of("lock", 10000);
    struct acta_append *append = acta_append_new();
    const acta_loaded *loaded = nullptr;
    acta_lease *lease = nullptr;
    acta_sync *sync = nullptr;
    acta_err err;

    acta_append_snapshot(append, "order-42", 1, 1, "state", 5);
    if (acta_sync_open(&sync, &options, &err) != ACTA_OK ||
        acta_sync_acquire(sync, &acquire, &lease, &err) != ACTA_OK) {
        fail("acquire", err);
    }
    acta_append_lease(append, "lock", acta_lease_fence(lease));
    if (acta_sync_append(sync, append, nullptr, &err) != ACTA_OK ||
        acta_sync_release(sync, lease, &err) != ACTA_OK ||
        acta_sync_load(sync, &load, &loaded, &err) != ACTA_OK) {
        fail("load", err);
    }
    std::printf("snapshot %s\n",
                static_cast<const char *>(loaded->snapshot->data));
    acta_sync_close(sync);
    acta_append_free(append);
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    append(argv[1]);
    read(argv[1]);
    load(argv[1]);
    return 0;
}

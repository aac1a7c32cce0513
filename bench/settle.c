#include "settle.h"

#include <string.h>

struct asked {
    struct fleet *fleet;
    struct settled *settled;
    uint64_t stored;
    bool answered;
};

static void
on_status(void *user, const struct acta_err *err,
          const struct acta_status *status)
{
    struct asked *asked = user;

    if (err != NULL && err->code == ACTA_CANCELLED) {
        return; /* Who asked is gone: it was interrupted. */
    }
    if (err != NULL) {
        fleet_fail(asked->fleet, err);
        return;
    }
    for (size_t i = 0; i < status->entries_count; i++) {
        const struct acta_status_entry *entry = status->entries[i];

        if (strcmp(entry->name, "database.head") == 0) {
            asked->settled->head = entry->number;
        } else if (strcmp(entry->name, "database.stored") == 0) {
            asked->stored = entry->number;
        } else if (strcmp(entry->name, "database.store_size") == 0) {
            asked->settled->store_size = entry->number;
        }
    }
    asked->answered = true;
}

enum acta_code
settle(struct fleet *fleet, struct settled *settled, struct acta_err *err)
{
    enum acta_code code = ACTA_OK;
    struct asked asked;

    *settled = (struct settled){0};
    do {
        asked = (struct asked){.fleet = fleet, .settled = settled};
        if (acta_status(fleet_client(fleet, 0), 0, on_status, &asked, err) ==
            0) {
            return err->code;
        }
        while (code == ACTA_OK && !asked.answered) {
            code = fleet_turn(fleet, err);
        }
        if (code == ACTA_OK && asked.stored < settled->head) {
            code = fleet_turn(fleet, err); /* A pause: the fleet's tick. */
        }
    } while (code == ACTA_OK && asked.stored < settled->head);
    return code;
}

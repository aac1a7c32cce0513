#include "place.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "when.h"

bool
place_parse_position(const char *text, uint64_t *position)
{
    char *end;

    errno = 0;
    *position = strtoull(text, &end, 10);
    return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' &&
           *position <= INT64_MAX;
}

bool
place_parse(struct place *place, const char *what, const char *text)
{
    *place = (struct place){.kind = PLACE_START};
    if (strcmp(text, "start") == 0) {
        return true;
    }
    if (strcmp(text, "end") == 0) {
        place->kind = PLACE_END;
        return true;
    }
    if (place_parse_position(text, &place->number)) {
        /* 0 is the start as well. */
        place->kind = place->number == 0 ? PLACE_START : PLACE_POSITION;
        return true;
    }
    place->kind = PLACE_TIME;
    if (when_parse_time(text, when_now_us(), &place->number)) {
        return true;
    }
    cli_error(ACTA_INVALID,
              "%s %s: not start, end, a position, or a time such as 2h, "
              "2026-11-21 or 2026-11-21T22:22:36Z",
              what, text);
    return false;
}

int
place_find(const struct place *place, struct cli *cli, uint64_t *before)
{
    enum acta_code code = ACTA_OK;
    struct acta_err err;

    *before = 0;
    switch (place->kind) {
    case PLACE_START:
        break;
    case PLACE_END:
        code = acta_sync_ping(cli->sync, before, &err);
        break;
    case PLACE_POSITION:
        code = acta_sync_ping(cli->sync, before, &err);
        if (code == ACTA_OK && place->number > *before + 1) {
            cli_error(ACTA_INVALID,
                      "position %" PRIu64 ": the last event is at %" PRIu64,
                      place->number, *before);
            return EXIT_USAGE;
        }
        *before = place->number - 1;
        break;
    case PLACE_TIME:
        code = acta_sync_find_time(cli->sync, place->number, before, &err);
        break;
    }
    return code == ACTA_OK ? EXIT_OK : cli_fail(NULL, &err);
}

int
place_find_range(const struct place *from, const struct place *to,
                 struct cli *cli, uint64_t *after, uint64_t *last)
{
    int code = place_find(from, cli, after);

    if (code == EXIT_OK && to->kind == PLACE_POSITION) {
        *last = to->number;
    } else if (code == EXIT_OK) {
        code = place_find(to, cli, last);
    }
    return code;
}

/* The projection of ./dev demo: follows the events that history.c makes, and
 * shows who changes what, and how much:
 *
 *     acta-demo-board URL TITLE DIR [--once]
 *
 * On a terminal the figures are redrawn in place; else a line comes every
 * second in which something happened. SIGINT ends it; with --once it ends when
 * all that is stored has been counted, and prints the figures. DIR is where
 * acta is, for the commands that it proposes.
 *
 * The read model is in memory, so it starts at the first event every time.
 */

#include <acta/acta_poll.h>
#include <acta/acta_sync.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "json.h"
#include "slice.h"
#include "tally.h"

#define TOP_MAX     40
#define MONTHS_MAX  6
#define NAME_SIZE   1024
#define REDRAW_MS   200
#define PLAIN_MS    1000
#define BAR_SIZE    24
#define COLUMNS_MIN 60

struct board {
    const char *url;
    const char *title;
    const char *dir; /* Where acta is. */
    bool once;
    bool in_place; /* stdout is a terminal. */

    struct tally files;
    struct tally pairs; /* "author TAB path" */
    struct tally months;
    uint64_t events;
    uint64_t position;
    uint64_t head;
    bool live;

    uint64_t rate; /* Events a second, over the last interval. */
    uint64_t rate_events;
    uint64_t rate_ms; /* When it began. */
    uint64_t drawn_ms;
    uint64_t drawn_events;
};

static struct acta_follower *follower; /* For the signal handler. */

static void
on_signal(int number)
{
    (void)number;
    acta_follower_interrupt(follower);
}

/* ---- counting ---- */

/* What is counted of a change. */
struct change {
    char path[NAME_SIZE];
    char author[NAME_SIZE];
    char month[8]; /* "2026-11" */
    uint64_t added, removed;
};

/* A string of the data, decoded; cut if it is very long. */
static void
take_text(struct slice value, char *to, size_t size)
{
    char *text = json_kind(value) == JSON_STRING ? malloc(value.size) : NULL;

    if (text != NULL) {
        json_decode_string(value, text);
        snprintf(to, size, "%s", text);
        free(text);
    }
}

static bool
read_change(struct change *change, const struct acta_event *event)
{
    struct json json;
    struct slice key, value;

    *change = (struct change){.path = ""};
    json_init(&json, slice_make(event->data, event->data_size));
    json_open(&json, JSON_OBJECT);
    for (bool first = true; json_member(&json, first, &key, &value);
         first = false) {
        if (slice_equal(key, slice_of("\"path\""))) {
            take_text(value, change->path, sizeof(change->path));
        } else if (slice_equal(key, slice_of("\"author\""))) {
            take_text(value, change->author, sizeof(change->author));
        } else if (slice_equal(key, slice_of("\"authored\""))) {
            take_text(value, change->month, sizeof(change->month));
        } else if (slice_equal(key, slice_of("\"added\""))) {
            change->added = strtoull((const char *)value.data, NULL, 10);
        } else if (slice_equal(key, slice_of("\"removed\""))) {
            change->removed = strtoull((const char *)value.data, NULL, 10);
        }
    }
    return !json_failed(&json) && *change->path != '\0';
}

static void
count_event(struct board *board, const struct acta_event *event)
{
    struct change change;
    char pair[2 * NAME_SIZE];

    board->events++;
    /* Whoever tries things out appends what comes to mind. */
    if (event->format != ACTA_FORMAT_JSON || !read_change(&change, event)) {
        return;
    }
    snprintf(pair, sizeof(pair), "%s\t%s", change.author, change.path);
    tally_add(&board->files, change.path, change.added, change.removed);
    tally_add(&board->pairs, pair, change.added, change.removed);
    tally_add(&board->months, change.month, change.added, change.removed);
}

/* ---- drawing ---- */

/* The size of the window, within reason. */
static void
window_size(const struct board *board, size_t *rows, size_t *columns)
{
    struct winsize size;

    *rows = 32;
    *columns = 80;
    if (board->in_place && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
        size.ws_row > 0 && size.ws_col > 0) {
        *rows = size.ws_row;
        *columns = size.ws_col > COLUMNS_MIN ? size.ws_col : COLUMNS_MIN;
    }
}

static size_t
count_characters(const char *text)
{
    size_t characters = 0;

    for (; *text != '\0'; text++) {
        characters += (*text & 0xc0) != 0x80;
    }
    return characters;
}

/* Behind the first @count characters of @text. */
static const char *
skip_characters(const char *text, size_t count)
{
    while (*text != '\0' && (count > 0 || (*text & 0xc0) == 0x80)) {
        count -= (*text & 0xc0) != 0x80;
        text++;
    }
    return text;
}

/* Print @width characters: the beginning of @name, and spaces. */
static void
put_name(const char *name, size_t width)
{
    size_t characters = count_characters(name);

    if (characters > width) {
        const char *end = skip_characters(name, width - 1);

        printf("%.*s…", (int)(end - name), name);
    } else {
        printf("%s%*s", name, (int)(width - characters), "");
    }
}

/* Print @width characters of a path: its end, which tells most, and spaces. */
static void
put_path(const char *path, size_t width)
{
    size_t characters = count_characters(path);

    if (characters > width) {
        printf("…%s", skip_characters(path, characters - width + 1));
    } else {
        printf("%s%*s", path, (int)(width - characters), "");
    }
}

static void
end_line(const struct board *board)
{
    puts(board->in_place ? "\033[K" : "");
}

static void
headline(const struct board *board, const char *text)
{
    end_line(board);
    printf(board->in_place ? "\033[1m%s\033[0m" : "%s", text);
    end_line(board);
}

static void
draw_files(const struct board *board, size_t rows, size_t columns)
{
    const struct tally_row *top[TOP_MAX];
    size_t count = tally_top(&board->files, tally_by_count, top, rows);

    headline(board, "changed most");
    for (size_t i = 0; i < count; i++) {
        printf("%7" PRIu64 "  ", top[i]->count);
        put_path(top[i]->name, columns - 32);
        printf("  +%-8" PRIu64 " -%-8" PRIu64, top[i]->added, top[i]->removed);
        end_line(board);
    }
}

static void
draw_pairs(const struct board *board, size_t rows, size_t columns)
{
    const struct tally_row *top[TOP_MAX];
    size_t count = tally_top(&board->pairs, tally_by_count, top, rows);

    headline(board, "who changed what most");
    for (size_t i = 0; i < count; i++) {
        char author[NAME_SIZE];
        const char *path = strchr(top[i]->name, '\t') + 1;

        snprintf(author, sizeof(author), "%.*s", (int)(path - top[i]->name - 1),
                 top[i]->name);
        printf("%7" PRIu64 "  ", top[i]->count);
        put_name(author, 20);
        fputs("  ", stdout);
        put_path(path, columns - 32);
        end_line(board);
    }
}

static void
draw_months(const struct board *board)
{
    const struct tally_row *top[MONTHS_MAX];
    size_t count =
        tally_top(&board->months, tally_by_name_backward, top, MONTHS_MAX);
    uint64_t most = 1;

    for (size_t i = 0; i < count; i++) {
        uint64_t churn = top[i]->added + top[i]->removed;

        most = churn > most ? churn : most;
    }
    headline(board, "churn a month");
    for (size_t i = 0; i < count; i++) {
        uint64_t churn = top[i]->added + top[i]->removed;
        uint64_t bar = (churn * BAR_SIZE + most - 1) / most;

        printf("%7s  ", top[i]->name);
        for (uint64_t j = 0; j < BAR_SIZE; j++) {
            fputs(j < bar ? "█" : " ", stdout);
        }
        printf("  +%-8" PRIu64 " -%-8" PRIu64 " in %" PRIu64 " changes",
               top[i]->added, top[i]->removed, top[i]->count);
        end_line(board);
    }
}

static void
draw_next(const struct board *board)
{
    const struct tally_row *top[1];
    bool any = tally_top(&board->files, tally_by_count, top, 1) == 1;

    headline(board, "try next, in another terminal");
    printf("  export PATH=$PATH:%s ACTA_SERVER=%s", board->dir, board->url);
    end_line(board);
    printf("  acta tail -f");
    end_line(board);
    /* Other names need escapes, in the stream's or for the shell. */
    if (any && strlen(top[0]->name) < 200 &&
        strpbrk(top[0]->name, "%'") == NULL) {
        printf("  acta read 'file-%s' -n 3", top[0]->name);
        end_line(board);
    }
    printf("  acta read --category file --type FileRemoved --reverse -n 5");
    end_line(board);
    printf("  acta append order-42 OrderPlaced '{\"total\":12.5}' --expect 0");
    end_line(board);
    printf("  acta help            (Ctrl-C here ends the demo)");
    end_line(board);
}

static void
draw_counts(const struct board *board)
{
    printf("%" PRIu64 " events  %zu files  %s  lag %" PRIu64 "  %" PRIu64 "/s",
           board->events, board->files.count,
           board->live ? "live" : "catching up",
           board->head > board->position ? board->head - board->position : 0,
           board->rate);
}

static void
draw_all(const struct board *board)
{
    size_t rows, columns, top;

    window_size(board, &rows, &columns);
    /* What else there is takes 21 lines; two lists share the rest. */
    top = rows > 25 ? (rows - 21) / 2 : 2;
    top = top < TOP_MAX ? top : TOP_MAX;
    fputs(board->in_place ? "\033[H" : "", stdout);
    printf("%s  %s", board->title, board->url);
    end_line(board);
    draw_counts(board);
    end_line(board);
    draw_pairs(board, top, columns);
    draw_files(board, top, columns);
    draw_months(board);
    draw_next(board);
    fputs(board->in_place ? "\033[J" : "", stdout);
    fflush(stdout);
}

static void
measure_rate(struct board *board, uint64_t now_ms)
{
    if (now_ms - board->rate_ms >= PLAIN_MS) {
        board->rate = (board->events - board->rate_events) * 1000 /
                      (now_ms - board->rate_ms);
        board->rate_events = board->events;
        board->rate_ms = now_ms;
    }
}

static void
draw(struct board *board)
{
    uint64_t now_ms = acta_poll_now_ms();

    measure_rate(board, now_ms);
    if (board->in_place && now_ms - board->drawn_ms >= REDRAW_MS) {
        draw_all(board);
        board->drawn_ms = now_ms;
    } else if (!board->in_place && now_ms - board->drawn_ms >= PLAIN_MS &&
               board->events > board->drawn_events) {
        draw_counts(board);
        putchar('\n');
        fflush(stdout);
        board->drawn_ms = now_ms;
        board->drawn_events = board->events;
    }
}

/* ---- following ---- */

/* Returns when it is interrupted or, if only once, has caught up. */
static enum acta_code
follow(struct board *board, struct acta_err *err)
{
    const struct acta_news *news;
    bool told = false;

    for (;;) {
        enum acta_code code =
            acta_follower_next(follower, REDRAW_MS, &news, err);

        if (code != ACTA_OK && code != ACTA_TIMEOUT) {
            return code == ACTA_CANCELLED ? ACTA_OK : code;
        }
        if (code == ACTA_OK) {
            for (size_t i = 0; i < news->events_count; i++) {
                count_event(board, news->events[i]);
            }
            board->position = news->position;
            board->head = news->head;
            board->live = news->live;
        }
        if (board->once && board->live && board->position >= board->head) {
            draw_all(board);
            return ACTA_OK;
        }
        if (!board->once) {
            draw(board);
        }
        if (!board->in_place && !board->once && !told && board->live &&
            board->events > 0) {
            draw_next(board);
            fflush(stdout);
            told = true;
        }
    }
}

int
main(int argc, char **argv)
{
    static struct board board;
    struct acta_sync *sync = NULL;
    struct acta_options options;
    struct acta_err err;
    enum acta_code code;

    if (argc < 4 || argc > 5 || (argc == 5 && strcmp(argv[4], "--once") != 0)) {
        fprintf(stderr, "usage: %s URL TITLE DIR [--once]\n", argv[0]);
        return EXIT_FAILURE;
    }
    board.url = argv[1];
    board.title = argv[2];
    board.dir = argv[3];
    board.once = argc == 5;
    board.in_place = isatty(STDOUT_FILENO) && !board.once;
    board.rate_ms = acta_poll_now_ms();
    options = acta_options_of(board.url);
    options.name = "demo board";
    code = acta_sync_open(&sync, &options, &err);
    if (code == ACTA_OK) {
        code = acta_follower_open(&follower, sync, NULL, 0, &err);
    }
    if (code == ACTA_OK) {
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        fputs(board.in_place ? "\033[?25l\033[2J" : "", stdout);
        code = follow(&board, &err);
        fputs(board.in_place ? "\033[?25h\n" : "", stdout);
    }
    if (code != ACTA_OK) {
        fprintf(stderr, "%s: %s\n", argv[0], err.text);
    }
    signal(SIGINT, SIG_IGN); /* The follower goes. */
    acta_sync_close(sync);
    tally_fini(&board.files);
    tally_fini(&board.pairs);
    tally_fini(&board.months);
    return code == ACTA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

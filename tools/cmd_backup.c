/* backup: take one, show what there is, look whether it is whole. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "cmd.h"
#include "interrupt.h"
#include "json.h"
#include "progress.h"
#include "taking.h"
#include "uuid.h"
#include "when.h"

/* Read "50M", "50MiB" or "1G": powers of 1024. */
static bool
parse_size(const char *text, uint64_t *size)
{
    static const char units[] = "KMGT";
    const char *unit;
    char *end;

    *size = strtoull(text, &end, 10);
    if (end == text || *text < '0' || *text > '9') {
        return false;
    }
    unit = *end == '\0' ? NULL : strchr(units, *end);
    if (unit != NULL) {
        unsigned shift = 10 * (unsigned)(unit - units + 1);

        if (*size > UINT64_MAX >> shift) {
            return false;
        }
        *size <<= shift;
        end++;
        end += strcmp(end, "iB") == 0 ? 2 : 0;
    }
    return *end == '\0' && *size > 0;
}

/* "512 bytes", "4.2 MiB" */
static const char *
size_text(uint64_t size, char text[static 32])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double shown = (double)size;
    size_t unit = 0;

    while (shown >= 1024 && unit < 4) {
        shown /= 1024;
        unit++;
    }
    snprintf(text, 32, unit == 0 ? "%.0f %s" : "%.1f %s", shown, units[unit]);
    return text;
}

static const char *
id_text(const struct uuid *id, char text[static UUID_TEXT_SIZE])
{
    uuid_format(id->bytes, text);
    return text;
}

/* Archives are of the server's kind, and so are their errors; but which disk is
 * full the text says, and it is nothing that appends wait for.
 */
static int
fail_archive(const struct acta_err *err)
{
    if (err->code == ACTA_FULL) {
        cli_error(err->code, "%s", err->text);
        cli_hint("what was there before is there");
        return cli_exit_code(err->code);
    }
    if (err->code == ACTA_CORRUPT) {
        cli_error(err->code, "%s", err->text);
        cli_hint("nothing was changed; take a new backup in another directory");
        return cli_exit_code(err->code);
    }
    return cli_fail(NULL, err);
}

/* ---- take ---- */

static void
on_progress(void *user, uint64_t events, uint64_t done, uint64_t whole)
{
    progress_draw(user, events, done, done < whole ? whole : 0);
}

static void
print_taken_json(const struct archive *archive,
                 const struct taken_backup *taken, double seconds)
{
    char id[UUID_TEXT_SIZE];

    printf("{\"database\":\"%s\",\"base\":%s,\"reason\":",
           id_text(&archive->database, id), taken->has_base ? "true" : "false");
    if (taken->reason[0] == '\0') {
        fputs("null", stdout);
    } else {
        json_write_string(stdout, slice_of(taken->reason));
    }
    printf(",\"commits\":%" PRIu64 ",\"events\":%" PRIu64 ",\"bytes\":%" PRIu64
           ",\"position\":%" PRIu64 ",\"sequence\":%" PRIu64
           ",\"parts\":%zu,\"size\":%" PRIu64 ",\"store_grown\":%" PRIu64
           ",\"kept\":%s,\"seconds\":%.3f}\n",
           taken->commits, taken->events, taken->bytes, taken->position,
           taken->sequence, archive->parts_count, archive_size(archive),
           taken->grown, taken->is_kept ? "true" : "false", seconds);
}

static void
print_taken(const struct cli *cli, const struct archive *archive,
            const struct taken_backup *taken, double seconds)
{
    char size[32], grown[32];

    if (taken->has_base && taken->reason[0] != '\0') {
        cli_note(cli, "all of it was copied: %s", taken->reason);
    }
    printf("%s: added %s%" PRIu64 " commit%s: %" PRIu64 " event%s, %s in "
           "%.1f s\n",
           archive->dir, taken->has_base ? "a base and " : "", taken->commits,
           taken->commits == 1 ? "" : "s", taken->events,
           taken->events == 1 ? "" : "s", size_text(taken->bytes, size),
           seconds);
    if (taken->position == 0) {
        puts("it has no events");
    } else {
        printf("it has positions 1 to %" PRIu64 "\n", taken->position);
    }
    if (taken->grown > 0) {
        cli_note(cli, "the server's store has grown by %s meanwhile",
                 size_text(taken->grown, grown));
    }
    if (!taken->is_kept) {
        cli_note(cli, "the server keeps no journal for the next backup, which "
                      "will copy all: see backup-keep");
    }
}

static int
take(struct cli *cli, const char *dir, struct taking_options *options)
{
    struct taken_backup taken;
    struct progress progress;
    struct archive archive;
    struct acta_err err;
    enum acta_code code;
    int exit_code = cli_connect(cli);

    if (exit_code != EXIT_OK) {
        return exit_code;
    }
    code = archive_open_writer(&archive, dir, &err);
    if (code == ACTA_OK) {
        interrupt_catch();
        progress_start(&progress, !cli->quiet && !cli->json);
        options->user = &progress;
        code = taking_run(cli->sync, &archive, options, &taken, &err);
        progress_end(&progress);
    }
    if (code != ACTA_OK) {
        exit_code =
            code == ACTA_CANCELLED ? EXIT_INTERRUPTED : fail_archive(&err);
    } else if (cli->json) {
        print_taken_json(&archive, &taken, progress_seconds(&progress));
    } else {
        print_taken(cli, &archive, &taken, progress_seconds(&progress));
    }
    archive_close(&archive);
    return exit_code;
}

/* ---- show ---- */

static void
show_json(const struct archive *archive)
{
    char id[UUID_TEXT_SIZE];

    printf("{\"database\":\"%s\",\"made_us\":%" PRIu64 ",\"position\":%" PRIu64
           ",\"size\":%" PRIu64 ",\"parts\":[",
           id_text(&archive->database, id), archive->made_us,
           archive_last(archive)->position, archive_size(archive));
    for (size_t i = 0; i < archive->parts_count; i++) {
        const struct archive_part *part = &archive->parts[i];

        printf("%s{\"kind\":\"%s\",\"number\":%" PRIu64 ",\"size\":%" PRIu64
               ",\"sequence\":%" PRIu64 ",\"position\":%" PRIu64
               ",\"time_us\":%" PRIu64 ",\"erases\":%s}",
               i == 0 ? "" : ",",
               part->kind == ARCHIVE_BASE ? "base" : "entries", part->number,
               part->size, part->sequence, part->position, part->time_us,
               part->erases ? "true" : "false");
    }
    puts("]}");
}

static void
show_text(const struct archive *archive)
{
    char id[UUID_TEXT_SIZE], size[32], age[WHEN_SIZE];

    when_format_age(archive->made_us, age);
    printf("database %s\n", id_text(&archive->database, id));
    printf("made     %s\n", age);
    printf("has      positions 1 to %" PRIu64 ", %s\n",
           archive_last(archive)->position,
           size_text(archive_size(archive), size));
    for (size_t i = 0; i < archive->parts_count; i++) {
        const struct archive_part *part = &archive->parts[i];

        printf("%-8s up to position %" PRIu64 ", %s%s\n",
               part->kind == ARCHIVE_BASE ? "base" : "entries", part->position,
               size_text(part->size, size),
               part->erases ? ", erases events" : "");
    }
}

static int
show(struct cli *cli, const char *dir)
{
    struct archive archive;
    struct acta_err err;
    int exit_code = EXIT_OK;

    if (archive_open(&archive, dir, &err) != ACTA_OK) {
        exit_code = fail_archive(&err);
    } else if (cli->json) {
        show_json(&archive);
    } else {
        show_text(&archive);
    }
    archive_close(&archive);
    return exit_code;
}

/* ---- verify ---- */

static int
verify(struct cli *cli, const char *dir)
{
    struct progress progress;
    struct archive archive;
    struct acta_err err;
    enum acta_code code = archive_open(&archive, dir, &err);
    uint64_t whole = 0, head = 0;
    int exit_code = EXIT_OK;

    if (code == ACTA_OK) {
        whole = archive_size(&archive);
        head = archive_last(&archive)->position;
        progress_start(&progress, !cli->quiet && !cli->json);
        progress_expect(&progress, head, whole);
        code = archive_verify(&archive, progress_add, &progress, &err);
        progress_end(&progress);
    }
    if (code != ACTA_OK) {
        exit_code = fail_archive(&err);
    } else if (cli->json) {
        printf("{\"whole\":true,\"position\":%" PRIu64 ",\"size\":%" PRIu64
               "}\n",
               head, whole);
    } else {
        printf("%s: whole, positions 1 to %" PRIu64 "\n", dir, head);
    }
    archive_close(&archive);
    return exit_code;
}

/* ---- the command ---- */

enum option_backup {
    OPTION_RATE = CLI_FIRST,
    OPTION_VERIFY,
    OPTION_ANEW,
};

typedef int verb_of_dir(struct cli *cli, const char *dir);

/* NULL: it is no verb. One is never a directory: who forgets that would find a
 * backup in it.
 */
static verb_of_dir *
find_verb(const char *word)
{
    if (strcmp(word, "show") == 0) {
        return show;
    }
    return strcmp(word, "verify") == 0 ? verify : NULL;
}

int
cmd_backup(struct cli *cli, int argc, char **argv)
{
    static const struct option options[] = {
        {"rate", required_argument, NULL, OPTION_RATE},
        {"verify", no_argument, NULL, OPTION_VERIFY},
        {"anew", no_argument, NULL, OPTION_ANEW},
        CLI_LONG_OPTIONS,
    };
    struct taking_options taking = {.progress = on_progress};
    verb_of_dir *verb = NULL;
    int option;

    while ((option = cli_option(cli, argc, argv, CLI_SHORT_OPTIONS, options)) !=
           CLI_END) {
        if (option == CLI_STOP) {
            return cli_option_exit();
        }
        if (option == OPTION_VERIFY) {
            taking.verify = true;
        } else if (option == OPTION_ANEW) {
            taking.anew = true;
        } else if (!parse_size(optarg, &taking.rate)) {
            return cli_usage(cli, "--rate %s: not a size such as 50M", optarg);
        }
    }
    if (optind < argc) {
        verb = find_verb(argv[optind]);
        optind += verb != NULL;
    }
    if (optind != argc - 1) {
        return cli_usage(cli, optind == argc ? "a directory is missing"
                                             : "one directory is expected");
    }
    return verb != NULL ? verb(cli, argv[optind])
                        : take(cli, argv[optind], &taking);
}

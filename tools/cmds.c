/* The table of all commands, which is what their help is made of. */

#include <string.h>

#include "cmd.h"
#include "due.h"
#include "filter.h"
#include "listing.h"
#include "place.h"
#include "terms.h"

const struct cmd cmds[] = {
    {"ping", "[-n COUNT]", "is the server there, and how far away",
     "  -n, --count COUNT  round trips to measure (1)\n", cmd_ping, NULL},
    {"status", "", "how the server is", "", cmd_status, NULL},
    {"append", "STREAM TYPE [DATA|-|@FILE]", "append an event, durably",
     "DATA that is JSON is stored as JSON, other data as it is; - is stdin.\n"
     "\n"
     "  --expect VERSION   append only if the stream is at VERSION (0: has no\n"
     "                     events), or \"exists\", or \"any\" (the default);\n"
     "                     exit code 4 if it is not\n"
     "  --id UUID          the event's id: appended again with the same id it\n"
     "                     counts once\n"
     "  --meta JSON|@FILE  metadata\n"
     "  --tag TEXT         a tag; may be given up to 32 times\n"
     "  --corr UUID        correlation id\n"
     "  --cause UUID       causation id\n"
     "  --format FORMAT    json, binary or msgpack, whatever it looks like\n"
     "  --atomic           many events from stdin, of one stream or several, "
     "a\n"
     "                     line each as acta import takes them: all are\n"
     "                     appended, or none\n"
     "  --ndjson           the same\n"
     "  --name NAME        store it later, under this name for acta "
     "schedule:\n" DUE_HELP TERMS_HELP "\n"
     "A decision is stored only if what it was made from still holds. Exit\n"
     "code 4 says that it does not, and what was found; read again and decide\n"
     "again.\n",
     cmd_append, NULL},
    {"read", "[STREAM]", "print events, from the first or backward",
     "  -n, --count COUNT  this many at most\n"
     "  --from NUMBER      begin at this version of STREAM, if there is no\n"
     "                     filter, or else at this position of the database\n"
     "  -r, --reverse      backward, from the last or from "
     "--from\n" FILTER_HELP,
     cmd_read, NULL},
    {"query", "[FILTER...]", "print what a decision is made from",
     "At the end stderr gets the position up to which these are all, or with\n"
     "-r and -n the last: append with --if-none and the same filter, --after\n"
     "that position, and it is refused if anything has come in between.\n"
     "\n"
     "  --after POSITION   only events behind it\n"
     "  -n, --count COUNT  this many at most\n"
     "  -r, --reverse      backward, from the last\n" FILTER_HELP,
     cmd_query, NULL},
    {"tail", "[STREAM]", "print the last events; follow with -f",
     "  -n, --count COUNT  begin with the last COUNT (20; with --since "
     "100000)\n"
     "  -f, --follow       go on with those that come, until Ctrl-C; each\n"
     "                     event once, also when the server is "
     "restarted\n" FILTER_HELP,
     cmd_tail, NULL},
    {"event", "ID | STREAM VERSION", "print all there is of one event", "",
     cmd_event, NULL},
    {"trace", "ID | EVENT", "what caused what, as a tree",
     "ID is that of an event or a command, or a correlation id; EVENT is its\n"
     "position, or STREAM@VERSION. All events of its correlation id are "
     "shown,\n"
     "each below the one that its causation id names; and their causes,\n"
     "whatever correlation id these have. There is no index of causation ids:\n"
     "effects with another correlation id are found with --scan.\n"
     "\n"
     "  --format FORMAT    text (the default), json, or dot, for Graphviz:\n"
     "                     acta trace --format dot ID | dot -Tsvg >trace.svg\n"
     "  -n, --count COUNT  this many events at most (1000), the first ones\n"
     "  --scan COUNT       look at so many events behind the first one, for\n"
     "                     effects with another correlation id; or, of an ID\n"
     "                     that is only known as a cause, at the last COUNT\n"
     "                     (100000, which is done unasked)\n"
     "  --from PLACE       only events from there on, and their causes "
     "(start)\n"
     "  --to PLACE         only events up to there (end)\n" PLACE_HELP,
     cmd_trace, NULL},
    {"streams", "[PREFIX]", "list streams: version, last event, name",
     LISTING_HELP, cmd_streams, NULL},
    {"categories", "[PREFIX]", "list categories: events, first, last",
     LISTING_HELP, cmd_categories, NULL},
    {"types", "[PREFIX]", "list types: events, first, last", LISTING_HELP,
     cmd_types, NULL},
    {"tags", "[PREFIX]", "list tags: events, first, last", LISTING_HELP,
     cmd_tags, NULL},
    {"stream", "VERB STREAM", "show it, or say what is kept of it",
     "  show               what it is at, and what is kept of it\n"
     "  set                what is kept of it:\n"
     "    --truncate-before VERSION  hide what is before VERSION\n"
     "    --max-count COUNT          hide all but the last COUNT\n"
     "    --max-age TIME             hide what is older: 12h, 7d\n"
     "                               (COUNT or TIME 0: no such bound)\n"
     "  truncate           the same as set with --truncate-before:\n"
     "    --before VERSION           the first version that stays\n"
     "  delete             hide all its events; the next append begins it\n"
     "                     anew, and its versions go on\n"
     "  tombstone          the same, and never append to it again:\n"
     "    --yes                      without asking\n"
     "\n"
     "What is hidden never comes back. All but show take\n"
     "  --expect VERSION   only if it is at VERSION, or \"exists\"; exit code "
     "4\n"
     "                     if it is not\n",
     cmd_stream, NULL},
    {"erase", "STREAM VERSION|--all", "erase the data of events, for good",
     "Data and metadata of an event, or of all that STREAM has so far, are\n"
     "taken out of the server's files. The events stay, with their types, "
     "tags\n"
     "and ids, and are shown as erased.\n"
     "\n"
     "  --all              all events of STREAM\n"
     "  --expect VERSION   with --all: only if STREAM is at VERSION\n"
     "  --yes              without asking\n"
     "  --wait             until the bytes are gone from journal and store,\n"
     "                     which is the default\n"
     "  --no-wait          only until nobody reads them any more\n",
     cmd_erase, NULL},
    {"import", "FILE|-", "append NDJSON events; may be repeated",
     "A line is an object with stream, type and data, and if wanted tags,\n"
     "metadata, id, correlation_id, causation_id and expected. data and\n"
     "metadata are stored byte for byte as they stand in the line; bytes that\n"
     "are no JSON are data_base64, with format.\n"
     "\n"
     "Imported twice, or again after it was cut short, every event is there\n"
     "once: a line without an id gets one made of its text and its number,\n"
     "whatever the file is called. Files of which lines may be equal and yet\n"
     "other events, such as two days' logs, are told apart by --source.\n"
     "\n"
     "  --dry-run          check all lines, append nothing\n"
     "  --clients COUNT    connections (1); with one, positions follow the\n"
     "                     order of the file; with more, only versions do\n"
     "  --batch COUNT      events an append at most (1000)\n"
     "  --prefix TEXT      put TEXT in front of the streams' names\n"
     "  --source NAME      name of what is imported, for the ids (none)\n"
     "  --continue         go on after lines that are wrong; the exit code is\n"
     "                     1 all the same\n",
     cmd_import, NULL},
    {"export", "[STREAM]", "write events as NDJSON that import takes",
     FILTER_HELP, cmd_export, NULL},
    {"replay", "[STREAM]", "past events once more, to a command",
     "Without --exec they go to stdout, as acta export writes "
     "them.\n" PLACE_HELP "\n"
     "  --from PLACE       begin with (start)\n"
     "  --to PLACE         the last one; of a time, the last before it (end)\n"
     "  --exec COMMAND     to a command of the shell, on its stdin: a line\n"
     "                     each. It is run once; what it exits with, if not "
     "0,\n"
     "                     is told with how far it was given events\n"
     "  --each COMMAND     the same, run anew for each event; the first that\n"
     "                     fails ends it, and where is told\n"
     "  --to-consumer NAME let this consumer begin again at --from, and watch\n"
     "                     it until it is at the end\n"
     "  --no-wait          with --to-consumer: do not watch it\n"
     "  --dry-run          only count what would be replayed\n"
     "  --rate COUNT       events a second at most\n" FILTER_HELP,
     cmd_replay, NULL},
    {"backup", "[show|verify] DIR", "back up the database into a directory",
     "The first one copies all; later ones into the same directory add what\n"
     "was committed since, as long as the server has that in its journal, or\n"
     "else copy all again, and say so. What is in the directory is whole at\n"
     "any moment: the last backup that came to its end.\n"
     "\n"
     "  show DIR           what is in it\n"
     "  verify DIR         read all of it; exit code 8 if it is damaged\n"
     "  --rate SIZE        bytes a second at most: 50M\n"
     "  --verify           read back what was written before it counts\n"
     "  --anew             copy all, whatever there is\n",
     cmd_backup, NULL},
    {"restore", "BACKUP DIR", "make a data directory from a backup",
     "DIR must not exist, or be empty; no server is asked. The database gets\n"
     "an id of its own. Each commit is there wholly or not at all.\n"
     "\n"
     "  --to-position POSITION  only commits up to this position\n"
     "  --until TIME            only commits up to this time: 2h (ago),\n"
     "                          2026-11-21T22:22\n",
     cmd_restore, NULL},
    {"consumer", "VERB [ARGUMENT...]", "what follows under a name, and groups",
     "A plain consumer follows alone, and the server keeps how far it is. A\n"
     "group's members share its events: those of one stream, or with the same\n"
     "tag of a kind, come one after another, others side by side.\n",
     NULL, consumer_verbs},
    {"projection", "VERB [ARGUMENT...]",
     "read models, as they tell of themselves",
     "Programs that keep read models (acta_projection.h) note on their "
     "consumers\n"
     "how it goes.\n",
     NULL, projection_verbs},
    {"lease", "VERB [ARGUMENT...]", "one holder at a time, for a time", "",
     NULL, lease_verbs},
    {"schedule", "VERB [ARGUMENT...]", "appends that take place later",
     "They are made by acta append with --name and --at or --delay.\n", NULL,
     schedule_verbs},
    {"snapshot", "VERB STREAM", "the state of a stream, kept for loading", "",
     NULL, snapshot_verbs},
    {"verify", "[DIR]", "is all whole that a server has on its disk",
     "Journal and store are read while the server serves, and held against\n"
     "each other; damage is told with its place, and the exit code is 8. A\n"
     "directory that no server uses is looked at by actad verify, which is "
     "run\n"
     "with it.\n"
     "\n"
     "  --rate BYTES       read so many a second at most (the server's own)\n",
     cmd_verify, NULL},
    {"salvage", "DIR NEWDIR", "what can be read of a damaged directory, anew",
     "It is actad salvage, which is run with them. Exit code 8: something is\n"
     "missing from the new one.\n",
     cmd_salvage, NULL},
    {"errors", "", "list the errors, and what to do", "", cmd_errors, NULL},
    {"help", "[COMMAND...]", "explain a command", "", cmd_help, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

const struct cmd *
cmd_find(const struct cmd *all, const char *word)
{
    for (const struct cmd *cmd = all; cmd->name != NULL; cmd++) {
        if (strcmp(cmd_word(cmd), word) == 0) {
            return cmd;
        }
    }
    return NULL;
}

const char *
cmd_word(const struct cmd *cmd)
{
    const char *space = strrchr(cmd->name, ' ');

    return space == NULL ? cmd->name : space + 1;
}

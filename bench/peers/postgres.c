#include "postgres.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#define READY_TRIES   3000
#define READY_WAIT_NS 10000000

static const char *const tables[] = {
    "CREATE TABLE event ("
    " position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " category text NOT NULL,"
    " stream text NOT NULL,"
    " version int NOT NULL,"
    " type text NOT NULL,"
    " recorded timestamptz NOT NULL DEFAULT now(),"
    " data bytea NOT NULL,"
    " UNIQUE (stream, version))",
    "CREATE INDEX ON event (category, position)",
};

PGconn *
postgres_connect(const struct peer *peer)
{
    char text[256];

    snprintf(text, sizeof(text),
             "host=127.0.0.1 port=%u user=acta dbname=postgres sslmode=disable"
             " gssencmode=disable options='-c synchronous_commit=%s'",
             peer->host.port, peer->durable ? "on" : "off");
    return PQconnectdb(text);
}

/* Debian has the programs of each version in a directory of their own: the
 * newest is taken.
 */
static bool
find_program(const char *name, char path[HOST_PATH_SIZE])
{
    char pattern[64];
    glob_t found;
    bool any;

    snprintf(pattern, sizeof(pattern), "/usr/lib/postgresql/*/bin/%s", name);
    any = glob(pattern, 0, NULL, &found) == 0;
    if (any) {
        snprintf(path, HOST_PATH_SIZE, "%s",
                 found.gl_pathv[found.gl_pathc - 1]);
    }
    globfree(&found);
    return any;
}

static enum acta_code
make_tables(const struct peer *peer, struct acta_err *err)
{
    const struct timespec pause = {.tv_nsec = READY_WAIT_NS};
    PGconn *pg = postgres_connect(peer);
    enum acta_code code = ACTA_OK;
    PGresult *result;

    /* It takes connections before it is ready. */
    for (int i = 0; i < READY_TRIES && PQstatus(pg) != CONNECTION_OK; i++) {
        nanosleep(&pause, NULL);
        PQreset(pg);
    }
    for (size_t i = 0; code == ACTA_OK && i < sizeof(tables) / sizeof(*tables);
         i++) {
        result = PQexec(pg, tables[i]);
        if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            code = acta_fail(err, ACTA_IO, "%s", PQerrorMessage(pg));
        }
        PQclear(result);
    }
    PQfinish(pg);
    return code;
}

enum acta_code
postgres_start(struct peer *peer, char version[PEER_TEXT_SIZE],
               struct acta_err *err)
{
    char program[HOST_PATH_SIZE], initdb[HOST_PATH_SIZE], data[HOST_PATH_SIZE];
    char settings[HOST_PATH_SIZE], given[HOST_PATH_SIZE], config[1024];
    char port[8];
    char *make[] = {initdb,  "-D",        data,         "-U", "acta", "-A",
                    "trust", "--no-sync", "--locale=C", "-E", "UTF8", NULL};
    char *run[] = {program, "-D", data, "-p", port, "-c", config, NULL};
    enum acta_code code;

    if (!find_program("postgres", program) || !find_program("initdb", initdb)) {
        return acta_fail(err, ACTA_NOT_FOUND, "it is not installed");
    }
    peer_version(program, version);
    peer->host.stop_signal = SIGQUIT; /* At once, its children first. */
    host_path(&peer->host, "data", data);
    host_path(&peer->host, "postgresql.conf", settings);
    snprintf(given, sizeof(given), "%s/postgresql.conf", peer->settings);
    snprintf(config, sizeof(config), "config_file=%s", settings);
    snprintf(port, sizeof(port), "%u", peer->host.port);
    code = host_copy(&peer->host, given, "postgresql.conf", err);
    if (code == ACTA_OK) {
        code = host_run(&peer->host, make, err);
    }
    if (code == ACTA_OK) {
        code = host_start(&peer->host, run, err);
    }
    return code == ACTA_OK ? make_tables(peer, err) : code;
}

/* acta-bench-space: what the tables of a store take.
 *
 * It opens the store of a database (its directory "store"), which may be in
 * use, and prints a line a table: its name, its entries, and the bytes of all
 * its pages.
 *
 *     lists 1200000 98566144
 */

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>

#define TABLES_MAX 16
#define MAP_SIZE   ((size_t)1 << 40)
#define FILE_MODE  0600

static void
check(int rc, const char *doing)
{
    if (rc != 0) {
        fprintf(stderr, "acta-bench-space: %s: %s\n", doing, mdb_strerror(rc));
        exit(EXIT_FAILURE);
    }
}

static MDB_dbi
open_table(MDB_txn *txn, const char *name)
{
    MDB_dbi dbi;

    check(mdb_dbi_open(txn, name, 0, &dbi), name);
    return dbi;
}

static void
tell_table(MDB_txn *txn, const char *name)
{
    MDB_stat stat;
    size_t pages;

    check(mdb_stat(txn, open_table(txn, name), &stat), name);
    pages = stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    printf("%s %zu %zu\n", name, stat.ms_entries, pages * stat.ms_psize);
}

int
main(int argc, char **argv)
{
    static const char *const tables[] = {
        "log", "lists", "postings", "ids", "rows",
    };
    MDB_env *env;
    MDB_txn *txn;

    if (argc != 2) {
        fprintf(stderr, "usage: acta-bench-space DIRECTORY-OF-STORE\n");
        return 2;
    }
    check(mdb_env_create(&env), "create");
    check(mdb_env_set_maxdbs(env, TABLES_MAX), "tables");
    check(mdb_env_set_mapsize(env, MAP_SIZE), "map");
    check(mdb_env_open(env, argv[1], MDB_RDONLY, FILE_MODE), argv[1]);
    check(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), "begin");
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        tell_table(txn, tables[i]);
    }
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return EXIT_SUCCESS;
}

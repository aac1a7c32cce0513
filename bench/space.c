/* acta-bench-space: what the tables of a store take.
 *
 * It opens the store of a database (its directory "store"), which may be in
 * use, and prints a line a table: its name, its entries, and the bytes of all
 * its pages; and of the newest block of the log how many records it has, and
 * their bytes: what an event is with its envelope, and nothing else.
 *
 *     lists 1200000 98566144
 *     records 88 32034
 */

#include <endian.h>
#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLES_MAX 16
#define MAP_SIZE   ((size_t)1 << 40)
#define FILE_MODE  0600

/* Of a block: where its count is, and its directory; see STORAGE.md. */
#define COUNT_AT      8
#define DIRECTORY_AT  16
#define DIRECTORY_ROW 8

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

static uint32_t
number_at(MDB_val block, size_t at)
{
    uint32_t number = 0;

    if (at + sizeof(number) <= block.mv_size) {
        memcpy(&number, (const uint8_t *)block.mv_data + at, sizeof(number));
    }
    return le32toh(number);
}

static void
tell_records(MDB_txn *txn)
{
    MDB_cursor *cursor;
    MDB_val key, block;
    uint32_t count;
    int rc;

    check(mdb_cursor_open(txn, open_table(txn, "log"), &cursor), "log");
    rc = mdb_cursor_get(cursor, &key, &block, MDB_LAST);
    if (rc == 0) {
        count = number_at(block, COUNT_AT);
        printf("records %u %u\n", count,
               number_at(block,
                         DIRECTORY_AT + DIRECTORY_ROW * (size_t)(count - 1)));
    } else if (rc != MDB_NOTFOUND) {
        check(rc, "log");
    }
    mdb_cursor_close(cursor);
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
    tell_records(txn);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return EXIT_SUCCESS;
}

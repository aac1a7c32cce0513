#include "store_calls.h"

#include <lmdb.h>
#include <stdbool.h>

static bool is_on;
static size_t left; /* Until one fails. */
static int result;
static const char *failed;

void
store_calls_fail(size_t nth, int rc)
{
    is_on = true;
    left = nth;
    result = rc;
    failed = NULL;
}

const char *
store_calls_succeed(void)
{
    is_on = false;
    return failed;
}

static bool
is_to_fail(const char *name)
{
    if (!is_on || failed != NULL || left-- > 0) {
        return false;
    }
    failed = name;
    return true;
}

/* A function that the linker puts in the place of NAME: see --wrap in ld(1). */
#define WRAP(NAME, PARAMETERS, ARGUMENTS)                                      \
    int __real_##NAME PARAMETERS;                                              \
    int __wrap_##NAME PARAMETERS;                                              \
    int __wrap_##NAME PARAMETERS                                               \
    {                                                                          \
        return is_to_fail(#NAME) ? result : __real_##NAME ARGUMENTS;           \
    }

WRAP(mdb_env_create, (MDB_env * *env), (env))
WRAP(mdb_env_open,
     (MDB_env * env, const char *path, unsigned flags, mdb_mode_t mode),
     (env, path, flags, mode))
WRAP(mdb_env_set_mapsize, (MDB_env * env, size_t size), (env, size))
WRAP(mdb_env_set_maxdbs, (MDB_env * env, MDB_dbi count), (env, count))
WRAP(mdb_env_set_maxreaders, (MDB_env * env, unsigned count), (env, count))
WRAP(mdb_env_info, (MDB_env * env, MDB_envinfo *info), (env, info))
WRAP(mdb_env_stat, (MDB_env * env, MDB_stat *stat), (env, stat))
WRAP(mdb_txn_begin,
     (MDB_env * env, MDB_txn *parent, unsigned flags, MDB_txn **txn),
     (env, parent, flags, txn))
WRAP(mdb_txn_renew, (MDB_txn * txn), (txn))
WRAP(mdb_dbi_open,
     (MDB_txn * txn, const char *name, unsigned flags, MDB_dbi *dbi),
     (txn, name, flags, dbi))
WRAP(mdb_get, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *val),
     (txn, dbi, key, val))
WRAP(mdb_put,
     (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *val, unsigned flags),
     (txn, dbi, key, val, flags))
WRAP(mdb_del, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *val),
     (txn, dbi, key, val))
WRAP(mdb_cursor_open, (MDB_txn * txn, MDB_dbi dbi, MDB_cursor **cursor),
     (txn, dbi, cursor))
WRAP(mdb_cursor_renew, (MDB_txn * txn, MDB_cursor *cursor), (txn, cursor))
WRAP(mdb_cursor_get,
     (MDB_cursor * cursor, MDB_val *key, MDB_val *val, MDB_cursor_op op),
     (cursor, key, val, op))
WRAP(mdb_cursor_put,
     (MDB_cursor * cursor, MDB_val *key, MDB_val *val, unsigned flags),
     (cursor, key, val, flags))

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);

/* The transaction is gone, whatever comes of it. */
int
__wrap_mdb_txn_commit(MDB_txn *txn)
{
    if (!is_to_fail("mdb_txn_commit")) {
        return __real_mdb_txn_commit(txn);
    }
    mdb_txn_abort(txn);
    return result;
}

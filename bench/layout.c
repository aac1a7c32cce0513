/* acta-bench-layout: the evidence for how the store's indexes are laid out.
 *
 * It writes the same made-up checkpoints, events of many streams picked at
 * random, into LMDB in several layouts and tells for each what a checkpoint
 * takes and how many bytes go to the disk an event:
 *
 *     ids-by-stream   (stream's number, event id) -> position
 *     ids-by-id       (event id, stream's number) -> position
 *     heads-apart     a row a stream for its head, and one for its last
 * postings heads-inline    one row a stream, with its newest postings in the
 * head
 *
 * server/DESIGN.md says what was chosen and why.
 */

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <lmdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_A_CHECKPOINT 131072
#define MAP_SIZE            ((size_t)1 << 36)
#define ID_SIZE             16
#define POSTING_SIZE        3 /* A difference between neighbours, packed. */
#define HEAD_SIZE           48

struct event {
    uint64_t stream;
    uint8_t id[ID_SIZE];
};

struct layout {
    const char *name;
    void (*write)(MDB_txn *txn, MDB_dbi dbi, struct event *events);
};

static uint64_t random_state = 88172645463325252u;
static uint64_t time_ms = 1700000000000u;

/* xorshift64, Marsaglia 2003. */
static uint64_t
next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void
check(int rc, const char *doing)
{
    if (rc != 0) {
        fprintf(stderr, "acta-bench-layout: %s: %s\n", doing, mdb_strerror(rc));
        exit(EXIT_FAILURE);
    }
}

/* Ids of version 7, ten a millisecond. */
static void
make_events(struct event *events, uint64_t streams)
{
    for (size_t i = 0; i < EVENTS_A_CHECKPOINT; i++) {
        uint64_t high = htobe64((time_ms + i / 10) << 16 | 0x7000);
        uint64_t low = next_random();

        events[i].stream = next_random() % streams;
        memcpy(events[i].id, &high, 8);
        memcpy(events[i].id + 8, &low, 8);
    }
    time_ms += EVENTS_A_CHECKPOINT / 10;
}

static void
put(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_size,
    const void *value, size_t value_size)
{
    MDB_val k = {key_size, (void *)(uintptr_t)key};
    MDB_val v = {value_size, (void *)(uintptr_t)value};

    check(mdb_put(txn, dbi, &k, &v, 0), "put");
}

/* ---- ids ---- */

static int
by_stream(const void *a, const void *b)
{
    const struct event *left = a, *right = b;

    if (left->stream != right->stream) {
        return left->stream > right->stream ? 1 : -1;
    }
    return memcmp(left->id, right->id, ID_SIZE);
}

static int
by_id(const void *a, const void *b)
{
    return memcmp(((const struct event *)a)->id, ((const struct event *)b)->id,
                  ID_SIZE);
}

static void
write_ids_by_stream(MDB_txn *txn, MDB_dbi dbi, struct event *events)
{
    uint8_t key[8 + ID_SIZE], value[12] = {0};

    qsort(events, EVENTS_A_CHECKPOINT, sizeof(*events), by_stream);
    for (size_t i = 0; i < EVENTS_A_CHECKPOINT; i++) {
        uint64_t stream = htobe64(events[i].stream);

        memcpy(key, &stream, 8);
        memcpy(key + 8, events[i].id, ID_SIZE);
        put(txn, dbi, key, sizeof(key), value, sizeof(value));
    }
}

static void
write_ids_by_id(MDB_txn *txn, MDB_dbi dbi, struct event *events)
{
    uint8_t key[ID_SIZE + 8], value[12] = {0};

    qsort(events, EVENTS_A_CHECKPOINT, sizeof(*events), by_id);
    for (size_t i = 0; i < EVENTS_A_CHECKPOINT; i++) {
        uint64_t stream = htobe64(events[i].stream);

        memcpy(key, events[i].id, ID_SIZE);
        memcpy(key + ID_SIZE, &stream, 8);
        put(txn, dbi, key, sizeof(key), value, sizeof(value));
    }
}

/* ---- heads ---- */

/* Read what is there, add @more bytes, write it again. */
static void
extend(MDB_txn *txn, MDB_dbi dbi, const void *key, size_t key_size,
       size_t size_at_first, size_t more)
{
    MDB_val k = {key_size, (void *)(uintptr_t)key};
    uint8_t value[2048] = {0};
    size_t size = size_at_first;
    MDB_val v;
    int rc;

    rc = mdb_get(txn, dbi, &k, &v);
    if (rc == 0) {
        size = v.mv_size;
        memcpy(value, v.mv_data, size);
    } else if (rc != MDB_NOTFOUND) {
        check(rc, "get");
    }
    if (size + more > sizeof(value)) {
        size = size_at_first; /* It would go on in another row. */
    }
    put(txn, dbi, key, key_size, value, size + more);
}

static void
write_heads(MDB_txn *txn, MDB_dbi dbi, struct event *events, bool apart)
{
    char key[32];

    qsort(events, EVENTS_A_CHECKPOINT, sizeof(*events), by_stream);
    for (size_t i = 0, next; i < EVENTS_A_CHECKPOINT; i = next) {
        int size =
            snprintf(key, sizeof(key), "hstream-%012" PRIu64, events[i].stream);

        for (next = i + 1; next < EVENTS_A_CHECKPOINT &&
                           events[next].stream == events[i].stream;
             next++) {
        }
        extend(txn, dbi, key, (size_t)size, HEAD_SIZE,
               apart ? 0 : (next - i) * POSTING_SIZE);
        if (apart) {
            key[0] = 'p';
            extend(txn, dbi, key, (size_t)size, 8, (next - i) * POSTING_SIZE);
        }
    }
}

static void
write_heads_apart(MDB_txn *txn, MDB_dbi dbi, struct event *events)
{
    write_heads(txn, dbi, events, true);
}

static void
write_heads_inline(MDB_txn *txn, MDB_dbi dbi, struct event *events)
{
    write_heads(txn, dbi, events, false);
}

/* ---- measuring ---- */

static double
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* What was given to write(): daemon.c says why not write_bytes. */
static uint64_t
bytes_written(void)
{
    FILE *file = fopen("/proc/self/io", "r");
    uint64_t bytes = 0;
    char line[128];

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        sscanf(line, "wchar: %" SCNu64, &bytes);
    }
    if (file != NULL) {
        fclose(file);
    }
    return bytes;
}

static int
by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static void
measure(const struct layout *layout, const char *dir, unsigned rounds,
        uint64_t streams)
{
    struct event *events = calloc(EVENTS_A_CHECKPOINT, sizeof(*events));
    double *times = calloc(rounds, sizeof(*times));
    uint64_t written = bytes_written();
    char data[300], lock[300];
    MDB_env *env;
    MDB_dbi dbi;

    snprintf(data, sizeof(data), "%s/%s.mdb", dir, layout->name);
    snprintf(lock, sizeof(lock), "%s/%s.mdb-lock", dir, layout->name);
    check(events == NULL || times == NULL ? ENOMEM : 0, "start");
    check(mdb_env_create(&env), "create");
    check(mdb_env_set_mapsize(env, MAP_SIZE), "map");
    check(mdb_env_open(env, data, MDB_NOSUBDIR, 0600), "open");
    for (unsigned i = 0; i < rounds; i++) {
        double begun;
        MDB_txn *txn;

        make_events(events, streams);
        begun = now();
        check(mdb_txn_begin(env, NULL, 0, &txn), "begin");
        check(mdb_dbi_open(txn, NULL, 0, &dbi), "table");
        layout->write(txn, dbi, events);
        check(mdb_txn_commit(txn), "commit");
        times[i] = now() - begun;
    }
    written = bytes_written() - written;
    qsort(times, rounds, sizeof(*times), by_value);
    printf("%-14s %8.0f ms a checkpoint (median), %7.0f bytes written an "
           "event\n",
           layout->name, times[rounds / 2] * 1e3,
           (double)written / rounds / EVENTS_A_CHECKPOINT);
    mdb_env_close(env);
    unlink(data);
    unlink(lock);
    free(times);
    free(events);
}

int
main(int argc, char **argv)
{
    static const struct layout layouts[] = {
        {"ids-by-stream", write_ids_by_stream},
        {"ids-by-id", write_ids_by_id},
        {"heads-apart", write_heads_apart},
        {"heads-inline", write_heads_inline},
    };
    const char *dir = argc > 1 ? argv[1] : ".";
    uint64_t streams = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    unsigned rounds = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 20;

    if (argc > 4 || streams == 0 || rounds == 0) {
        fprintf(stderr, "usage: acta-bench-layout [DIR [STREAMS [ROUNDS]]]\n");
        return 2;
    }
    printf("%u checkpoints of %d events, %" PRIu64 " streams at random\n",
           rounds, EVENTS_A_CHECKPOINT, streams);
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        measure(&layouts[i], dir, rounds, streams);
    }
    return EXIT_SUCCESS;
}

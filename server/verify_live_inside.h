/* What the parts of verifying on line have in common. Internal to
 * server/verify_live*.c.
 */

#ifndef ACTA_VERIFY_LIVE_INSIDE_H
#define ACTA_VERIFY_LIVE_INSIDE_H

#include "journal_files.h"
#include "rooms.h"
#include "store_lmdb.h"
#include "verify_contents.h"
#include "verify_inside.h"
#include "verify_live.h"

/* The journal, segment by segment. */
struct live_journal {
    uint64_t *numbers; /* owned: of the segments */
    size_t count;
    size_t at;            /* Of the one that is looked at. */
    uint64_t last;        /* Entry that is to be there. */
    bool is_open;         /* What follows is of a segment: */
    struct pagefile file; /* owned if so */
    struct segment_header header;
    char name[64];
    uint64_t offset;
    uint64_t sequence; /* Of the entry that is due, */
    uint64_t end;      /* and of the last one that it must have. */
    uint64_t time_us;
};

enum live_phase {
    LIVE_PAGES,
    LIVE_LOG,
    LIVE_LISTS,
    LIVE_IDS,
    LIVE_ROWS,
    LIVE_JOURNAL,
    LIVE_DONE,
};

struct verify_live {
    struct verify verify;
    struct verify_report report;
    struct rooms *rooms;
    enum live_phase phase;
    uint64_t read; /* Bytes, but for those of the file that is open. */
    uint64_t size;

    /* The store, as of a moment. */
    struct store_view *view; /* owned */
    struct pagefile file;    /* owned */
    struct page_meta meta;
    struct page_tables tables;
    char path[FILE_PATH_MAX];

    /* Where it is. */
    struct verify_contents contents;
    bool has_contents;
    uint64_t problems; /* As they were before the tables, */
    uint64_t txn;      /* and the store's transaction. */
    uint64_t told_page;
    uint8_t key[PAGE_KEY_MAX + 1]; /* The last one, and a zero behind it. */
    size_t key_size;
    struct verify_list list;
    bool in_list;
    uint64_t bytes_max; /* Of this step: file.bytes_read then. */

    struct live_journal journal;
};

/* ---- verify_live_journal.c ---- */

enum acta_code live_journal_begin(struct verify_live *live,
                                  struct acta_err *err) ACTA_CHECKED;
enum acta_code live_journal_step(struct verify_live *live, uint64_t bytes,
                                 bool *done, struct acta_err *err) ACTA_CHECKED;
void live_journal_fini(struct verify_live *live);

#endif

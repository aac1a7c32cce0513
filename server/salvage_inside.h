/* What the parts of salvaging have in common. Internal to server/salvage*.c. */

#ifndef ACTA_SALVAGE_INSIDE_H
#define ACTA_SALVAGE_INSIDE_H

#include "block.h"
#include "buf.h"
#include "list.h"
#include "name_map.h"
#include "pagefile.h"
#include "row.h"
#include "salvage.h"
#include "store.h"

/* What is left of an event. More is better: what was made less of must not come
 * back as it was before.
 */
enum salvage_state {
    SALVAGE_NONE,
    SALVAGE_WHOLE,
    SALVAGE_ERASED,
    SALVAGE_STUB
};

/* Where a block is. */
struct salvage_block {
    unsigned file;   /* Of the files. */
    uint64_t offset; /* Of the block itself, */
    uint64_t size;   /* and the bytes that it may take. */
    uint64_t first;  /* Position of its first record. */
    uint64_t count;  /* Of records. */
};

/* A head that was found: lists are named by number in postings. */
struct salvage_list {
    uint64_t number;
    uint64_t count;
    struct list_name name; /* owned bytes */
};

/* What lists and ids say of an event that is lost or swept. */
struct salvage_fact {
    uint64_t position;
    uint64_t stream; /* Number of its list; 0: not known. */
    uint64_t version;
    bool has_id;
    uint8_t id[UUID_SIZE];
    uint8_t lists_count;
    uint64_t lists[LIST_NAMES_MAX]; /* Numbers of the others. */

    /* Of those whose stream is not known: where it is put. */
    const struct salvage_stream *put;
};

struct salvage_row {
    struct name_node node; /* By its key as in the store. */
    struct slice value;    /* owned, behind this */
    uint8_t bytes[];
};

/* A stream, as far as it was gone through. */
struct salvage_stream {
    struct name_node node;
    uint64_t version;
    uint64_t position; /* Of that version. */
    uint8_t id_max[UUID_SIZE];
    uint8_t bytes[];
};

/* Versions of a stream that are missing between two events. */
struct salvage_gap {
    const struct salvage_stream *stream;
    uint64_t from, to;       /* Versions. */
    uint64_t behind, before; /* Positions. */
};

struct salvage {
    const struct salvage_options *options;
    struct salvage_report *report;

    /* The files: the store's first, then those of the journal. */
    struct pagefile *files; /* owned */
    size_t files_count;
    bool has_store;
    size_t map_size; /* Address space that is enough for the new store. */

    struct store_meta meta; /* The newest that was found. */
    bool has_meta;
    uint64_t rows_sequence; /* The tree of rows has all up to this entry, */
    bool knows_rows;        /* if that can be read. */
    uint64_t head;
    uint64_t unproven; /* The last position from which on a block was, of which
                          nothing can be read. */

    struct salvage_block *blocks; /* owned */
    size_t blocks_count;
    size_t blocks_room;
    uint8_t *states;   /* owned: of each position, an enum salvage_state */
    uint32_t *sources; /* owned: of each position, a block's index */
    uint64_t states_room;

    struct salvage_list *lists; /* owned, by number */
    size_t lists_count;
    size_t lists_room;
    struct salvage_fact *facts; /* owned, by position */
    size_t facts_count;
    struct salvage_gap *gaps; /* owned */
    size_t gaps_count;
    size_t gaps_room;

    struct name_map rows;
    struct name_map streams;
    bool rows_are_uncertain; /* Some were lost, and it is not known which. */
};

void salvage_note(struct salvage *salvage, const char *fmt, ...)
    ACTA_PRINTF(2, 3);

/* ---- salvage_read.c ---- */

/* Find all blocks, and with them what is left of each event. */
enum acta_code salvage_find_events(struct salvage *salvage,
                                   struct acta_err *err) ACTA_CHECKED;

/* Find what is said of events that are lost or swept, and all rows. */
enum acta_code salvage_find_facts(struct salvage *salvage,
                                  struct acta_err *err) ACTA_CHECKED;

/* ---- salvage_journal.c ---- */

/* Take the blocks of all entries. */
enum acta_code salvage_journal_events(struct salvage *salvage,
                                      struct acta_err *err) ACTA_CHECKED;

/* Take the rows of those that the store does not have. */
enum acta_code salvage_journal_rows(struct salvage *salvage,
                                    struct acta_err *err) ACTA_CHECKED;

/* ---- salvage_block.c ---- */

/* Have a state and a source for every position up to @position. MEMORY. */
enum acta_code salvage_make_room(struct salvage *salvage, uint64_t position,
                                 struct acta_err *err) ACTA_CHECKED;

/* There was an event of @position, whether it is found or not. */
void salvage_see_head(struct salvage *salvage, uint64_t position);

/* Take the records of the block at @bytes, which lies at @where. If @is_sure
 * there was a block of @where->first, and its directory need not be whole. How
 * many records it had is known, and those that are not found are lost, if the
 * directory or one of its records proves @where->count.
 */
enum acta_code salvage_take_block(struct salvage *salvage,
                                  const struct salvage_block *where,
                                  struct slice bytes, bool is_sure,
                                  struct acta_err *err) ACTA_CHECKED;

/* The record of @position in the block at @bytes, if it is whole. */
bool salvage_get_record(struct slice bytes, const struct salvage_block *where,
                        uint64_t position, struct slice *record);

/* Set the row of @key, as in the store; an empty value removes it. */
enum acta_code salvage_set_row(struct salvage *salvage, struct slice key,
                               struct slice value, bool is_new,
                               struct acta_err *err) ACTA_CHECKED;

/* ---- salvage_place.c ---- */

/* The stream @name, made if it is not there. NULL: no memory. */
struct salvage_stream *salvage_stream(struct salvage *salvage,
                                      struct slice name);

/* The fact of @position, or NULL. */
struct salvage_fact *salvage_fact(const struct salvage *salvage,
                                  uint64_t position);
const struct salvage_list *salvage_list(const struct salvage *salvage,
                                        uint64_t number);

/* Read the event of @position. False if it is lost, or swept. The event is
 * valid until the next one is read.
 */
struct salvage_reader {
    struct salvage *salvage;
    uint8_t *bytes; /* owned: a block */
    size_t room;
    uint32_t block; /* Its index, + 1. */
};
bool salvage_read_event(struct salvage_reader *reader, uint64_t position,
                        struct event *event);
void salvage_reader_fini(struct salvage_reader *reader);

/* Find a place for all events whose stream is not known. */
enum acta_code salvage_place(struct salvage *salvage,
                             struct acta_err *err) ACTA_CHECKED;

/* ---- salvage_build.c ---- */

/* Make the new database in the directory @dir. */
enum acta_code salvage_build(struct salvage *salvage, const char *dir,
                             struct acta_err *err) ACTA_CHECKED;

#endif

/* What the parts of verifying have in common. Internal to server/verify*.c. */

#ifndef ACTA_VERIFY_INSIDE_H
#define ACTA_VERIFY_INSIDE_H

#include <stdbool.h>

#include "journal.h"
#include "pagefile.h"
#include "store.h"
#include "verify.h"

/* Of more than these the rest is counted only. */
#define VERIFY_PROBLEMS_TOLD 1000

struct verify {
    const struct verify_options *options;
    struct verify_report *report;
};

/* From here on @path is looked at. */
void verify_look(struct verify *verify, const char *path);

/* Tell of a problem. Never stops anything. */
void verify_problem(struct verify *verify, const char *fmt, ...)
    ACTA_PRINTF(2, 3);

/* ---- verify_pages.c ---- */

/* A transaction may give up pages at the end of the file that it never wrote,
 * so the file may be so many pages shorter than what is said of it.
 */
#define VERIFY_UNWRITTEN_MAX 65536

/* Look through the file of the store @path. One of which nothing is wrong can
 * be given to LMDB.
 */
enum acta_code verify_store_file(struct verify *verify, const char *path,
                                 struct acta_err *err) ACTA_CHECKED;

/* Read both metas: the newest one, and that of the transaction before. False if
 * they are damaged.
 */
bool verify_metas(struct pagefile *file, struct page_meta *newest,
                  struct page_meta *other) ACTA_CHECKED;

/* Look through the pages as of @meta: every page is in one place of one tree,
 * or is free; and all that is in pages lies where it must. With @only_uses
 * pages that name no others are not read, nor is what others look at later.
 */
enum acta_code verify_pages(struct verify *verify, struct pagefile *file,
                            const struct page_meta *meta, bool only_uses,
                            struct acta_err *err) ACTA_CHECKED;

/* Tell of an entry of @table with @flags, as page_walk() gives them: of a table
 * LMDB need not know what is in it, so it has none.
 */
void verify_flags(struct verify *verify, const char *table, unsigned flags);

/* ---- verify_store.c ---- */

/* Look through the tables of the store, whose pages are in order. */
enum acta_code verify_store(struct verify *verify, struct store *store,
                            struct acta_err *err) ACTA_CHECKED;

/* ---- verify_rows.c ---- */

enum acta_code verify_rows(struct verify *verify, struct store_view *view,
                           struct acta_err *err) ACTA_CHECKED;

/* ---- verify_journal.c ---- */

/* The numbers of the segments in @dir, in order: *@numbers is the caller's. */
enum acta_code verify_list_segments(const char *dir, uint64_t **numbers,
                                    size_t *count,
                                    struct acta_err *err) ACTA_CHECKED;

/* The checksums of @entry, of the segment @name, are right; is what it has an
 * event each?
 */
void verify_entry_records(struct verify *verify, const char *name,
                          const struct journal_entry *entry);

/* Look through the segments in @dir. @meta is what the store says of itself;
 * NULL: it could not be read.
 */
enum acta_code verify_journal(struct verify *verify, const char *dir,
                              const struct store_meta *meta,
                              struct acta_err *err) ACTA_CHECKED;

#endif

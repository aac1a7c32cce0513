/* Is a database whole? Every byte of journal and store that means something is
 * read, and held against the others: checksums, the order of positions and
 * versions, and whether lists, ids and rows say what the events say.
 *
 * It is for a database that no process has open, and changes nothing. LMDB has
 * no checksums of its own: its pages are looked through here before it gets to
 * see them, so that damage cannot make it fail. What still may is the disk:
 * files are mapped, so that a page which cannot be read ends the process with
 * SIGBUS.
 */

#ifndef ACTA_VERIFY_H
#define ACTA_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "file.h"

struct verify_options {
    const char *dir; /* Of the database. */
    size_t map_size; /* Address space for the store, as when it is opened. */

    /* Told of each thing that is wrong; @what names the place. */
    void (*problem)(void *user, const struct acta_err *what);
    void *user;
};

/* What was looked at. */
struct verify_report {
    /* The file, or directory, that is looked at now: @problem may read it. */
    char file[FILE_PATH_MAX];
    uint64_t head;   /* The last position that was found. */
    uint64_t pages;  /* Of the store's file. */
    bool has_tables; /* The store's tables were looked at: its pages are whole.
                      */
    uint64_t events; /* In the store, */
    uint64_t streams;
    uint64_t lists; /* and the lists (streams are some), ids and rows there. */
    uint64_t ids;
    uint64_t rows;
    uint64_t segments;    /* Of the journal, */
    uint64_t entries;     /* and the entries that are whole, */
    uint64_t first_entry; /* from this one, */
    uint64_t last_entry;  /* up to this one; 0: there is none. */
    uint64_t problems;    /* 0: all is whole. */
};

/* Go through all of it, problems or not. What depends on a part that is damaged
 * is not looked at.
 *
 * OK           It came to the end: @report says what was found.
 * IN_USE       A process has the database open.
 * NOT_FOUND    There is none.
 * UNSUPPORTED  It is of another version.
 * IO, MEMORY   It could not go on.
 */
enum acta_code verify_database(const struct verify_options *options,
                               struct verify_report *report,
                               struct acta_err *err) ACTA_CHECKED;

/* While *@fd, the caller's to close, is open no server opens the database in
 * @dir. It is -1 if none ever has, or it may not be written to: then nothing
 * can be held. IN_USE.
 */
enum acta_code verify_lock(const char *dir, int *fd,
                           struct acta_err *err) ACTA_CHECKED;

/* Look whether the file of the store in @dir has all pages that are in use, so
 * that it can be mapped: two pages are read, unless it is short of some.
 *
 * CORRUPT  It was cut short: the text names the file and a page.
 */
enum acta_code verify_is_not_cut(const char *dir,
                                 struct acta_err *err) ACTA_CHECKED;

#endif

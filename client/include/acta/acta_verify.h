/* Whether what a server has on its disk is whole, while it serves.
 *
 * A verification reads all of journal and store, as fast as it may, and holds
 * it against each other. There is one at a time. It goes on while it is asked
 * for and rests in between, so it is given up by asking no more:
 *
 *     #include <acta/acta_sync.h>
 *     #include <acta/acta_verify.h>
 *     #include <stdio.h>
 *
 *     int
 *     main(void)
 *     {
 *         struct acta_options options = acta_options_of("acta://127.0.0.1");
 *         const struct acta_verification *found;
 *         struct acta_sync *sync;
 *         struct acta_err err;
 *         uint64_t id = 0;
 *
 *         if (acta_sync_open(&sync, &options, &err) != ACTA_OK) {
 *             fprintf(stderr, "%s\n", err.text);
 *             return 1;
 *         }
 *         do {
 *             if (acta_sync_verify(sync, id, 0, &found, &err) != ACTA_OK) {
 *                 fprintf(stderr, "%s\n", err.text);
 *                 return 1;
 *             }
 *             for (size_t i = 0; i < found->problems_count; i++) {
 *                 puts(found->problems[i]->text);
 *             }
 *             id = found->id;
 *         } while (!found->is_done);
 *         puts(found->problems_found == 0 ? "whole" : "damaged");
 *         acta_sync_close(sync);
 *         return 0;
 *     }
 *
 * `acta verify` is this program with a rate and a line that tells how far it
 * is.
 *
 * What is said of connections, errors, memory, threads and compatibility in
 * acta.h, which this header includes, holds here.
 */

#ifndef ACTA_ACTA_VERIFY_H
#define ACTA_ACTA_VERIFY_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct acta_problem {
    const char *file; /* As the server calls it. */
    const char *text; /* What is wrong, and where in the file. */
};

struct acta_verification {
    uint64_t id;             /* To go on with. */
    bool is_done;            /* It has come to the end. */
    uint64_t read;           /* Bytes, so far, */
    uint64_t size;           /* of about so many. */
    uint64_t problems_found; /* So far. 0 at the end: all is whole. */

    /* What was looked at so far, of the store, */
    uint64_t head;
    uint64_t pages;
    bool has_tables;
    uint64_t events;
    uint64_t streams;
    uint64_t lists;
    uint64_t ids;
    uint64_t rows;

    /* and of the journal. */
    uint64_t segments;
    uint64_t entries;
    uint64_t first_entry;
    uint64_t last_entry;

    /* What was found since it was asked for last. */
    const struct acta_problem *const *problems;
    size_t problems_count;
};

/* Begin a verification, @id being 0, or go on with that of @id, reading @rate
 * bytes a second at most; 0: as many as the server thinks right. The answer
 * comes within half a second, or a little more.
 *
 * BUSY: it is being verified for another. NOT_FOUND: it was given up, or the
 * server is another one by now.
 */
typedef void acta_on_verification(void *user, const struct acta_err *err,
                                  const struct acta_verification *verification);
ACTA_API uint64_t acta_verify(struct acta_client *client, uint64_t id,
                              uint64_t rate, uint64_t timeout_ms,
                              acta_on_verification *done, void *user,
                              struct acta_err *err);

/* ---- the same, waited for: see acta_sync.h ---- */

struct acta_sync;

ACTA_API enum acta_code
acta_sync_verify(struct acta_sync *sync, uint64_t id, uint64_t rate,
                 const struct acta_verification **verification,
                 struct acta_err *err);

#ifdef __cplusplus
}
#endif

#endif

/* Base and entries are read in turns, so that the server need not keep the
 * journal for as long as the base takes. When the base is at its end, the last
 * commit of that moment is the one that the backup goes up to.
 */

#include "taking.h"

#include <acta/acta_backup.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checksum.h"
#include "interrupt.h"
#include "when.h"

/* When another backup is under way. */
#define TRY_AGAIN_MS 100
#define TRIES_MAX    30

struct part {
    struct archive_writer writer;
    struct archive_scan scan;
    bool is_begun; /* There is a file. */
};

struct taking {
    struct acta_sync *sync;
    struct archive *archive;
    const struct taking_options *options;
    struct taken_backup *taken;
    struct uuid database;
    struct acta_backup_begun begun; /* Its reason is not to be used. */
    struct part base;
    struct part entries;
    uint64_t last; /* The backup goes up to this commit; 0: not known yet. */
    uint64_t started_us;
    bool is_told; /* The manifest may name the new parts. */
};

/* ---- what comes in ---- */

/* Wait as long as the rate asks for. */
static enum acta_code
pace(struct taking *taking, struct acta_err *err)
{
    uint64_t rate = taking->options->rate;
    uint64_t due_us, now_us = when_now_us() - taking->started_us;

    if (rate > 0) {
        due_us = (uint64_t)((double)taking->taken->bytes * 1e6 / (double)rate);
        while (interrupt_caught() == 0 && now_us < due_us) {
            interrupt_wait(NULL, 0, (int)((due_us - now_us) / 1000) + 1);
            now_us = when_now_us() - taking->started_us;
        }
    }
    return interrupt_caught() == 0
               ? ACTA_OK
               : acta_fail(err, ACTA_CANCELLED, "interrupted");
}

static enum acta_code
take_bytes(struct taking *taking, struct part *part, enum archive_kind kind,
           const struct acta_backup_chunk *chunk, struct acta_err *err)
{
    struct slice bytes = slice_make(chunk->bytes, chunk->bytes_size);
    enum acta_code code = ACTA_OK;

    if (bytes.size == 0) {
        return ACTA_OK;
    }
    if (checksum_of(bytes.data, bytes.size) != chunk->checksum) {
        return acta_fail(err, ACTA_CORRUPT,
                         "what came from the server is damaged");
    }
    if (!part->is_begun) {
        part->is_begun = true;
        code =
            archive_writer_begin(&part->writer, taking->archive, kind,
                                 taking->begun.sequence, taking->database, err);
    }
    if (code == ACTA_OK) {
        code = archive_scan_take(&part->scan, bytes, err);
    }
    if (code == ACTA_OK) {
        code = archive_writer_put(&part->writer, bytes, err);
    }
    taking->taken->bytes += bytes.size;
    taking->options->progress(taking->options->user,
                              taking->base.scan.events +
                                  taking->entries.scan.events,
                              taking->taken->bytes, taking->begun.size);
    return code == ACTA_OK ? pace(taking, err) : code;
}

static enum acta_code
take_chunk(struct taking *taking, enum acta_backup_part which, bool *at_end,
           struct acta_err *err)
{
    const struct acta_backup_chunk *chunk;
    enum acta_code code;

    code = acta_sync_read_backup(taking->sync, which, ARCHIVE_CHUNK_MAX,
                                 taking->last, &chunk, err);
    if (code != ACTA_OK) {
        return code;
    }
    *at_end = chunk->at_end;
    if (chunk->grown > taking->taken->grown) {
        taking->taken->grown = chunk->grown;
    }
    if (which == ACTA_BACKUP_BASE && chunk->at_end) {
        taking->last = chunk->last;
    }
    return which == ACTA_BACKUP_BASE
               ? take_bytes(taking, &taking->base, ARCHIVE_BASE, chunk, err)
               : take_bytes(taking, &taking->entries, ARCHIVE_ENTRIES, chunk,
                            err);
}

static enum acta_code
take_all(struct taking *taking, struct acta_err *err)
{
    bool has_base = !taking->begun.has_base, has_entries = false;
    enum acta_code code = ACTA_OK;

    if (has_base) {
        taking->last = taking->begun.last;
    }
    while (code == ACTA_OK && !(has_base && has_entries)) {
        if (!has_base) {
            code = take_chunk(taking, ACTA_BACKUP_BASE, &has_base, err);
        }
        if (code == ACTA_OK) {
            /* At their end counts only when the base is. */
            bool is_known = taking->last > 0;

            code = take_chunk(taking, ACTA_BACKUP_ENTRIES, &has_entries, err);
            has_entries = has_entries && is_known;
        }
        if (taking->last == 0 && has_base) {
            has_entries = true; /* Nothing was ever committed. */
        }
    }
    return code;
}

/* ---- making it count ---- */

static enum acta_code
read_back(struct taking *taking, const struct archive_part *part,
          uint64_t position, struct acta_err *err)
{
    struct archive_scan scan;
    enum acta_code code;

    archive_scan_init(&scan, part->kind, part->after, position);
    code = archive_read(taking->archive, part, &scan, NULL, NULL, err);
    archive_scan_fini(&scan);
    return code;
}

static enum acta_code
finish_part(struct taking *taking, struct part *part, uint64_t position,
            struct archive_part *parts, size_t *count, struct acta_err *err)
{
    enum acta_code code;

    if (!part->is_begun) {
        return ACTA_OK;
    }
    code = archive_writer_finish(&part->writer, &part->scan, err);
    if (code == ACTA_OK && taking->options->verify) {
        code = read_back(taking, &part->writer.part, position, err);
    }
    parts[(*count)++] = part->writer.part;
    return code;
}

static enum acta_code
finish(struct taking *taking, struct acta_err *err)
{
    struct archive_part parts[2];
    enum acta_code code;
    size_t count = 0;

    code = finish_part(taking, &taking->base, 0, parts, &count, err);
    if (code == ACTA_OK) {
        code = finish_part(taking, &taking->entries, taking->begun.position,
                           parts, &count, err);
    }
    if (code == ACTA_OK) {
        taking->is_told = true;
        code = archive_commit(taking->archive, parts, count, taking->database,
                              when_now_us(), err);
    }
    return code;
}

/* The backup is on disk; whether the server keeps what follows decides only
 * what the next one costs.
 */
static void
tell_server(struct taking *taking)
{
    uint64_t kept = 0;
    enum acta_code code = acta_sync_end_backup(
        taking->sync, taking->taken->sequence, &kept, NULL);

    taking->taken->is_kept = code == ACTA_OK && kept > 0;
}

/* ---- all of it ---- */

/* Data that were erased since are in it: a new one will be without them. */
static bool
has_erased(const struct archive *archive)
{
    for (size_t i = 0; i < archive->parts_count; i++) {
        if (archive->parts[i].erases) {
            return true;
        }
    }
    return false;
}

/* Another backup may be one whose program has ended, of which the server is
 * about to hear.
 */
static enum acta_code
begin_when_free(struct taking *taking, uint64_t after, const struct acta_id *id,
                const struct acta_backup_begun **begun, struct acta_err *err)
{
    enum acta_code code = ACTA_BUSY;

    for (unsigned tries = 0;
         code == ACTA_BUSY && tries < TRIES_MAX && interrupt_caught() == 0;
         tries++) {
        if (tries > 0) {
            interrupt_wait(NULL, 0, TRY_AGAIN_MS);
        }
        code = acta_sync_begin_backup(taking->sync, after, id, begun, err);
    }
    /* The library tries again as well, until its deadline. */
    return (code == ACTA_BUSY || code == ACTA_TIMEOUT) &&
                   interrupt_caught() != 0
               ? acta_fail(err, ACTA_CANCELLED, "interrupted")
               : code;
}

/* Why all is to be copied although there is a backup; NULL: it is gone on with.
 * To add to one that has lost a part would be to say that it is whole.
 */
static const char *
reason_for_anew(const struct taking *taking, struct acta_err *damage)
{
    if (taking->options->anew) {
        return "it was asked for";
    }
    if (has_erased(taking->archive)) {
        return "events were erased since the last one";
    }
    return archive_check_files(taking->archive, damage) == ACTA_OK
               ? NULL
               : damage->text;
}

static enum acta_code
begin(struct taking *taking, struct acta_err *err)
{
    const struct archive_part *last = archive_last(taking->archive);
    struct taken_backup *taken = taking->taken;
    const struct acta_backup_begun *begun;
    const char *reason = NULL;
    struct acta_err damage;
    uint64_t after = 0;
    struct acta_id id;
    enum acta_code code;

    if (last != NULL && memcmp(taking->archive->database.bytes,
                               taking->database.bytes, UUID_SIZE) != 0) {
        return acta_fail(err, ACTA_INVALID,
                         "%s is a backup of another database",
                         taking->archive->dir);
    }
    if (last != NULL) {
        reason = reason_for_anew(taking, &damage);
    }
    if (last != NULL && reason == NULL) {
        after = last->sequence;
        taking->begun.position = last->position;
    }
    taking->archive->database = taking->database;
    memcpy(id.bytes, taking->database.bytes, UUID_SIZE);
    code = begin_when_free(taking, after, &id, &begun, err);
    if (code != ACTA_OK) {
        return code;
    }
    if (!begun->has_base && after == 0) {
        return acta_fail(err, ACTA_PROTOCOL, "the server gives no base");
    }
    snprintf(taken->reason, sizeof(taken->reason), "%s",
             reason != NULL ? reason : begun->reason);
    if (begun->has_base) {
        taking->begun = *begun;
    } else {
        uint64_t position = taking->begun.position;

        taking->begun = *begun;
        taking->begun.position = position;
    }
    taken->has_base = begun->has_base;
    return ACTA_OK;
}

/* A part that the manifest may name stays, whatever became of that: what it
 * does not name is removed by the next backup.
 */
static void
close_part(struct part *part, bool may_count)
{
    if (part->is_begun && !may_count) {
        archive_writer_abort(&part->writer);
    }
    archive_scan_fini(&part->scan);
}

enum acta_code
taking_run(struct acta_sync *sync, struct archive *archive,
           const struct taking_options *options, struct taken_backup *taken,
           struct acta_err *err)
{
    struct taking taking = {
        .sync = sync,
        .archive = archive,
        .options = options,
        .taken = taken,
        .started_us = when_now_us(),
    };
    enum acta_code code;

    *taken = (struct taken_backup){0};
    memcpy(taking.database.bytes, acta_sync_server(sync)->database_id->bytes,
           UUID_SIZE);
    code = begin(&taking, err);
    if (code != ACTA_OK) {
        return code;
    }
    archive_scan_init(&taking.base.scan, ARCHIVE_BASE, taking.begun.sequence,
                      0);
    archive_scan_init(&taking.entries.scan, ARCHIVE_ENTRIES,
                      taking.begun.sequence, taking.begun.position);
    code = take_all(&taking, err);
    if (code == ACTA_OK) {
        code = finish(&taking, err);
    }
    if (code == ACTA_OK) {
        taken->commits = taking.entries.scan.items;
        taken->events = taking.base.scan.events + taking.entries.scan.events;
        taken->position = taking.entries.scan.position;
        taken->sequence = taking.entries.scan.sequence;
        tell_server(&taking);
    }
    close_part(&taking.base, taking.is_told);
    close_part(&taking.entries, taking.is_told);
    return code;
}

#include "needles.h"

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nap.h"
#include "notes.h"
#include "patient.h"
#include "require.h"
#include "wire.h"

#define TEXT_SIZE  40
#define FLIPPED_AT 3    /* Of a needle: this byte is changed, */
#define FLIP       0x20 /* by this bit. */

static void
make_text(char text[static TEXT_SIZE], uint64_t number)
{
    snprintf(text, TEXT_SIZE, "needle %08" PRIu64 " in a haystack", number);
}

struct acta_sync *
needles_connect(const char *url)
{
    struct acta_options options = patient_options(url);
    struct acta_sync *sync;
    struct acta_err err;

    ck_assert_msg(acta_sync_open(&sync, &options, &err) == ACTA_OK, "%s",
                  err.text);
    return sync;
}

void
needles_append(struct acta_sync *sync, uint64_t from, uint64_t to, size_t size)
{
    struct acta_append *append = acta_append_new();
    char *data = malloc(size + TEXT_SIZE);
    struct acta_err err;

    ck_assert_ptr_nonnull(data);
    memset(data, '-', size + TEXT_SIZE);
    for (uint64_t number = from; number <= to; number++) {
        struct acta_draft draft = acta_draft_of("Hidden", data, size);

        make_text(data, number);
        acta_append_clear(append);
        acta_append_stream(append, NEEDLES_STREAM, (int64_t)number - 1);
        acta_append_event(append, &draft);
        ck_assert_msg(acta_sync_append(sync, append, NULL, &err) == ACTA_OK,
                      "%s", err.text);
    }
    acta_append_free(append);
    free(data);
}

enum acta_code
needles_read(struct acta_sync *sync, uint64_t number, struct acta_err *err)
{
    const struct acta_event *event;
    char text[TEXT_SIZE];
    enum acta_code code;

    code = acta_sync_read_version(sync, NEEDLES_STREAM, number, &event, err);
    if (code == ACTA_OK) {
        make_text(text, number);
        require(event->position == number);
        require(event->version == number);
        require(event->data_size >= strlen(text));
        require(memcmp(event->data, text, strlen(text)) == 0);
    }
    return code;
}

void
needles_check(struct acta_sync *sync, uint64_t to)
{
    struct acta_err err;
    uint64_t head;

    for (uint64_t number = 1; number <= to; number++) {
        require(needles_read(sync, number, &err) == ACTA_OK);
    }
    ck_assert_int_eq(needles_read(sync, to + 1, &err), ACTA_NOT_FOUND);
    ck_assert_int_eq(acta_sync_ping(sync, &head, &err), ACTA_OK);
    ck_assert_uint_eq(head, to);
}

static uint64_t
stored_of(const struct acta_status *status)
{
    for (size_t i = 0; i < status->entries_count; i++) {
        if (strcmp(status->entries[i]->name, "database.stored") == 0) {
            return status->entries[i]->number;
        }
    }
    ck_abort_msg("status says nothing of database.stored");
}

void
needles_await_stored(struct acta_sync *sync, uint64_t number)
{
    uint64_t end = notes_time_us() + wire_patience_us();
    const struct acta_status *status;

    for (;;) {
        require(acta_sync_status(sync, &status, NULL) == ACTA_OK);
        if (stored_of(status) >= number) {
            return;
        }
        ck_assert_msg(notes_time_us() < end, "there was no checkpoint");
        nap_ms(1);
    }
}

static uint8_t *
map_file(const char *path, size_t *size)
{
    struct stat status;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *map;

    ck_assert_msg(fd >= 0, "cannot open %s", path);
    ck_assert_int_eq(fstat(fd, &status), 0);
    *size = (size_t)status.st_size;
    map = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert(map != MAP_FAILED);
    close(fd);
    return map;
}

unsigned
needles_damage(const char *path, uint64_t number, size_t *offset)
{
    char text[TEXT_SIZE];
    unsigned count = 0;
    uint8_t *map, *at;
    size_t size;

    make_text(text, number);
    map = map_file(path, &size);
    while ((at = memmem(map, size, text, strlen(text))) != NULL) {
        at[FLIPPED_AT] ^= FLIP;
        *offset = (size_t)(at - map) + FLIPPED_AT;
        count++;
    }
    munmap(map, size);
    return count;
}

void
needles_repair(const char *path, size_t offset)
{
    size_t size;
    uint8_t *map = map_file(path, &size);

    map[offset] ^= FLIP;
    munmap(map, size);
}

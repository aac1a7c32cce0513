#include "id.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1000000
#define MS_PER_S  1000

_Static_assert(sizeof(struct acta_id) == UUID_SIZE, "an id is a UUID");
_Static_assert(ACTA_ID_TEXT_SIZE == UUID_TEXT_SIZE, "so is its text");

static uint64_t
wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * MS_PER_S + (uint64_t)now.tv_nsec / NS_PER_MS;
}

/* A system call for every id would cost more than the id: the second one pays
 * for many.
 */
static enum acta_code
fetch_random(struct id_source *source, struct acta_err *err)
{
    size_t size = source->warm ? sizeof(source->random) : ID_RANDOM_SIZE;
    ssize_t got;

    do {
        got = getrandom(source->random, size, 0);
    } while (got < 0 && errno == EINTR);
    if (got < ID_RANDOM_SIZE) {
        return acta_fail(err, ACTA_IO, "new id: no random bytes");
    }
    source->random_left = (size_t)got;
    source->warm = true;
    return ACTA_OK;
}

void
id_source_begin(struct id_source *source)
{
    pid_t process = getpid();

    if (source->process != process) {
        source->process = process;
        source->random_left = 0;
    }
}

enum acta_code
id_source_next(struct id_source *source, struct acta_id *id,
               struct acta_err *err)
{
    struct uuid uuid;

    if (source->random_left < ID_RANDOM_SIZE &&
        fetch_random(source, err) != ACTA_OK) {
        return ACTA_IO;
    }
    source->random_left -= ID_RANDOM_SIZE;
    uuid_v7(&uuid, &source->uuids, wall_ms(),
            source->random + source->random_left);
    memcpy(id->bytes, uuid.bytes, UUID_SIZE);
    return ACTA_OK;
}

enum acta_code
acta_id_new(struct acta_id *id, struct acta_err *err)
{
    struct id_source source = {0};

    return id_source_next(&source, id, err);
}

void
acta_id_format(const struct acta_id *id, char text[ACTA_ID_TEXT_SIZE])
{
    uuid_format(id->bytes, text);
}

bool
acta_id_parse(struct acta_id *id, const char *text)
{
    struct uuid uuid;

    if (text == NULL || !uuid_parse(&uuid, slice_of(text))) {
        return false;
    }
    memcpy(id->bytes, uuid.bytes, UUID_SIZE);
    return true;
}

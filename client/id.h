/* Where new event ids come from. One thread at a time per source. */

#ifndef ACTA_CLIENT_ID_H
#define ACTA_CLIENT_ID_H

#include <acta/acta.h>
#include <sys/types.h>

#include "uuid.h"

#define ID_RANDOM_SIZE 10 /* Bytes of randomness in an id. */
#define ID_AHEAD       32 /* Ids that randomness is fetched ahead for. */

/* All zero at the start. */
struct id_source {
    struct uuid_source uuids;
    uint8_t random[ID_AHEAD * ID_RANDOM_SIZE];
    size_t random_left; /* The bytes at its front that are not used yet. */
    bool warm;          /* An id was made: more may follow. */
    pid_t process;      /* Whose randomness it is. */
};

/* To be called before the first of some ids. A process that was forked has the
 * same randomness ahead, and makes other ids nevertheless.
 */
void id_source_begin(struct id_source *source);

/* Make the next id, which sorts behind those before. IO: no randomness. */
enum acta_code id_source_next(struct id_source *source, struct acta_id *id,
                              struct acta_err *err) ACTA_CHECKED;

#endif

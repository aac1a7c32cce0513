/* From a member to the struct that it is in. */

#ifndef ACTA_OUTER_H
#define ACTA_OUTER_H

#include <stddef.h>
#include <stdint.h>

#define OUTER(type, member, pointer)                                           \
    ((type *)(void *)((uint8_t *)(pointer)-offsetof(type, member)))

#endif

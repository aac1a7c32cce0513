/* Bytes written as text in tests. */

#ifndef ACTA_TEST_HEX_H
#define ACTA_TEST_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "slice.h"

#define HEX_SIZE_MAX 65536

/* Read hex digits, with blanks wherever they help, into memory of @bytes.
 * Aborts if there is anything else, or more than @size_max bytes.
 */
struct slice hex_parse(uint8_t *bytes, size_t size_max, const char *text);

/* The same, in memory that the fourth call after this one overwrites. */
struct slice hex(const char *text);

/* @bytes in hex, two digits a byte, in memory that the fourth call after this
 * one overwrites. At most HEX_SIZE_MAX bytes.
 */
const char *hex_of(struct slice bytes);

/* Fail the test unless @got are the bytes that @expected says. */
#define assert_hex(got, expected)                                              \
    ck_assert_str_eq(hex_of(got), hex_of(hex(expected)))

/* Fail the test unless both are the same bytes. */
#define assert_slice_eq(got, expected)                                         \
    ck_assert_str_eq(hex_of(got), hex_of(expected))

#endif

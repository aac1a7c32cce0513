/* The words in which cases are written. Stores are of the case's place. */

#ifndef ACTA_TEST_WORDS_H
#define ACTA_TEST_WORDS_H

#include "place.h"

/* Add an event of @type with @data (a text), and tags up to a NULL. */
void add(struct acta_append *append, const char *type, const char *data, ...)
    __attribute__((sentinel));

/* Begin a write, in an append that is made if it is NULL. */
struct acta_append *write_to(struct acta_append *append, const char *stream,
                             int64_t expected);

/* Send the append and free it; it must end with @code. What it is answered with
 * is valid until the next call.
 */
const struct acta_appended *send_it(struct acta_append *append,
                                    enum acta_code code);

/* The same, and keep it. */
const struct acta_appended *send_again(const struct acta_append *append,
                                       enum acta_code code);

/* Store @count events of @type, one after the other, in one append. */
uint64_t store(const char *stream, const char *type, size_t count);

/* The only reason of a refusal. */
void expect_failure(const struct acta_appended *refused,
                    enum acta_failure_kind kind, size_t index, int64_t expected,
                    uint64_t actual);

/* A page of a read as text: a line for each event, and one for the page. */
const char *page_text(const struct acta_read *read);

/* The same of a stream, or of a query; backward too. */
const char *stream_text(const char *stream, uint64_t from, bool backward);
const char *query_text(const struct acta_query *query, uint64_t from,
                       bool backward);

/* Claim a consumer; returns the epoch. */
uint64_t claim(const char *consumer, const struct acta_query *query,
               uint64_t position);

/* The call must end with a code. */
#define expect(code, call)                                                     \
    do {                                                                       \
        enum acta_code code_ = (call);                                         \
                                                                               \
        ck_assert_msg(code_ == (code), "%s is %s, not %s: %s", #call,          \
                      acta_code_name(code_), acta_code_name(code),             \
                      place.err.text);                                         \
    } while (0)

#endif

/* A database whose files are searched for what was erased, and the words in
 * which its tests are written. Whatever fails, fails the test.
 */

#ifndef ACTA_TEST_ERASE_FIXTURE_H
#define ACTA_TEST_ERASE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "database.h"

#define ANY      MSG_EXPECT_ANY
#define DATA_MAX (1 << 20)

extern struct base base;

void setup(void);
void teardown(void);

/* Bytes that say which ones they are. */
struct needle {
    unsigned number;
    struct slice data;
    uint8_t bytes[DATA_MAX];
};

/* Make the next one; its number. */
unsigned make_needle(struct needle *needle, size_t size);

/* Append an event whose data and metadata say which one it is; its number,
 * which is its id, too.
 */
unsigned append(const char *stream, size_t size);

enum acta_code change(const char *stream, enum msg_change_kind kind,
                      uint64_t version);
void erase(const char *stream, uint64_t version);

struct database_stats stats(void);

/* Other threads are at work: look again and again, for a minute at most. */
void await(bool (*is_so)(uint64_t argument), uint64_t argument);
bool is_stored(uint64_t position);
bool is_swept(uint64_t count);
void await_erased(void);

/* How often a needle is in the files of the database, or of one directory. */
unsigned count_needles(unsigned number);
unsigned count_in_dir(const char *dir, unsigned number);

/* Read all, and check how many events are erased and whole. */
void assert_seen(size_t erased, size_t whole);

#endif

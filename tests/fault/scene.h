/* What tests of faults have in common: a directory, what the script leaves when
 * nothing goes wrong, and seeded randomness.
 */

#ifndef ACTA_TEST_SCENE_H
#define ACTA_TEST_SCENE_H

#include <check.h>
#include <stdint.h>

#include "inspect.h"
#include "past.h"
#include "rnd.h"
#include "tempdir.h"

struct scene {
    struct tempdir dir;
    struct past past;
    struct rnd rnd;
    uint64_t seed;
};

extern struct scene scene;

/* An unchecked fixture. The directory stays if there is something by the name
 * "kept" in it.
 */
void scene_setup(void);
void scene_teardown(void);

/* The path of a file in the directory, in memory that the fourth next call
 * overwrites.
 */
char *scene_path(const char *name);

/* Memory of @size bytes, all zero, for the rest of the test: that of a new file
 * of this name, which other processes map as well.
 */
void *scene_share(const char *name, size_t size);

/* What the last process of work_run() has said, if it was to say it in the file
 * "said": the beginning, in memory that the next call overwrites.
 */
const char *scene_last_words(void);

/* Do the steps from @from up to @to in disk/main, with nothing in the way: at
 * the end it must be as if nothing ever had been.
 */
void scene_do_the_rest(unsigned from, unsigned to, struct verdict *verdict);

/* Run the tests of @tcase, as main() does: directories are in memory, unless
 * TMPDIR says something else, since they are many and need no disk.
 */
int scene_run(const char *name, TCase *tcase);

#endif

/* A mistake: segments of the journal are released before the store has what is
 * in them.
 */

#include "journal.h"

#define EARLY 1000 /* Entries. */

enum acta_code __real_journal_release(struct journal *journal,
                                      uint64_t sequence, struct acta_err *err);
enum acta_code __wrap_journal_release(struct journal *journal,
                                      uint64_t sequence, struct acta_err *err);

enum acta_code
__wrap_journal_release(struct journal *journal, uint64_t sequence,
                       struct acta_err *err)
{
    return __real_journal_release(journal, sequence + EARLY, err);
}

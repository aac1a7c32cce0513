/* A mistake: segments of the journal are released before the store has what is
 * in them.
 */

#include "journal.h"

#define EARLY 1000 /* Entries. */

void __real_journal_release(struct journal *journal, uint64_t sequence);
void __wrap_journal_release(struct journal *journal, uint64_t sequence);

void
__wrap_journal_release(struct journal *journal, uint64_t sequence)
{
    __real_journal_release(journal, sequence + EARLY);
}

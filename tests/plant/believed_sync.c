/* A checkpoint that passes over that something could not be written out: the
 * sync behind that finds nothing left to write, and says that all is well.
 */

#include "writeback.h"

int __real_writeback(int fd);
int __wrap_writeback(int fd);

int
__wrap_writeback(int fd)
{
    (void)__real_writeback(fd);
    return 0;
}

/* The server believes that it may have as many descriptors as it likes. */

#include <sys/resource.h>

int __wrap_getrlimit64(__rlimit_resource_t resource, struct rlimit *limit);

int
__wrap_getrlimit64(__rlimit_resource_t resource, struct rlimit *limit)
{
    (void)resource;
    *limit = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    return 0;
}

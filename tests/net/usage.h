/* What a process uses, as its kernel counts it: the same however busy the
 * machine is.
 */

#ifndef ACTA_TEST_USAGE_H
#define ACTA_TEST_USAGE_H

#include <stdint.h>
#include <sys/types.h>

/* Has it nothing to do? Returns after how many looks at its threads, of 5 ms
 * each, some in a row met none that had a processor or waited for one;
 * USAGE_RESTLESS if that did not come about. However busy the machine is, what
 * goes round in circles never rests, and who has nothing to do does.
 */
#define USAGE_RESTLESS 1000
unsigned usage_looks_to_rest(pid_t pid);

/* Memory that it has, without what it maps of files. */
uint64_t usage_memory(pid_t pid);

/* What is built with a sanitizer keeps what it frees. */
#if defined(__SANITIZE_ADDRESS__)
#define USAGE_TELLS_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define USAGE_TELLS_MEMORY 0
#endif
#endif
#ifndef USAGE_TELLS_MEMORY
#define USAGE_TELLS_MEMORY 1
#endif

/* Open descriptors, and those of them that are sockets: files come and go with
 * what is done in the background.
 */
unsigned usage_descriptors(pid_t pid);
unsigned usage_sockets(pid_t pid);

#endif

/* What a process uses, as its kernel counts it: the same however busy the
 * machine is.
 */

#ifndef ACTA_TEST_USAGE_H
#define ACTA_TEST_USAGE_H

#include <stdint.h>
#include <sys/types.h>

/* Processor time since its start. */
uint64_t usage_cpu_ms(pid_t pid);

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

/* Open descriptors. */
unsigned usage_descriptors(pid_t pid);

#endif

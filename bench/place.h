/* Where a server that is measured has its files, and what it takes: its
 * directory, with a file "log" for what it says, and its processor time.
 */

#ifndef ACTA_BENCH_PLACE_H
#define ACTA_BENCH_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PLACE_PATH_SIZE 768

/* The path of @name in @dir. */
void place_path(const char *dir, const char *name, char path[PLACE_PATH_SIZE]);

/* In the child that becomes the server: let what it says go to the log. */
void place_log(const char *dir);

/* The last line of the log. */
void place_last_words(const char *dir, char *words, size_t size);

/* Bytes on disk of all that is below @dir. */
double place_disk_bytes(const char *dir);

/* Remove @dir and all that is in it. False: something is left. */
bool place_remove(const char *dir);

/* What the process has used of processors, in microseconds; 0: there is none.
 */
double place_cpu_us(pid_t pid);

#endif

/* Files and directories: whole writes, and names that are on disk. Every
 * failure says what was being done, to which path, and why. Any thread.
 */

#ifndef ACTA_FILE_H
#define ACTA_FILE_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

#define FILE_PATH_MAX 4096

/* FULL for want of space, MEMORY for want of memory, else IO: from errno. */
enum acta_code file_fail(struct acta_err *err, const char *doing,
                         const char *path);

/* Join two parts with a slash. IO if the result is too long. */
enum acta_code file_join(char path[static FILE_PATH_MAX], const char *dir,
                         const char *name, struct acta_err *err) ACTA_CHECKED;

/* Write all of it, however many calls that takes. */
enum acta_code file_write_at(int fd, const void *bytes, size_t size,
                             off_t offset, const char *path,
                             struct acta_err *err) ACTA_CHECKED;

/* Read up to @size bytes; *@got is less only at the end of the file. */
enum acta_code file_read_at(int fd, void *bytes, size_t size, off_t offset,
                            size_t *got, const char *path,
                            struct acta_err *err) ACTA_CHECKED;

/* Make a directory, durably, unless it is there: a process that made it may
 * have ended before it was durable.
 */
enum acta_code file_make_dir(const char *path, mode_t mode,
                             struct acta_err *err) ACTA_CHECKED;

/* Make the names in a directory durable. */
enum acta_code file_sync_dir(const char *dir,
                             struct acta_err *err) ACTA_CHECKED;

/* Rename and make that durable. Both are in @dir. */
enum acta_code file_rename(const char *from, const char *to, const char *dir,
                           struct acta_err *err) ACTA_CHECKED;

/* The next of what is in the directory @dir that is open as @list, *@entry:
 * NULL behind the last one. It is valid until the next call.
 */
enum acta_code file_next(DIR *list, const char *dir, struct dirent **entry,
                         struct acta_err *err) ACTA_CHECKED;

/* Remove a directory and all that is in it. OK if there is none. */
enum acta_code file_remove_tree(const char *dir,
                                struct acta_err *err) ACTA_CHECKED;

bool file_exists(const char *path);

/* Bytes that may still be written to the file system of @path; 0 if it does
 * not tell.
 */
uint64_t file_space(const char *path);

#endif

/* Another program that is run: a command line for the shell that is fed through
 * its stdin, or a program with its arguments. One thread.
 *
 * interrupt_catch() comes first: what the terminal interrupts, it interrupts in
 * both.
 */

#ifndef ACTA_CHILD_H
#define ACTA_CHILD_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct child {
    pid_t pid;  /* 0: none, or it has ended. */
    int input;  /* What it reads as its stdin; -1: closed, or not ours. */
    int status; /* Once it has ended: as of waitpid(). */
};

/* Run @line by the shell, to be fed. IO. */
enum acta_code child_start_line(struct child *child, const char *line,
                                struct acta_err *err) ACTA_CHECKED;

/* Run the program @argv, which keeps our stdin. IO; NOT_FOUND: there is no
 * such program.
 */
enum acta_code child_start_program(struct child *child, char *const *argv,
                                   struct acta_err *err) ACTA_CHECKED;

/* Feed it, as fast as it reads. False: it reads no more, or interrupt_caught().
 */
bool child_feed(struct child *child, const void *bytes, size_t size);

/* Nothing more comes: let it see the end of its stdin. */
void child_end_input(struct child *child);

/* Has it ended? Does not wait. */
bool child_has_ended(struct child *child);

/* Wait until it has. What interrupts us is passed on to it. */
void child_wait(struct child *child);

/* Pass @number on, unless it is what the terminal has sent to both. */
void child_pass(const struct child *child, int number);

/* What it would be for a shell: what it exited with, or 128 and the signal. */
int child_exit_code(const struct child *child);

/* How it ended, for people: "exited with 3", "was ended by signal 9". */
#define CHILD_TEXT_SIZE 64
void child_describe(const struct child *child,
                    char text[static CHILD_TEXT_SIZE]);

#endif

/* Threads of the library, which leave the program's signals to the program's
 * own. Any thread.
 */

#ifndef ACTA_CLIENT_THREAD_H
#define ACTA_CLIENT_THREAD_H

#include <pthread.h>

/* As pthread_create(). In the new thread all signals are blocked but those of
 * its own faults, SIGSEGV and the like: a program's handlers see these.
 */
int thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg);

#endif

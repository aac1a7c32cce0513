/* A manager of payments, in front of a whole server or of a store in memory:
 * what its tests have, and the words in which they are written. Whatever fails,
 * fails the test.
 */

#ifndef ACTA_TEST_MANAGE_H
#define ACTA_TEST_MANAGE_H

#include <acta/acta_memory.h>

#include "payments.h"

#define MANAGE_PATIENCE_MS 30000

extern struct acta_memory *memory; /* NULL: the server. */
extern struct acta_sync *sync_;    /* The test's own. */
extern struct acta_sync *runs_on;  /* The manager's. */
extern struct acta_process *process;
extern struct acta_manager *manager;        /* NULL: made by run(). */
extern struct acta_manager_options options; /* Once, until it is live. */
extern struct acta_upcasters *upcasters;
extern struct acta_err err;

/* Fixtures. */
void setup(void);
void setup_memory(void);
void teardown(void);

/* One more connection. */
struct acta_sync *connect_to_it(void);

void must(enum acta_code code);

/* Store an event: any; with JSON; that says that an order is paid. */
void put_draft(const char *stream, const struct acta_draft *draft);
void put(const char *stream, const char *type, const char *data);
void pay(const char *key, const char *cents);

/* Run the manager. */
enum acta_code run(void);
const struct acta_manager_status *status(void);

/* The types in @stream, with their data: "Asked:5 Received:3". */
const char *told(const char *stream);

/* The names of all schedules. */
const char *scheduled(void);

/* The last position, and how far the consumer is. */
uint64_t head(void);
uint64_t checkpoint(void);

/* Wait until @count deadlines of @type have passed, which are due. */
void wait_for_deadlines(const char *type, size_t count);

#endif

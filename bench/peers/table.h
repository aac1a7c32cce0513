/* What was measured: of each workload, each database and each round its
 * figures; told as tables in Markdown, and as JSON.
 */

#ifndef ACTA_PEERS_TABLE_H
#define ACTA_PEERS_TABLE_H

#include <stdio.h>

#include "../figures.h"
#include "work.h"

#define TABLE_WORKS_MAX 32
#define TABLE_PEERS_MAX 8

/* Rounds that one database has had of one workload. */
struct cell {
    struct figures *rounds; /* owned */
    size_t count;
};

struct table {
    const struct work *works[TABLE_WORKS_MAX];
    size_t works_count;
    const struct peer *peers[TABLE_PEERS_MAX];
    size_t peers_count;
    size_t rounds;
    struct cell cells[TABLE_WORKS_MAX][TABLE_PEERS_MAX];
    struct cell echoes[TABLE_WORKS_MAX]; /* Beside Acta, as it sends. */
    struct cell limits; /* Of the machine, measured in between. */
};

/* Room for the next round. NULL: there is no memory. */
struct figures *cell_next(struct cell *cell, size_t rounds_max);

void table_free(struct table *table);

/* Of each figure of each workload the medians of the databases, and the median
 * of the rounds' ratios of Acta to the best other one that is as durable, with
 * the least and the largest.
 */
void table_print(const struct table *table, FILE *out);

/* The same with all rounds; @head is put in front: members of an object. */
void table_print_json(const struct table *table, const char *head, FILE *out);

#endif

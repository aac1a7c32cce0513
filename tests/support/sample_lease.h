/* Samples of leases, schedules and loading: rows of the table in sample.c. */

#ifndef ACTA_TEST_SAMPLE_LEASE_H
#define ACTA_TEST_SAMPLE_LEASE_H

#include "buf.h"

void sample_lease_acquire(struct buf *buf);
void sample_lease_renew(struct buf *buf);
void sample_lease_release(struct buf *buf);
void sample_lease_changed(struct buf *buf);
void sample_list_leases(struct buf *buf);
void sample_leases(struct buf *buf);
void sample_list_schedules(struct buf *buf);
void sample_schedules(struct buf *buf);
void sample_load(struct buf *buf);
void sample_load_behind(struct buf *buf);
void sample_loaded_not_modified(struct buf *buf);

#endif

/* Samples of a group and its members: rows of the table in sample.c. */

#ifndef ACTA_TEST_SAMPLE_GROUP_H
#define ACTA_TEST_SAMPLE_GROUP_H

#include "buf.h"

void sample_join(struct buf *buf);
void sample_joined(struct buf *buf);
void sample_settle(struct buf *buf);
void sample_settled(struct buf *buf);
void sample_leave(struct buf *buf);
void sample_left(struct buf *buf);
void sample_left_deleted(struct buf *buf);

#endif

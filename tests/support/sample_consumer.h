/* Samples of named consumers and parked events: rows of the table in sample.c.
 */

#ifndef ACTA_TEST_SAMPLE_CONSUMER_H
#define ACTA_TEST_SAMPLE_CONSUMER_H

#include "buf.h"

void sample_consumer_claim(struct buf *buf);
void sample_consumer_create(struct buf *buf);
void sample_consumer_alter(struct buf *buf);
void sample_consumer_delete(struct buf *buf);
void sample_consumer_pause(struct buf *buf);
void sample_consumer_resume(struct buf *buf);
void sample_consumer_reset(struct buf *buf);
void sample_consumer_note(struct buf *buf);
void sample_verify(struct buf *buf);
void sample_verified(struct buf *buf);
void sample_await(struct buf *buf);
void sample_consumer_changed(struct buf *buf);
void sample_list_consumers(struct buf *buf);
void sample_consumers(struct buf *buf);
void sample_describe_consumer(struct buf *buf);
void sample_consumer(struct buf *buf);
void sample_list_parked(struct buf *buf);
void sample_parked(struct buf *buf);
void sample_parked_replay(struct buf *buf);
void sample_parked_drop(struct buf *buf);
void sample_parked_changed(struct buf *buf);

#endif

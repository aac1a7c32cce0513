/* Samples of what can be done to a stream and asked about streams and names:
 * rows of the table in sample.c.
 */

#ifndef ACTA_TEST_SAMPLE_STREAM_H
#define ACTA_TEST_SAMPLE_STREAM_H

#include "buf.h"

#define SAMPLE_TIME_US 1700000000000000 /* 2023-11-14 22:13:20 UTC */

void sample_change_set(struct buf *buf);
void sample_change_delete(struct buf *buf);
void sample_change_tombstone(struct buf *buf);
void sample_change_erase(struct buf *buf);
void sample_changed(struct buf *buf);
void sample_find_time(struct buf *buf);
void sample_found_time(struct buf *buf);
void sample_list_streams(struct buf *buf);
void sample_streams(struct buf *buf);
void sample_describe_stream(struct buf *buf);
void sample_description(struct buf *buf);
void sample_description_absent(struct buf *buf);
void sample_list_names(struct buf *buf);
void sample_names(struct buf *buf);

#endif

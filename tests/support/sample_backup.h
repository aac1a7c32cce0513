/* Samples of backups: rows of the table in sample.c. */

#ifndef ACTA_TEST_SAMPLE_BACKUP_H
#define ACTA_TEST_SAMPLE_BACKUP_H

#include "buf.h"

void sample_begin_backup(struct buf *buf);
void sample_begin_backup_on(struct buf *buf);
void sample_backup_begun(struct buf *buf);
void sample_read_backup(struct buf *buf);
void sample_backup_chunk(struct buf *buf);
void sample_end_backup(struct buf *buf);
void sample_backup_ended(struct buf *buf);

#endif

/* What the files of the model share. Internal to tests/support/model*.c. */

#ifndef ACTA_TEST_MODEL_STREAM_H
#define ACTA_TEST_MODEL_STREAM_H

#include "model.h"

/* The stream of this name, or one without a name that is empty. */
const struct model_stream *model_stream(const struct model *model,
                                        struct slice name);

/* The same to be changed, made if it is not there. */
struct model_stream *model_make_stream(struct model *model, struct slice name);

/* The first version that is to be seen; version + 1 if none is. */
uint64_t model_first_version(const struct model *model,
                             const struct model_stream *stream,
                             uint64_t now_us);

/* Let @event, which borrows, be what is kept. */
void model_keep(struct model_event *kept, const struct event *event);

/* Does the stream's version suit what an append, check or change expects? */
bool model_expects(int64_t expected, const struct model_stream *stream);

#endif

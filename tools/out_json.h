/* What the files that print for programs share. One thread. */

#ifndef ACTA_OUT_JSON_H
#define ACTA_OUT_JSON_H

#include <acta/acta.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "slice.h"

void json_put_text(FILE *out, const char *text);

/* ,"name":"0190163d-8694-739b-aea5-966c26f8ad91"; nothing if @id is NULL. */
void json_put_id(FILE *out, const char *name, const struct acta_id *id);

/* ,"name":"2026-11-21T22:22:36.123456Z" */
void json_put_time(FILE *out, const char *name, uint64_t time_us);

/* True if @bytes can stand in a line as they are. */
bool json_fits_in_line(struct slice bytes);

/* ,"name":BYTES or ,"name_base64":"..." */
void json_put_bytes(FILE *out, const char *name, struct slice bytes,
                    bool as_json);

/* An object, without a line's end. */
void json_put_event(FILE *out, const struct acta_event *event);

#endif

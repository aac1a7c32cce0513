/* JSON as the shop has it in commands and events: objects of texts and numbers.
 */

#ifndef SHOP_FIELDS_H
#define SHOP_FIELDS_H

#include <acta/acta_process.h>
#include <jansson.h>

#define NAME_SIZE_MAX 40 /* Of orders and articles, in bytes. */

/* Freed with json_decref(). NULL if it is no object, in which nothing is found.
 */
json_t *fields_of(const void *data, size_t size);

/* Valid as long as @fields; "" and 0 if there is none of this name. */
const char *fields_text(const json_t *fields, const char *name);
json_int_t fields_number(const json_t *fields, const char *name);

/* Letters, digits and "-": such a text can be part of a stream's name. */
bool is_name(const char *text);

/* The decision has an event, with what json_pack() makes of @format. */
void decide_event(struct acta_decision *decision, const char *type,
                  const char *format, ...);

/* The reaction has a command, with the same. */
void react_command(struct acta_reaction *reaction, const char *target,
                   const char *type, const char *format, ...);

#endif

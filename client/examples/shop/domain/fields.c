#include "fields.h"

#include <stdarg.h>
#include <stdlib.h>

json_t *
fields_of(const void *data, size_t size)
{
    json_t *fields = json_loadb(data, size, JSON_REJECT_DUPLICATES, NULL);

    if (!json_is_object(fields)) {
        json_decref(fields);
        return NULL;
    }
    return fields;
}

const char *
fields_text(const json_t *fields, const char *name)
{
    const char *text = json_string_value(json_object_get(fields, name));

    return text == NULL ? "" : text;
}

json_int_t
fields_number(const json_t *fields, const char *name)
{
    return json_integer_value(json_object_get(fields, name));
}

bool
is_name(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    size_t size = strlen(text);

    return size > 0 && size <= NAME_SIZE_MAX && strspn(text, letters) == size;
}

/* Freed with free(); NULL if there is no memory. */
static char *
json_of(const char *format, va_list args)
{
    json_t *fields = json_vpack_ex(NULL, 0, format, args);
    char *text = json_dumps(fields, JSON_COMPACT);

    json_decref(fields);
    return text;
}

void
decide_event(struct acta_decision *decision, const char *type,
             const char *format, ...)
{
    va_list args;
    char *json;

    va_start(args, format);
    json = json_of(format, args);
    va_end(args);
    if (json == NULL) {
        acta_decision_fail(decision, ACTA_MEMORY, "no memory for %s", type);
    } else {
        acta_decision_json(decision, type, json);
    }
    free(json);
}

void
react_command(struct acta_reaction *reaction, const char *target,
              const char *type, const char *format, ...)
{
    va_list args;
    char *json;

    va_start(args, format);
    json = json_of(format, args);
    va_end(args);
    acta_reaction_command(reaction, "command", target, type, json);
    free(json);
}

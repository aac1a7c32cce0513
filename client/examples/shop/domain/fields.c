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

void
decide_event(struct acta_decision *decision, const char *type,
             const char *format, ...)
{
    json_t *fields;
    va_list args;
    char *text;

    va_start(args, format);
    fields = json_vpack_ex(NULL, 0, format, args);
    va_end(args);
    text = json_dumps(fields, JSON_COMPACT);
    if (text == NULL) {
        acta_decision_fail(decision, ACTA_MEMORY, "no memory for %s", type);
    } else {
        acta_decision_json(decision, type, text);
    }
    free(text);
    json_decref(fields);
}

#include "err.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "text.h"

static const struct {
    const char *name;
    const char *text;
    enum acta_remedy remedy;
} codes[] = {
#define X(name, number, remedy, text)                                          \
    [number] = {#name, text, ACTA_REMEDY_##remedy},
    ACTA_CODES(X)
#undef X
};

#define CODES_COUNT (sizeof(codes) / sizeof(codes[0]))

enum acta_code
acta_fail(struct acta_err *err, enum acta_code code, const char *fmt, ...)
{
    va_list args;

    assert(code != ACTA_OK);

    if (err != NULL) {
        err->code = code;
        va_start(args, fmt);
        text_format(err->text, sizeof(err->text), fmt, args);
        va_end(args);
    }
    return code;
}

enum acta_code
acta_wrap(struct acta_err *err, enum acta_code code, const char *fmt, ...)
{
    char inner[sizeof(err->text)];
    va_list args;
    size_t used;

    if (err == NULL) {
        return code;
    }
    assert(err->code == code);

    memcpy(inner, err->text, sizeof(inner));
    va_start(args, fmt);
    text_format(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    used = strlen(err->text);
    text_print(err->text + used, sizeof(err->text) - used, ": %s", inner);
    return code;
}

const char *
acta_code_name(enum acta_code code)
{
    return (size_t)code < CODES_COUNT ? codes[code].name : "UNKNOWN_CODE";
}

const char *
acta_code_text(enum acta_code code)
{
    return (size_t)code < CODES_COUNT ? codes[code].text : "unknown error";
}

enum acta_remedy
acta_code_remedy(enum acta_code code)
{
    return (size_t)code < CODES_COUNT ? codes[code].remedy : ACTA_REMEDY_STOP;
}

const char *
acta_remedy_name(enum acta_remedy remedy)
{
    static const char *const names[] = {
        [ACTA_REMEDY_NONE] = "none",     [ACTA_REMEDY_RETRY] = "retry",
        [ACTA_REMEDY_RELOAD] = "reload", [ACTA_REMEDY_FIX] = "fix",
        [ACTA_REMEDY_STOP] = "stop",     [ACTA_REMEDY_RESEND] = "resend",
    };

    assert((size_t)remedy < sizeof(names) / sizeof(names[0]));
    return names[remedy];
}

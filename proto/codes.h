/* The catalogue of errors: number on the wire, name, remedy, text.
 *
 * This header is installed with libacta: a program switches over the codes or,
 * better, over the remedies.
 */

#ifndef ACTA_CODES_H
#define ACTA_CODES_H

/* What libacta shows to its users: all else is compiled with
 * -fvisibility=hidden.
 */
#define ACTA_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, number on the wire, remedy, text)
 *
 * Numbers are part of the protocol: add new ones at the end, never reuse one.
 */
#define ACTA_CODES(X)                                                          \
    X(OK, 0, NONE, "ok")                                                       \
    X(CONFLICT, 1, RELOAD, "stream is at another version")                     \
    X(INVALID, 2, FIX, "request is not valid")                                 \
    X(BUSY, 3, RETRY, "server is busy")                                        \
    X(MEMORY, 4, RETRY, "out of memory")                                       \
    X(FULL, 5, RETRY, "disk is full")                                          \
    X(IO, 6, STOP, "storage failed")                                           \
    X(CORRUPT, 7, STOP, "stored data is damaged")                              \
    X(TOO_LARGE, 8, FIX, "over a limit of size or number")                     \
    X(NOT_FOUND, 9, FIX, "there is no such thing")                             \
    X(PARTIAL_REPEAT, 10, FIX, "some events are stored already, some are not") \
    X(ID_REUSED, 11, FIX, "event id is stored with other content")             \
    X(PROTOCOL, 12, FIX, "peer does not keep to the protocol")                 \
    X(UNSUPPORTED, 13, FIX, "not known to this version")                       \
    X(STOPPING, 14, RETRY, "server is stopping")                               \
    X(UNKNOWN, 15, RESEND, "outcome is unknown")                               \
    X(UNREACHABLE, 16, RETRY, "server cannot be reached")                      \
    X(TIMEOUT, 17, RETRY, "deadline has passed")                               \
    X(CANCELLED, 18, NONE, "cancelled by the caller")                          \
    X(IN_USE, 19, STOP, "in use by another process")                           \
    X(TOMBSTONED, 20, FIX, "stream is closed for ever")                        \
    X(UNDECIDED, 21, RELOAD, "condition cannot be decided in bounded time")    \
    X(FENCED, 22, RELOAD, "another has taken over")                            \
    X(HELD, 23, RETRY, "held by another")                                      \
    X(EXISTS, 24, FIX, "there is one of this name already")

enum acta_code {
#define X(name, number, remedy, text) ACTA_##name = number,
    ACTA_CODES(X)
#undef X
};

/* What the receiver of an error can sensibly do about it. */
enum acta_remedy {
    ACTA_REMEDY_NONE,   /* Nothing has to be done. */
    ACTA_REMEDY_RETRY,  /* Nothing was changed. Send it again, later. */
    ACTA_REMEDY_RELOAD, /* Read the stream, decide again, send a new request. */
    ACTA_REMEDY_FIX,    /* The request can never succeed: it is a bug. */
    ACTA_REMEDY_STOP,   /* An operator has to step in. */
    ACTA_REMEDY_RESEND, /* It may have been done. Send the very same again:
                           events count once. */
};

/* The names as texts: "CONFLICT"; "stream is at another version"; "reload". A
 * number that is not in the catalogue, from a newer server, is "UNKNOWN_CODE"
 * and to be treated as ACTA_REMEDY_STOP. The strings are constants. Any thread.
 */
ACTA_API const char *acta_code_name(enum acta_code code);
ACTA_API const char *acta_code_text(enum acta_code code);
ACTA_API enum acta_remedy acta_code_remedy(enum acta_code code);
ACTA_API const char *acta_remedy_name(enum acta_remedy remedy);

#ifdef __cplusplus
}
#endif

#endif

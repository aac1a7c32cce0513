/* The kinds of frames. PROTOCOL.md has a section for each. */

#ifndef ACTA_OPCODE_H
#define ACTA_OPCODE_H

/* X(name, number on the wire, name in texts, since protocol version)
 *
 * Requests are below 0x80, what the server sends is 0x80 and above. Numbers
 * are part of the protocol: never reuse one.
 */
#define ACTA_OPCODES(X)                                                        \
    X(HELLO, 0x01, "hello", 1)                                                 \
    X(PING, 0x02, "ping", 1)                                                   \
    X(STATUS, 0x03, "status", 1)                                               \
    X(APPEND, 0x10, "append", 1)                                               \
    X(CHANGE_STREAM, 0x11, "change-stream", 1)                                 \
    X(CHANGE_CONSUMER, 0x12, "change-consumer", 1)                             \
    X(CHANGE_LEASE, 0x13, "change-lease", 1)                                   \
    X(CHANGE_PARKED, 0x14, "change-parked", 1)                                 \
    X(READ_STREAM, 0x20, "read-stream", 1)                                     \
    X(READ_ALL, 0x21, "read-all", 1)                                           \
    X(READ_EVENT, 0x22, "read-event", 1)                                       \
    X(FIND_TIME, 0x23, "find-time", 1)                                         \
    X(LOAD, 0x24, "load", 1)                                                   \
    X(FIND_COMMAND, 0x25, "find-command", 1)                                   \
    X(AWAIT, 0x26, "await", 1)                                                 \
    X(LIST_STREAMS, 0x28, "list-streams", 1)                                   \
    X(DESCRIBE_STREAM, 0x29, "describe-stream", 1)                             \
    X(LIST_NAMES, 0x2A, "list-names", 1)                                       \
    X(LIST_CONSUMERS, 0x2B, "list-consumers", 1)                               \
    X(DESCRIBE_CONSUMER, 0x2C, "describe-consumer", 1)                         \
    X(LIST_PARKED, 0x2D, "list-parked", 1)                                     \
    X(LIST_LEASES, 0x2E, "list-leases", 1)                                     \
    X(LIST_SCHEDULES, 0x2F, "list-schedules", 1)                               \
    X(SUBSCRIBE, 0x30, "subscribe", 1)                                         \
    X(CREDIT, 0x31, "credit", 1)                                               \
    X(UNSUBSCRIBE, 0x32, "unsubscribe", 1)                                     \
    X(JOIN, 0x38, "join", 1)                                                   \
    X(SETTLE, 0x39, "settle", 1)                                               \
    X(LEAVE, 0x3A, "leave", 1)                                                 \
    X(BEGIN_BACKUP, 0x40, "begin-backup", 1)                                   \
    X(READ_BACKUP, 0x41, "read-backup", 1)                                     \
    X(END_BACKUP, 0x42, "end-backup", 1)                                       \
    X(VERIFY, 0x47, "verify", 1)                                               \
    X(ERROR, 0x80, "error", 1)                                                 \
    X(WELCOME, 0x81, "welcome", 1)                                             \
    X(PONG, 0x82, "pong", 1)                                                   \
    X(STATUS_REPLY, 0x83, "status-reply", 1)                                   \
    X(APPENDED, 0x90, "appended", 1)                                           \
    X(CHANGED, 0x91, "changed", 1)                                             \
    X(CONSUMER_CHANGED, 0x92, "consumer-changed", 1)                           \
    X(LEASE_CHANGED, 0x93, "lease-changed", 1)                                 \
    X(PARKED_CHANGED, 0x94, "parked-changed", 1)                               \
    X(PAGE, 0xA0, "page", 1)                                                   \
    X(FOUND_TIME, 0xA3, "found-time", 1)                                       \
    X(LOADED, 0xA4, "loaded", 1)                                               \
    X(STREAMS, 0xA8, "streams", 1)                                             \
    X(DESCRIPTION, 0xA9, "description", 1)                                     \
    X(NAMES, 0xAA, "names", 1)                                                 \
    X(CONSUMERS, 0xAB, "consumers", 1)                                         \
    X(CONSUMER, 0xAC, "consumer", 1)                                           \
    X(PARKED, 0xAD, "parked", 1)                                               \
    X(LEASES, 0xAE, "leases", 1)                                               \
    X(SCHEDULES, 0xAF, "schedules", 1)                                         \
    X(SUBSCRIBED, 0xB0, "subscribed", 1)                                       \
    X(DELIVERY, 0xB1, "delivery", 1)                                           \
    X(CAUGHT_UP, 0xB2, "caught-up", 1)                                         \
    X(FELL_BEHIND, 0xB3, "fell-behind", 1)                                     \
    X(UNSUBSCRIBED, 0xB4, "unsubscribed", 1)                                   \
    X(JOINED, 0xB8, "joined", 1)                                               \
    X(HANDED, 0xB9, "handed", 1)                                               \
    X(SETTLED, 0xBA, "settled", 1)                                             \
    X(LEFT, 0xBB, "left", 1)                                                   \
    X(BACKUP_BEGUN, 0xC0, "backup-begun", 1)                                   \
    X(BACKUP_CHUNK, 0xC1, "backup-chunk", 1)                                   \
    X(BACKUP_ENDED, 0xC2, "backup-ended", 1)                                   \
    X(VERIFIED, 0xC7, "verified", 1)

enum opcode {
#define X(name, number, text, since) OP_##name = number,
    ACTA_OPCODES(X)
#undef X
};

#define OP_REPLY_FIRST 0x80

/* "append", or NULL if there is no such kind. */
static inline const char *
opcode_text(unsigned number)
{
    switch (number) {
#define X(name, number, text, since)                                           \
    case number:                                                               \
        return text;
        ACTA_OPCODES(X)
#undef X
    default:
        return NULL;
    }
}

#endif

/* Every size limit of wire and storage, each with its reason.
 *
 * The handshake tells a client those that bind it (see proto/PROTOCOL.md). All
 * sizes are in bytes.
 */

#ifndef ACTA_LIMIT_H
#define ACTA_LIMIT_H

#include <stdint.h>

/* Names are keys of the store, and LMDB's keys end at 511 bytes: 255 leaves
 * room for what stands around them, and a length fits in one byte.
 */
#define ACTA_STREAM_SIZE_MAX 255
#define ACTA_TYPE_SIZE_MAX   255
#define ACTA_TAG_SIZE_MAX    255

/* Each tag is one more list to add to at a checkpoint. */
#define ACTA_TAGS_MAX 32

/* Data and metadata of one event together. An event travels and is checked as
 * a whole; what is larger belongs in a file, with its name in the event.
 */
#define ACTA_EVENT_SIZE_MAX (16u << 20)

/* One append is one entry of the journal and is held in memory until it is
 * synced. The size is that of its encoded events.
 */
#define ACTA_APPEND_SIZE_MAX   (64u << 20)
#define ACTA_APPEND_EVENTS_MAX 10000

/* Streams that an append checks without writing to them, and conditions: each
 * is a look or more into lists, on the writer's time.
 */
#define ACTA_APPEND_CHECKS_MAX     1000
#define ACTA_APPEND_CONDITIONS_MAX 32
#define ACTA_APPEND_TERMS_MAX      512 /* Texts in all its conditions. */

/* What an append carries besides events: checkpoints, fences of leases,
 * snapshots, schedules and cancellations together. Each is a row.
 */
#define ACTA_APPEND_EFFECTS_MAX 1000

/* A snapshot's data; and all of an append's together with its records and the
 * writes that it schedules are within ACTA_APPEND_SIZE_MAX.
 */
#define ACTA_SNAPSHOT_SIZE_MAX (16u << 20)

/* When a schedule is due, or after how long: far enough that adding one to the
 * other is always a number.
 */
#define ACTA_DUE_US_MAX (UINT64_C(1) << 60)

/* Names of consumers, leases and schedules, as those of streams; texts that
 * people read: who holds a lease, why an event was parked.
 */
#define ACTA_NAME_SIZE_MAX 255
#define ACTA_TEXT_SIZE_MAX 1024

/* Each is in the writer's memory. */
#define ACTA_LEASES_MAX    100000
#define ACTA_SCHEDULES_MAX 1000000

/* Time that a lease is given for, and that an event may be held back for. */
#define ACTA_LEASE_US_MAX UINT64_C(86400000000)
#define ACTA_RETRY_US_MAX UINT64_C(86400000000)

/* Events that a member of a group may have in hand, and bytes of them (one
 * event may go over); answers in one frame; memberships of one connection.
 */
#define ACTA_SLOTS_MAX       10000
#define ACTA_SLOTS_SIZE_MAX  (8u << 20)
#define ACTA_SETTLE_MAX      10000
#define ACTA_MEMBERSHIPS_MAX 256

/* Events that a group keeps in mind because they wait for a delay or for those
 * in front of them, and parked ones: with more it reads no further.
 */
#define ACTA_GROUP_PENDING_MAX 100000
#define ACTA_GROUP_PARKED_MAX  1000000

/* A frame's body: an append and what stands around its events. */
#define ACTA_FRAME_SIZE_MAX (ACTA_APPEND_SIZE_MAX + (1u << 20))

/* Before hello a peer is nobody, and gets little memory. */
#define ACTA_HELLO_SIZE_MAX 4096

/* The deepest message is append: body, schedules, schedule, writes, write,
 * events, event, tags.
 */
#define ACTA_DEPTH_MAX 8

/* A query is matched against every event of a live subscription, and every
 * text in it is a list to merge.
 */
#define ACTA_QUERY_ITEMS_MAX 128
#define ACTA_QUERY_TERMS_MAX 256 /* Texts in all items together. */

/* One reply to a read. A page always holds at least one event, whatever its
 * size, so that reading goes on.
 */
#define ACTA_PAGE_SIZE_MAX    (4u << 20)
#define ACTA_PAGE_EVENTS_MAX  65536
#define ACTA_PAGE_STREAMS_MAX 4096
#define ACTA_PAGE_NAMES_MAX   4096
#define ACTA_PAGE_ROWS_MAX    1000 /* Consumers, parked events, leases, ... */

/* Of a backup, in one answer. */
#define ACTA_BACKUP_CHUNK_MAX (1u << 20)

/* Events that a refusal brings along: what a command has missed since it read
 * is little, or else it reads again.
 */
#define ACTA_UNSEEN_EVENTS_MAX 1000
#define ACTA_UNSEEN_SIZE_MAX   (1u << 20)

/* Requests and subscriptions of one connection at a time; and requests that
 * wait for a lease or a consumer, which may take long: they are no reason not
 * to take others.
 */
#define ACTA_REQUESTS_MAX      4096
#define ACTA_WAITS_MAX         1024
#define ACTA_SUBSCRIPTIONS_MAX 1024

/* A client's own name in hello, for the server's log; a database's name. */
#define ACTA_CLIENT_NAME_SIZE_MAX   255
#define ACTA_DATABASE_NAME_SIZE_MAX 63

_Static_assert(ACTA_EVENT_SIZE_MAX < ACTA_APPEND_SIZE_MAX,
               "an append holds the largest event and its envelope");
_Static_assert(ACTA_APPEND_SIZE_MAX < ACTA_FRAME_SIZE_MAX,
               "a frame holds the largest append");
_Static_assert(ACTA_FRAME_SIZE_MAX <= 0xffffffff,
               "a frame's length is 32 bits on the wire");
_Static_assert(ACTA_PAGE_SIZE_MAX + ACTA_EVENT_SIZE_MAX +
                       ACTA_SNAPSHOT_SIZE_MAX <
                   ACTA_FRAME_SIZE_MAX,
               "a frame holds the largest page, with one event too many, and a "
               "snapshot");

#endif

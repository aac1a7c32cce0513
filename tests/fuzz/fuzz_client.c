/* libacta against a server that says anything. The input is a list of commands:
 * what the program asks of the library, and frames that answer it, or bytes
 * that are no frames at all; the connection breaks, and time goes on.
 *
 * Whatever that is: what the library sends are whole frames of requests that
 * decode, everything that was asked for ends exactly once, what callbacks are
 * given can be read, and positions of a subscription never go back.
 */

#include "client_asks.h"
#include "fuzz.h"
#include "fuzz_input.h"
#include "limit.h"
#include "opcode.h"
#include "peer.h"
#include "reencode.h"

#define IDS_MAX      32 /* Of requests that the server remembers. */
#define REQUESTS_MAX 20 /* Low, so that it is reached. */
#define COMMANDS_MAX 1000
#define SAID_MAX     (1u << 20)
#define ALIKE_MAX    ((size_t)ACTA_FRAME_SIZE_MAX * 2)

static struct peer peer;
static uint64_t ids[IDS_MAX]; /* Of the requests that were sent last. */
static size_t ids_count;
static size_t step; /* Bytes that arrive at a time. */

/* Take what the client says. It must be requests. */
static void
take(void)
{
    struct frame frame;

    while (peer.client != NULL && peer_take(&peer, &frame)) {
        struct acta_err err;
        struct buf again;

        FUZZ_PROMISE(frame.kind < OP_REPLY_FIRST);
        buf_init(&again, ALIKE_MAX);
        FUZZ_PROMISE(reencode(&again, frame.kind, frame.request_id, frame.body,
                              &err) == ACTA_OK);
        buf_fini(&again);
        ids[ids_count++ % IDS_MAX] = frame.request_id;
    }
}

static void
connect_again(void)
{
    if (peer.client == NULL || peer.client->core.state != CORE_DOWN) {
        return;
    }
    client_enter(peer.client);
    core_connected(&peer.client->core, peer_now_ms);
    client_leave(peer.client, peer_now_ms);
    take();
}

static void
say(void)
{
    if (peer.client == NULL || peer.client->core.state == CORE_DOWN) {
        buf_clear(&peer.answer);
        return;
    }
    (void)peer_say_in_steps(&peer, step); /* It may well be refused. */
    take();
}

static void
welcome(void)
{
    if (peer.client != NULL && peer.client->core.state == CORE_HELLO) {
        msg_welcome_encode(&peer.answer, CORE_ID_HELLO, &peer.welcome);
        say();
    }
}

/* Answer one of the last requests. */
static void
answer(struct fuzz_input *input)
{
    uint8_t which = fuzz_take_byte(input);
    uint8_t kind = fuzz_take_byte(input);
    struct slice body = fuzz_take_bytes(input);
    size_t newest = ids_count + IDS_MAX - 1 - which % IDS_MAX;
    size_t start = frame_begin(&peer.answer, kind, ids[newest % IDS_MAX]);

    buf_append_slice(&peer.answer, body);
    frame_end(&peer.answer, start);
    if (which < 128) { /* Else it comes together with the next. */
        say();
    }
}

static void
obey(struct fuzz_input *input)
{
    uint8_t number;

    switch (fuzz_take_byte(input) % 8) {
    case 0:
    case 1:
        number = fuzz_take_byte(input);
        asks_begin(&peer.client, number, fuzz_take_byte(input));
        break;
    case 2:
    case 3:
        answer(input);
        break;
    case 4:
        buf_append_slice(&peer.answer, fuzz_take_bytes(input));
        say();
        break;
    case 5:
        number = fuzz_take_byte(input);
        if (number == 0 && peer.client != NULL &&
            peer.client->core.state != CORE_DOWN) {
            peer_lose(&peer);
        } else if (number == 1) {
            connect_again();
        } else {
            connect_again();
            welcome();
        }
        break;
    case 6:
        if (peer.client != NULL) {
            (void)peer_wait(&peer, fuzz_take_short(input));
        }
        break;
    case 7:
        number = fuzz_take_byte(input);
        asks_touch(&asked[number % ASKED_MAX], fuzz_take_byte(input),
                   fuzz_take_byte(input));
        break;
    }
    if (peer.client != NULL) {
        acta_flush(peer.client);
    }
    take();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct acta_options options = acta_options_of("acta://127.0.0.1:1");
    struct fuzz_input input = {slice_make(data, size)};

    asks_clear();
    ids_count = 0;
    options.requests_max = REQUESTS_MAX;
    peer_open(&peer, &options);
    step = fuzz_take_byte(&input);
    step = step == 0 ? SAID_MAX : step;
    connect_again();
    welcome();
    for (unsigned i = 0; i < COMMANDS_MAX && !fuzz_input_is_over(&input); i++) {
        obey(&input);
    }
    if (peer.client != NULL) {
        struct acta_client *closed = peer.client;

        peer.client = NULL;
        acta_close(closed);
    }
    FUZZ_PROMISE(asks_open() == 0);
    peer_close(&peer);
    return 0;
}

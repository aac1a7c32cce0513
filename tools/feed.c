#include "feed.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "interrupt.h"
#include "out.h"
#include "when.h"

enum acta_code
feed_open(struct feed *feed, const char *line, bool is_each, uint64_t rate,
          struct acta_err *err)
{
    *feed = (struct feed){
        .line = line,
        .is_each = is_each,
        .rate = rate,
        .child = {.input = -1},
    };
    feed->out = open_memstream(&feed->text, &feed->size);
    if (feed->out == NULL) {
        return acta_fail(err, ACTA_MEMORY, "out of memory");
    }
    if (line != NULL && !is_each) {
        enum acta_code code = child_start_line(&feed->child, line, err);

        if (code != ACTA_OK) {
            feed_end(feed);
        }
        return code;
    }
    return ACTA_OK;
}

/* Time that was lost is not made up for: the rate is never exceeded for longer
 * than a wait is exact, a millisecond.
 */
static void
wait_for_turn(struct feed *feed)
{
    uint64_t now = when_mono_us();

    if (feed->rate == 0) {
        return;
    }
    while (feed->due_us >= now + 1000 && interrupt_caught() == 0) {
        interrupt_wait(NULL, 0, (int)((feed->due_us - now) / 1000));
        now = when_mono_us();
    }
    if (feed->due_us + 1000 < now) {
        feed->due_us = now;
    }
    feed->due_us += 1000000 / feed->rate;
}

/* Run the command for the line that is there. */
static enum acta_code
run_for_one(struct feed *feed, struct acta_err *err)
{
    enum acta_code code = child_start_line(&feed->child, feed->line, err);

    if (code != ACTA_OK) {
        return code;
    }
    /* One that does not read all of it may have had enough. */
    (void)child_feed(&feed->child, feed->text, feed->size);
    child_end_input(&feed->child);
    child_wait(&feed->child);
    return child_exit_code(&feed->child) == 0
               ? ACTA_OK
               : acta_fail(err, ACTA_CANCELLED, "the command has failed");
}

static enum acta_code
hand_over(struct feed *feed, struct acta_err *err)
{
    if (feed->line == NULL) {
        fwrite(feed->text, 1, feed->size, stdout);
        if (feed->rate > 0) {
            (void)cli_flush();
        }
        return ferror(stdout)
                   ? acta_fail(err, ACTA_IO, "stdout: %s", strerror(errno))
                   : ACTA_OK;
    }
    if (feed->is_each) {
        return run_for_one(feed, err);
    }
    return child_feed(&feed->child, feed->text, feed->size)
               ? ACTA_OK
               : acta_fail(err, ACTA_CANCELLED, "the command takes no more");
}

enum acta_code
feed_give(struct feed *feed, const struct acta_event *event,
          struct acta_err *err)
{
    enum acta_code code;

    assert(event->position > feed->position);

    wait_for_turn(feed);
    if (interrupt_caught() != 0) {
        return acta_fail(err, ACTA_CANCELLED, "interrupted");
    }
    feed->next = event->position;
    rewind(feed->out);
    out_event_line(feed->out, event);
    if (fflush(feed->out) != 0) {
        return acta_fail(err, ACTA_MEMORY, "out of memory");
    }
    code = hand_over(feed, err);
    if (code == ACTA_OK) {
        feed->count++;
        feed->position = event->position;
    }
    return code;
}

int
feed_end(struct feed *feed)
{
    child_end_input(&feed->child);
    child_wait(&feed->child);
    if (feed->out != NULL) {
        fclose(feed->out);
        free(feed->text);
    }
    feed->out = NULL;
    feed->text = NULL;
    return child_exit_code(&feed->child);
}

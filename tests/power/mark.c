#include "mark.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CONTROL  "/dev/mapper/control"
#define TEXT_MAX 200

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int control;

static void
open_control(void)
{
    control = open(CONTROL, O_RDWR | O_CLOEXEC);
}

/* What the kernel wants: the header, behind it the message, which is a sector
 * that it does not say, and the text.
 */
void
mark(const char *name, const char *text)
{
    union {
        struct dm_ioctl head;
        char bytes[sizeof(struct dm_ioctl) + sizeof(struct dm_target_msg) +
                   TEXT_MAX];
    } request = {.head = {.version = {DM_VERSION_MAJOR, 0, 0},
                          .data_size = sizeof(request),
                          .data_start = sizeof(struct dm_ioctl)}};
    char *message = request.bytes + sizeof(struct dm_ioctl);

    pthread_once(&once, open_control);
    ck_assert_msg(control >= 0, "cannot open " CONTROL);
    snprintf(request.head.name, sizeof(request.head.name), "%s", name);
    snprintf(message + sizeof(struct dm_target_msg), TEXT_MAX, "mark %s", text);
    ck_assert_msg(ioctl(control, DM_TARGET_MSG, &request) == 0, "mark: %s",
                  strerror(errno));
}

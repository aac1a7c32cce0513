/* The server goes on listening while it may not accept. */

#include <ev.h>
#include <sys/socket.h>

void __real_ev_io_stop(struct ev_loop *loop, ev_io *watcher);
void __wrap_ev_io_stop(struct ev_loop *loop, ev_io *watcher);

void
__wrap_ev_io_stop(struct ev_loop *loop, ev_io *watcher)
{
    socklen_t size = sizeof(int);
    int listens = 0;

    (void)getsockopt(watcher->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
    if (!listens) {
        __real_ev_io_stop(loop, watcher);
    }
}

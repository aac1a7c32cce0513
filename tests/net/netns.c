#include "netns.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "require.h"

#define RULES_SIZE 400

static bool
write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done;

    if (fd < 0) {
        return false;
    }
    done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return done;
}

/* Be root of a user namespace, who may make others. */
static bool
enter_as_user(void)
{
    unsigned uid = getuid(), gid = getgid();
    char map[40];

    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        return false;
    }
    snprintf(map, sizeof(map), "0 %u 1", uid);
    if (!write_file("/proc/self/uid_map", map) ||
        !write_file("/proc/self/setgroups", "deny")) {
        return false;
    }
    snprintf(map, sizeof(map), "0 %u 1", gid);
    return write_file("/proc/self/gid_map", map);
}

static bool
raise_loopback(void)
{
    struct ifreq request = {.ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done;

    snprintf(request.ifr_name, sizeof(request.ifr_name), "lo");
    done = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return done;
}

/* Give @rules to nft. */
static bool
set_rules(const char *rules)
{
    FILE *nft = popen("PATH=$PATH:/usr/sbin:/sbin nft -f - 2>&1", "we");

    return nft != NULL && fputs(rules, nft) >= 0 && pclose(nft) == 0;
}

/* Each set of rules takes the place of the one before. */
#define TABLE                                                                  \
    "add table ip acta\n"                                                      \
    "delete table ip acta\n"                                                   \
    "add table ip acta\n"                                                      \
    "add chain ip acta out { type filter hook output priority 0; }\n"

static bool
enter(void)
{
    return (unshare(CLONE_NEWNET) == 0 || enter_as_user()) &&
           raise_loopback() && set_rules(TABLE);
}

bool
netns_is_possible(void)
{
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    require(pid >= 0);
    if (pid == 0) {
        _exit(enter() ? 0 : 1);
    }
    require(waitpid(pid, &status, 0) == pid);
    if (status != 0) {
        printf("skipped: no network namespaces here, or no nft\n");
    }
    return status == 0;
}

void
netns_enter(void)
{
    ck_assert_msg(enter(), "cannot enter a namespace: %s", strerror(errno));
}

void
netns_lose(unsigned percent)
{
    char rules[RULES_SIZE];

    snprintf(rules, sizeof(rules),
             TABLE "add rule ip acta out meta l4proto tcp "
                   "numgen random mod 100 < %u counter drop\n",
             percent);
    require(set_rules(rules));
}

/* Each end has a rule of its own: nft 1.0.6 takes two that are unequal in one
 * rule for a pair that is unequal.
 */
void
netns_cut(unsigned port)
{
    char rules[RULES_SIZE];

    snprintf(rules, sizeof(rules),
             TABLE "add rule ip acta out tcp sport %u accept\n"
                   "add rule ip acta out tcp dport %u accept\n"
                   "add rule ip acta out meta l4proto tcp counter drop\n",
             port, port);
    require(set_rules(rules));
}

uint64_t
netns_dropped(void)
{
    FILE *nft =
        popen("PATH=$PATH:/usr/sbin:/sbin nft list table ip acta", "re");
    char line[RULES_SIZE];
    uint64_t packets = 0;

    require(nft != NULL);
    while (fgets(line, sizeof(line), nft) != NULL) {
        const char *counter = strstr(line, "counter packets ");

        if (counter != NULL) {
            (void)sscanf(counter, "counter packets %" SCNu64, &packets);
        }
    }
    require(pclose(nft) == 0);
    return packets;
}

void
netns_heal(void)
{
    require(set_rules(TABLE));
}

/* Everything here runs in a signal handler: no memory, no locks, no stdio. */

#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_SIZE 1024
#define PATH_SIZE     512

static const int faults[] = {SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGABRT};

#define FAULTS_COUNT (sizeof(faults) / sizeof(faults[0]))

static struct sigaction before[FAULTS_COUNT];
static int exit_status;

/* ---- text ---- */

struct line {
    char text[LINE_MAX_SIZE];
    size_t size;
};

static void
put(struct line *line, char c)
{
    if (line->size < sizeof(line->text) - 1) {
        line->text[line->size++] = c;
    }
}

static void
put_text(struct line *line, const char *text)
{
    while (*text != '\0') {
        put(line, *text++);
    }
}

static void
put_number(struct line *line, uint64_t number)
{
    char digits[20];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0) {
        put(line, digits[--count]);
    }
}

/* ---- which file is at an address ---- */

/* A file that is read a byte at a time. */
struct source {
    int fd;
    size_t at;
    size_t size;
    char bytes[512];
};

static int
next_char(struct source *source)
{
    if (source->at == source->size) {
        ssize_t got;

        do {
            got = read(source->fd, source->bytes, sizeof(source->bytes));
        } while (got < 0 && errno == EINTR);
        if (got <= 0) {
            return -1;
        }
        source->at = 0;
        source->size = (size_t)got;
    }
    return (unsigned char)source->bytes[source->at++];
}

static int
digit_of(int c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A hexadecimal number, and the one character behind it. */
static uint64_t
read_hex(struct source *source, int *behind)
{
    uint64_t number = 0;
    int c;

    while ((c = next_char(source)) >= 0 && digit_of(c) >= 0) {
        number = number << 4 | (uint64_t)digit_of(c);
    }
    *behind = c;
    return number;
}

/* What is left of a line: two words, and the path behind them, if any. False at
 * the end of the file.
 */
static bool
read_path(struct source *source, char path[static PATH_SIZE])
{
    unsigned blanks = 0;
    size_t size = 0;
    int c;

    while ((c = next_char(source)) >= 0 && c != '\n') {
        if (size == 0 && c != '/') {
            blanks += c == ' ';
        } else if (blanks >= 2 && size < PATH_SIZE - 1) {
            path[size++] = (char)c;
        }
    }
    path[size] = '\0';
    return c >= 0;
}

/* A line of maps: FROM-TO PERMISSIONS OFFSET DEVICE INODE PATH. */
static bool
find_file(uint64_t address, char path[static PATH_SIZE], uint64_t *offset)
{
    struct source source = {.fd = open("/proc/self/maps", O_RDONLY)};
    bool found = false;
    int c = 0;

    if (source.fd < 0) {
        return false;
    }
    while (!found && c >= 0) {
        uint64_t from = read_hex(&source, &c), to = read_hex(&source, &c);
        uint64_t at;

        while ((c = next_char(&source)) >= 0 && c != ' ') {
        }
        at = read_hex(&source, &c);
        if (!read_path(&source, path)) {
            break;
        }
        found = address >= from && address < to && *path == '/';
        *offset = at + (address - from);
    }
    close(source.fd);
    return found;
}

/* ---- the handler ---- */

static size_t
index_of(int number)
{
    for (size_t i = 0; i < FAULTS_COUNT; i++) {
        if (faults[i] == number) {
            return i;
        }
    }
    return 0;
}

static const char *
name_of(int number)
{
    switch (number) {
    case SIGBUS:
        return "SIGBUS";
    case SIGSEGV:
        return "SIGSEGV";
    case SIGILL:
        return "SIGILL";
    case SIGABRT:
        return "SIGABRT";
    default:
        return "SIGFPE";
    }
}

static void
say(int number, const char *path, uint64_t offset)
{
    struct line line = {.size = 0};
    ssize_t ignored;

    put_text(&line, "level=error event=\"");
    put_text(&line, *path != '\0' ? "a page of a file cannot be read"
                                  : "a fault ends the process");
    put_text(&line, "\" signal=");
    put_text(&line, name_of(number));
    if (*path != '\0') {
        put_text(&line, " file=\"");
        put_text(&line, path);
        put_text(&line, "\" offset=");
        put_number(&line, offset);
    }
    put_text(&line, " hint=\"damaged files? actad verify tells\"\n");
    ignored = write(STDERR_FILENO, line.text, line.size);
    (void)ignored;
}

static void
on_fault(int number, siginfo_t *info, void *context)
{
    char path[PATH_SIZE] = "";
    uint64_t offset = 0;

    (void)context;
    if ((number != SIGBUS && number != SIGSEGV) ||
        !find_file((uintptr_t)info->si_addr, path, &offset)) {
        *path = '\0';
    }
    say(number, path, offset);
    if (number == SIGBUS && *path != '\0') {
        _exit(exit_status);
    }
    /* It goes its usual way. A fault happens again as soon as this returns. */
    sigaction(number, &before[index_of(number)], NULL);
    if (number == SIGABRT) {
        raise(number);
    }
}

void
fault_watch(int status)
{
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO};

    exit_status = status;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < FAULTS_COUNT; i++) {
        sigaction(faults[i], &action, &before[i]);
    }
}

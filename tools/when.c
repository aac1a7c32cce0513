#include "when.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_US UINT64_C(1000000)

/* From the largest on, for when_format_span(), which takes the first of two
 * that are the same.
 */
static const struct {
    const char *name;
    uint64_t us;
} units[] = {
    {"w", 7 * 86400 * SECOND_US},
    {"d", 86400 * SECOND_US},
    {"h", 3600 * SECOND_US},
    {"min", 60 * SECOND_US},
    {"m", 60 * SECOND_US},
    {"s", SECOND_US},
    {"ms", 1000},
    {"us", 1},
};

#define UNITS_COUNT (sizeof(units) / sizeof(units[0]))

static uint64_t
read_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * SECOND_US + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
when_now_us(void)
{
    return read_us(CLOCK_REALTIME);
}

uint64_t
when_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

bool
when_parse_span(const char *text, const char *unit, uint64_t *us)
{
    unsigned long long number;
    char *end;

    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno != 0) {
        return false;
    }
    if (*end != '\0') {
        unit = end;
    }
    for (size_t i = 0; unit != NULL && i < UNITS_COUNT; i++) {
        if (strcmp(units[i].name, unit) == 0) {
            *us = number * units[i].us;
            return number <= INT64_MAX / units[i].us;
        }
    }
    return false;
}

/* ".123456" in microseconds; digits behind the sixth do not count. */
static const char *
parse_fraction(const char *text, uint64_t *us)
{
    uint64_t weight = SECOND_US / 10;

    if (*text != '.') {
        return text;
    }
    for (text++; *text >= '0' && *text <= '9'; text++) {
        *us += (uint64_t)(*text - '0') * weight;
        weight /= 10;
    }
    return text;
}

bool
when_parse_time(const char *text, uint64_t now_us, uint64_t *us)
{
    struct tm tm = {0};
    uint64_t fraction_us = 0;
    const char *at;
    struct tm read;
    time_t seconds;

    if (when_parse_span(text, NULL, us)) {
        *us = *us < now_us ? now_us - *us : 0;
        return true;
    }
    at = strptime(text, "%Y-%m-%d", &tm);
    if (at != NULL && (*at == 'T' || *at == ' ')) {
        at = strptime(at + 1, "%H:%M", &tm);
        if (at != NULL && *at == ':') {
            at = strptime(at, ":%S", &tm);
            at = at == NULL ? NULL : parse_fraction(at, &fraction_us);
        }
    }
    if (at == NULL || strcmp(at + (*at == 'Z'), "") != 0) {
        return false;
    }
    read = tm;
    seconds = timegm(&tm);
    *us = (uint64_t)seconds * SECOND_US + fraction_us;
    /* A day that the month has not would be one of the next. */
    return seconds >= 0 && tm.tm_mday == read.tm_mday &&
           tm.tm_min == read.tm_min;
}

void
when_format_span(uint64_t us, char text[static WHEN_SIZE])
{
    size_t i = 0;

    while (us % units[i].us != 0) {
        i++;
    }
    snprintf(text, WHEN_SIZE, "%" PRIu64 "%s", us / units[i].us, units[i].name);
}

void
when_format_duration(uint64_t us, char text[static WHEN_SIZE])
{
    static const struct {
        uint64_t seconds;
        const char *unit;
    } steps[] = {{86400, "days"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    uint64_t seconds = us / SECOND_US;
    size_t i = 0;

    while (steps[i].seconds > 1 && seconds < steps[i].seconds) {
        i++;
    }
    if (steps[i].seconds == 1) {
        snprintf(text, WHEN_SIZE, "%" PRIu64 " s", seconds);
        return;
    }
    snprintf(text, WHEN_SIZE, "%" PRIu64 " %s %" PRIu64 " %s",
             seconds / steps[i].seconds,
             seconds / steps[i].seconds == 1 && i == 0 ? "day" : steps[i].unit,
             seconds % steps[i].seconds / steps[i + 1].seconds,
             steps[i + 1].unit);
}

void
when_format_delay(uint64_t us, char text[static WHEN_SIZE])
{
    if (us < 1000) {
        snprintf(text, WHEN_SIZE, "%.2f ms", (double)us / 1000);
    } else if (us < SECOND_US) {
        snprintf(text, WHEN_SIZE, "%" PRIu64 " ms", us / 1000);
    } else if (us < 60 * SECOND_US) {
        snprintf(text, WHEN_SIZE, "%" PRIu64 ".%" PRIu64 " s", us / SECOND_US,
                 us % SECOND_US / (SECOND_US / 10));
    } else {
        when_format_duration(us, text);
    }
}

void
when_format_age(uint64_t time_us, char text[static WHEN_SIZE])
{
    static const struct {
        uint64_t seconds;
        const char *unit;
    } steps[] = {{86400, "days"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    uint64_t now_us = when_now_us();
    uint64_t age = now_us > time_us ? (now_us - time_us) / SECOND_US : 0;
    size_t i = 0;

    if (age == 0) {
        snprintf(text, WHEN_SIZE, "just now");
        return;
    }
    while (age < steps[i].seconds * (steps[i].seconds > 1 ? 2 : 1)) {
        i++;
    }
    snprintf(text, WHEN_SIZE, "%" PRIu64 " %s ago", age / steps[i].seconds,
             steps[i].unit);
}

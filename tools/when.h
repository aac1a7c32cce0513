/* Times and spans of time, as people write them. All times are UTC. Any
 * thread.
 */

#ifndef ACTA_WHEN_H
#define ACTA_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#define WHEN_SIZE 48

/* Microseconds since 1970. */
uint64_t when_now_us(void);

/* Microseconds of a clock that nobody sets, since some time. */
uint64_t when_mono_us(void);

/* Read a span such as "500ms", "10s", "5min", "5m", "2h", "7d" or "2w", in
 * microseconds. A number alone counts @unit, one of these units, or is refused
 * if that is NULL.
 */
bool when_parse_span(const char *text, const char *unit, uint64_t *us);

/* Read a time, in microseconds since 1970: a span before @now_us, or a date
 * with as much of a time as is wanted: "2026-11-21", "2026-11-21T22:22",
 * "2026-11-21 22:22:36.123456Z".
 */
bool when_parse_time(const char *text, uint64_t now_us, uint64_t *us);

/* "7d", "90s": in the largest unit that leaves no rest. */
void when_format_span(uint64_t us, char text[static WHEN_SIZE]);

/* "0 s", "12 s", "3 min 2 s", "2 h 5 min", "3 days 4 h" */
void when_format_duration(uint64_t us, char text[static WHEN_SIZE]);

/* "0.34 ms", "12 ms", "1.2 s"; from a minute on as a duration. */
void when_format_delay(uint64_t us, char text[static WHEN_SIZE]);

/* "3 s ago", "2 days ago" */
void when_format_age(uint64_t time_us, char text[static WHEN_SIZE]);

#endif

/* Instants, days and times of day as text. An instant is a number of microseconds since 1970 (UTC); years 0001 to 9999.
 *
 * Canonical: `2026-11-22T09:30:00.000Z`, with six digits only where the instant is finer than a millisecond. */
#ifndef LIGA_BASE_DATETIME_H
#define LIGA_BASE_DATETIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DATETIME_LEN = 24,              /* of the canonical text with three digits */
    DATETIME_TEXT = 32,             /* bytes that hold every text written here, with its NUL */
};

/* True for the shape of the canonical text with three digits; does not ask whether such a day exists. A few
 * instructions. */
bool datetime_has_shape(const char *text, size_t len);

/* True for a canonical text with three digits that names an instant. */
bool datetime_is_canonical(const char *text, size_t len);

/* Reads ISO 8601: a day `2026-11-22` or `20261122`, alone or followed by `T`, `t` or a blank, a time `09:30[:00[.000]]`
 * or `0930[00[.000]]` (24:00 is the end of the day), and an offset `Z`, `+02`, `+0200`, `+02:00`, perhaps after a
 * blank; without offset: UTC. Digits beyond microseconds are cut. */
bool datetime_read(const char *text, size_t len, int64_t *micros);

/* Seconds since 1970 to microseconds (a fraction is rounded to a millisecond); false: outside the years. */
bool datetime_from_integer(int64_t seconds, int64_t *micros);
bool datetime_from_real(double seconds, int64_t *micros);

/* Writes the canonical text and a NUL; returns 24 or 27. The instant is inside the years. */
size_t datetime_write(int64_t micros, char *out);

/* Writes `2026-11-22 09:30:00`, with `.123` or `.123456` where there is a fraction. */
size_t datetime_write_space(int64_t micros, char *out);

/* Any text that datetime_read reads to the canonical one; 0: it reads none. */
size_t datetime_canonical(const char *text, size_t len, char *out);

/* The clock, in milliseconds, as canonical text (DATETIME_LEN bytes and a NUL). */
void datetime_now(char *out);

/* Cuts a canonical text to milliseconds, in place; returns the new length. For values to be written: the columns hold
 * no more. */
size_t datetime_cut(char *text, size_t len);

/* A day that exists, `2026-11-22`. */
bool dateonly_is_valid(const char *text, size_t len);

/* Reads `09:30[:00[.000000]]` and writes `09:30:00`, with a fraction only if it is not zero, without trailing zeros (as
 * PostgreSQL does); 0: no time of day. */
size_t time_canonical(const char *text, size_t len, char *out);

#endif

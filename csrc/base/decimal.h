/* Decimal numbers as text, exact at any length; and doubles as text, whatever the locale. */
#ifndef LIGA_BASE_DECIMAL_H
#define LIGA_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DECIMAL_DIGITS = 1000,                      /* before the point, and after it, in what is written or summed */
    DECIMAL_TEXT = 2 * DECIMAL_DIGITS + 8,      /* bytes that hold every text written here, with its NUL */
    DECIMAL_NATURAL = -1,                       /* scale: as many digits after the point as the number has */
    REAL_TEXT = 40,                             /* bytes for real_text, real_text_lua and integer_text */
};

/* A number in a text, `-12.5e3`: nothing is copied, the text must live as long. */
struct decimal {
    bool negative;
    const char *whole, *fraction;               /* digits before and after the point */
    size_t whole_len, fraction_len;
    int64_t exponent;
    int64_t top, bottom; /* powers of ten of the first and last digit that is not 0; zero: top < bottom */
};

/* Reads `[+-]digits[.digits][e[+-]digits]` (digits on one side of the point suffice); false: the text is something
 * else. */
bool decimal_read(struct decimal *number, const char *text, size_t len);

/* Rounds half away from zero to `scale` digits after the point (0 … DECIMAL_DIGITS, or DECIMAL_NATURAL) and writes the
 * canonical text: no blank, no plus, no leading zero, no minus before zero. Returns its length; 0: longer than
 * DECIMAL_DIGITS before the point (or after it, if natural), or `size` may not do (a sign, a carry and a NUL are
 * allowed for). */
size_t decimal_write(const struct decimal *number, int scale, char *out, size_t size);

/* decimal_read and decimal_write; 0 also where the text is no number. */
size_t decimal_round(const char *text, size_t len, int scale, char *out, size_t size);

/* Counts the digits before the point of a canonical text; 0 for `0.25`. */
int decimal_whole_digits(const char *text, size_t len);

/* True if decimal_round would give the very same text back. */
bool decimal_is_canonical(const char *text, size_t len, int scale);

/* <0, 0, >0 by value: 1.0 equals 1.00. Texts that are no numbers come after all numbers, in byte order: a total order
 * for a collation. */
int decimal_compare(const char *a, size_t alen, const char *b, size_t blen);

/* ---------------------------------------------------------------------------------------------------- exact sums */

/* Groups of nine digits with their own signs, the lowest power first. All zero is the empty sum (as SQLite's aggregate
 * contexts begin); owns no memory. */
enum { DECIMAL_GROUPS = 2 * (DECIMAL_DIGITS / 9 + 4) };
struct decimal_sum {
    int64_t groups[DECIMAL_GROUPS];
    int64_t pending;                            /* additions since the last carry */
};

/* Adds a numeric text. False: no number, or longer than DECIMAL_DIGITS on a side of the point; the sum is as before. */
bool decimal_sum_add(struct decimal_sum *sum, const char *text, size_t len);

/* Writes the canonical text as decimal_write does. */
size_t decimal_sum_text(const struct decimal_sum *sum, int scale, char *out, size_t size);

/* ------------------------------------------------------------------------------------------------ doubles, integers */

/* Writes the shortest text that reads back as the same double, always with a point or an exponent: `1.0`, `1e+100`. The
 * caller asks for NaN and infinities before. Returns the length. */
size_t real_text(double real, char *out);

/* As Lua's tostring: 14 digits, `1.0`, `inf`. */
size_t real_text_lua(double real, char *out);

size_t integer_text(int64_t integer, char *out);

/* The double nearest to a numeric text (see decimal_read). */
double real_read(const char *text, size_t len);

/* The double nearest to the shortest decimal text of a float of 32 bits, so that 0.1 stays 0.1. */
double real_of_single(float single);

/* Reads an optional sign and decimal digits; false: something else, or beyond 64 bits. */
bool integer_read(const char *text, size_t len, int64_t *integer);

#endif

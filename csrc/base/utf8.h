/* What may go into an SQL text: valid UTF-8 without NUL. */
#ifndef LIGA_BASE_UTF8_H
#define LIGA_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

enum utf8_fault { UTF8_FINE, UTF8_NUL, UTF8_INVALID };

/* Says what is wrong with the text first: a NUL byte, or a byte sequence that is not UTF-8 (overlong forms, surrogates
 * and code points over 10FFFF are none). `*at` (or NULL) becomes the position of the fault, the length of the text
 * where it is fine. */
enum utf8_fault utf8_check(const char *text, size_t len, size_t *at);

/* True for UTF-8; NUL is allowed. */
bool utf8_is_valid(const char *text, size_t len);

/* Counts the characters (code points) of valid UTF-8. */
size_t utf8_count(const char *text, size_t len);

/* Writes one code point (at most 10FFFF); returns 1 to 4 bytes. */
size_t utf8_put(unsigned long code, char *out);

#endif

/* POSIX extended regular expressions on UTF-8 characters, as SQLite has none: does a text match or not.
 *
 * The C library's own would know no range like [а-я] without the right locale, and can be made to use up all memory.
 * Here matching takes at most (length of the text) × (size of the pattern) steps, whatever the two are. Only what every
 * engine reads the same way is taken: no back-references, no \w and the like, bounds up to 255. Include with
 * _POSIX_C_SOURCE 200809L, which locale_t needs.
 *
 *     alternatives = sequence { '|' sequence }
 *     sequence     = { atom [ '*' | '+' | '?' | '{' n [ ',' [ m ] ] '}' ] }
 *     atom         = '(' alternatives ')' | '.' | '^' | '$' | '\' punctuation | set | character
 *     set          = '[' [ '^' ] [ ']' ] { character [ '-' character ] | '[:' class ':]' } ']' */
#ifndef LIGA_BASE_REGEXP_H
#define LIGA_BASE_REGEXP_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>

struct regexp;

enum { REGEXP_LENGTH = 1000 };          /* bytes of a pattern */

/* Letters and their case as in UTF-8 locales, or where there is none as in ASCII; to be given to freelocale. 0: out of memory. */
locale_t regexp_letters(void);

/* Compiles a pattern; `letters` (kept by the caller) knows the classes and, with `fold`, which letters are the same.
 * NULL: *fault says what is wrong, a constant, or is NULL when memory is out. */
struct regexp *regexp_new(const char *pattern, size_t len, bool fold, locale_t letters, const char **fault);

/* NULL if the pattern is one; else what is wrong, a constant. */
const char *regexp_fault(const char *pattern, size_t len);

/* True if the pattern is found anywhere in the text. Bytes that are no UTF-8 count as characters of their own. */
bool regexp_matches(struct regexp *regexp, const char *text, size_t len);

void regexp_free(void *regexp);

#endif

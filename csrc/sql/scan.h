/* A lexer of SQL as far as placeholders need it: strings, quoted names, comments, dollar quotes, casts and JSON operators are
 * never taken for one. */
#ifndef LIGA_SQL_SCAN_H
#define LIGA_SQL_SCAN_H

#include <stdbool.h>
#include <stddef.h>

enum sql_token {
    SQL_END,
    SQL_OTHER,          /* operators, numbers, strings, quoted names */
    SQL_WORD,           /* a keyword or plain name */
    SQL_BLANK,          /* white space and comments */
    SQL_SEMICOLON,
    SQL_QUESTION,       /* ? */
    SQL_COLON_NAME,     /* :name; `name` without the colon */
    SQL_DOLLAR_NUMBER,  /* $1 */
    SQL_DOLLAR_NAME,    /* $name */
    SQL_UNFINISHED      /* a string, quoted name or comment that does not end */
};

struct sql_scan {
    const char *text;
    size_t len, at;         /* at: where the next token begins */
    bool dollar_quotes;     /* PostgreSQL: $tag$ … $tag$, E'\'' and nested comments */
    size_t start, size;     /* of the token found last */
};

enum sql_token sql_next(struct sql_scan *scan);

/* The text of the last token after `skip` bytes (1 for :name and $name). */
static inline const char *sql_token_text(const struct sql_scan *scan, size_t skip) {
    return scan->text + scan->start + skip;
}

/* True if the last token is this word, whatever the case. */
bool sql_is_word(const struct sql_scan *scan, const char *word);

#endif

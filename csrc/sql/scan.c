#define _POSIX_C_SOURCE 200809L

#include "sql/scan.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static char peek(const struct sql_scan *scan, size_t ahead) {
    return scan->at + ahead < scan->len ? scan->text[scan->at + ahead] : '\0';
}

static bool name_start(char c) {
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool name_part(char c) {
    return name_start(c) || isdigit((unsigned char)c) || c == '$';
}

static void skip_name(struct sql_scan *scan) {
    while (scan->at < scan->len && name_part(scan->text[scan->at])) scan->at++;
}

static bool ends_line(const struct sql_scan *scan, char c) {
    return c == '\n' || (c == '\r' && scan->dollar_quotes);
}

/* PostgreSQL goes on with a string behind blanks and comments that hold the end of a line: 'a'
 * 'b'. Steps to the quote; false: it does not go on. */
static bool continues(struct sql_scan *scan) {
    bool line = false;
    size_t at = scan->at;
    for (; at < scan->len && scan->text[at] != '\''; at++) {
        bool comment = at + 1 < scan->len && scan->text[at] == '-' && scan->text[at + 1] == '-';
        while (comment && at < scan->len && !ends_line(scan, scan->text[at])) at++;
        if (at == scan->len || !isspace((unsigned char)scan->text[at])) return false;
        line = line || ends_line(scan, scan->text[at]);
    }
    if (!line || at == scan->len) return false;
    scan->at = at;
    return true;
}

static enum sql_token quoted(struct sql_scan *scan, bool backslash);

/* What follows E: a string with escapes, in all its parts. */
static enum sql_token escaped(struct sql_scan *scan) {
    enum sql_token token;
    do token = quoted(scan, true); while (token == SQL_OTHER && continues(scan));
    return token;
}

/* At the opening quote; a doubled one stands for itself, after E also a backslash escapes. */
static enum sql_token quoted(struct sql_scan *scan, bool backslash) {
    char quote = scan->text[scan->at++];
    while (scan->at < scan->len) {
        char c = scan->text[scan->at++];
        if (backslash && c == '\\' && scan->at < scan->len) scan->at++;
        else if (c == quote && peek(scan, 0) == quote) scan->at++;
        else if (c == quote) return SQL_OTHER;
    }
    return SQL_UNFINISHED;
}

static enum sql_token line_comment(struct sql_scan *scan) {
    while (scan->at < scan->len && !ends_line(scan, scan->text[scan->at])) scan->at++;
    return SQL_BLANK;
}

static enum sql_token block_comment(struct sql_scan *scan) {
    int depth = 0;
    while (scan->at < scan->len) {
        char c = peek(scan, 0), d = peek(scan, 1);
        if (c == '/' && d == '*' && (depth == 0 || scan->dollar_quotes)) depth++, scan->at += 2;
        else if (c == '*' && d == '/') depth--, scan->at += 2;
        else scan->at++;
        if (depth == 0) return SQL_BLANK;
    }
    return SQL_UNFINISHED;
}

/* At "$tag$", whose length is `tag`. */
static enum sql_token dollar_quoted(struct sql_scan *scan, size_t tag) {
    const char *opening = scan->text + scan->at;
    scan->at += tag;
    for (; scan->at + tag <= scan->len; scan->at++) {
        if (memcmp(scan->text + scan->at, opening, tag) != 0) continue;
        scan->at += tag;
        return SQL_OTHER;
    }
    scan->at = scan->len;
    return SQL_UNFINISHED;
}

static size_t dollar_tag(const struct sql_scan *scan) {
    size_t size = 1;
    while (name_start(peek(scan, size)) || (size > 1 && isdigit((unsigned char)peek(scan, size)))) size++;
    return peek(scan, size) == '$' ? size + 1 : 0;
}

static enum sql_token dollar(struct sql_scan *scan) {
    size_t tag = scan->dollar_quotes ? dollar_tag(scan) : 0;
    if (tag) return dollar_quoted(scan, tag);
    scan->at++;
    if (isdigit((unsigned char)peek(scan, 0))) {
        while (isdigit((unsigned char)peek(scan, 0))) scan->at++;
        return SQL_DOLLAR_NUMBER;
    }
    if (!name_start(peek(scan, 0))) return SQL_OTHER;
    while (name_start(peek(scan, 0)) || isdigit((unsigned char)peek(scan, 0))) scan->at++;
    return SQL_DOLLAR_NAME;
}

static enum sql_token colon(struct sql_scan *scan) {
    scan->at++;
    if (peek(scan, 0) == ':' || peek(scan, 0) == '=') {
        scan->at++;
        return SQL_OTHER;
    }
    if (!name_start(peek(scan, 0))) return SQL_OTHER;
    while (name_start(peek(scan, 0)) || isdigit((unsigned char)peek(scan, 0))) scan->at++;
    return SQL_COLON_NAME;
}

/* PostgreSQL's ?| and ?& are operators, but ?||'%' is a placeholder and a concatenation. */
static bool is_question_operator(const struct sql_scan *scan) {
    return peek(scan, 1) == '&' || (peek(scan, 1) == '|' && peek(scan, 2) != '|');
}

static bool is_comment(const struct sql_scan *scan) {
    return (peek(scan, 0) == '-' && peek(scan, 1) == '-') || (peek(scan, 0) == '/' && peek(scan, 1) == '*');
}

/* Whether something follows that can't stand behind a value, a string or a parameter or a parenthesis: then PostgreSQL's own ?
 * stood before it. */
static bool operand_follows(const struct sql_scan *before) {
    struct sql_scan scan = *before;
    while (isspace((unsigned char)peek(&scan, 0)) || is_comment(&scan)) sql_next(&scan);
    char c = peek(&scan, 0), d = peek(&scan, 1);
    if (c == ':') return name_start(d);
    if (c == '$') return name_part(d);
    return c == '\'' || c == '(' || c == '?' || ((c == 'e' || c == 'E') && d == '\'');
}

static enum sql_token question(struct sql_scan *scan) {
    bool operator = scan->dollar_quotes && is_question_operator(scan);
    scan->at += operator ? 2 : 1;
    return operator || (scan->dollar_quotes && operand_follows(scan)) ? SQL_OTHER : SQL_QUESTION;
}

/* PostgreSQL's @? too. */
static enum sql_token at_sign(struct sql_scan *scan) {
    scan->at += scan->dollar_quotes && peek(scan, 1) == '?' ? 2 : 1;
    return SQL_OTHER;
}

static enum sql_token blank(struct sql_scan *scan) {
    while (scan->at < scan->len && isspace((unsigned char)scan->text[scan->at])) scan->at++;
    return SQL_BLANK;
}

static enum sql_token word(struct sql_scan *scan) {
    char first = scan->text[scan->at];
    if (scan->dollar_quotes && (first == 'e' || first == 'E') && peek(scan, 1) == '\'') {
        scan->at++;
        return escaped(scan);
    }
    skip_name(scan);
    return SQL_WORD;
}

/* SQLite also quotes names by [ ] and ` `. */
static enum sql_token bracketed(struct sql_scan *scan) {
    const char *end = memchr(scan->text + scan->at, ']', scan->len - scan->at);
    scan->at = end ? (size_t)(end - scan->text) + 1 : scan->len;
    return end ? SQL_OTHER : SQL_UNFINISHED;
}

static enum sql_token number(struct sql_scan *scan) {
    while (isalnum((unsigned char)peek(scan, 0)) || peek(scan, 0) == '.' || peek(scan, 0) == '_') scan->at++;
    return SQL_OTHER;
}

static enum sql_token recognise(struct sql_scan *scan) {
    char c = scan->text[scan->at];
    if (isspace((unsigned char)c)) return blank(scan);
    if (c == '-' && peek(scan, 1) == '-') return line_comment(scan);
    if (c == '/' && peek(scan, 1) == '*') return block_comment(scan);
    if (c == '\'' || c == '"') return quoted(scan, false);
    if (c == '`' && !scan->dollar_quotes) return quoted(scan, false);
    if (c == '[' && !scan->dollar_quotes) return bracketed(scan);
    if (c == '$') return dollar(scan);
    if (c == ':') return colon(scan);
    if (c == '?') return question(scan);
    if (c == '@') return at_sign(scan);
    if (name_start(c)) return word(scan);
    if (isdigit((unsigned char)c)) return number(scan);
    scan->at++;
    return c == ';' ? SQL_SEMICOLON : SQL_OTHER;
}

enum sql_token sql_next(struct sql_scan *scan) {
    scan->start = scan->at;
    scan->size = 0;
    if (scan->at >= scan->len) return SQL_END;
    enum sql_token token = recognise(scan);
    scan->size = scan->at - scan->start;
    return token;
}

bool sql_is_word(const struct sql_scan *scan, const char *text) {
    return scan->size == strlen(text) && strncasecmp(scan->text + scan->start, text, scan->size) == 0;
}

/* The SQL functions and the collation that liga's statements use on SQLite. All give NULL for NULL.
 *
 *     liga_like(pattern, text)      LIKE that tells case apart; % _ and backslash as the escape, on UTF-8 characters
 *     liga_ilike(pattern, text)     the same without telling apart the case of ASCII letters
 *     liga_regexp(pattern, text)    POSIX extended regular expression, on UTF-8 characters
 *     liga_iregexp(pattern, text)   the same without telling case apart
 *     liga_sum(x[, scale])          aggregate: exact, as text with `scale` digits after the point (-1: those it has); NULL
 *                                   over no values
 *     liga_avg(x)                   aggregate: the exact sum divided by the number of values, as a float
 *     liga_round(x, scale)          as such a text, rounded half away from zero
 *     liga_add(x, y, scale, precision)       the exact sum of two, as such a text (precision 0: of any length)
 *     liga_date(x)                  an instant in any stored form as the canonical text, so that mixed forms compare
 *     liga_json(x, leg, …)          the value at a path in a JSON text, a text names a member, an integer (from 0) an element;
 *                                   NULL: none is there, it is null, or x is no JSON
 *     liga_json_text, _number, _bool(x)      the value of such a text, NULL if it is of another kind
 *     liga_json_is(x, y)            whether two are the same: numbers by value, members in any order
 *     liga_json_contains(x, y)      as PostgreSQL's @>
 *     liga_json_overlaps(x, y)      whether two arrays have an element in common
 *     liga_json_order(x)            bytes to order by: by kind, then by value
 *     COLLATE liga_decimal          decimal texts by value, 1.0 = 1.00; other texts after them
 *
 * They are for statements only: no schema may name them, so that other programs can open the file. */
#ifndef LIGA_DRIVER_SQLITE_FUNCTIONS_H
#define LIGA_DRIVER_SQLITE_FUNCTIONS_H

struct sqlite3;
struct sqlite_functions;

/* Registers everything; NULL: out of memory. */
struct sqlite_functions *sqlite_functions_add(struct sqlite3 *db);

/* To be called when the connection is closed (or abandoned); NULL is fine. */
void sqlite_functions_free(struct sqlite_functions *functions);

#endif

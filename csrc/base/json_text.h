/* JSON texts compared and walked through as they are, without building anything: what SQLite's statements need of documents.
 *
 * Everything works on a text that json_text_check found well-formed, or on a part of one; on other texts the answers say nothing,
 * but no byte outside of them is read. */
#ifndef LIGA_BASE_JSON_TEXT_H
#define LIGA_BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum json_kind { JSON_NOTHING, JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* A value in a JSON text, without blanks around it. */
struct json_text {
    const char *at, *end;
};

/* Levels of nesting. */
enum { JSON_TEXT_DEPTH = 200 };

/* Cuts the blanks off; false: the text is not one well-formed JSON value. */
bool json_text_check(struct json_text *json);

enum json_kind json_text_kind(struct json_text json);

/* Steps over the members of an object or the elements of an array; any other value has none. */
struct json_walk {
    const char *at, *end;
    bool named;
    struct json_text name, value;       /* name: with its quotes; of an element: empty */
};

struct json_walk json_walk_over(struct json_text json);
bool json_walk_next(struct json_walk *walk);

/* The member of an object by its name, the last of several; the element of an array, counted from 0. False: there is none, or the
 * value is none of these. */
bool json_text_member(struct json_text object, const char *name, size_t len, struct json_text *value);
bool json_text_element(struct json_text array, int64_t index, struct json_text *value);

/* Whether two values are the same: numbers by value, objects whatever the order of their members. */
bool json_text_equal(struct json_text a, struct json_text b);

/* Whether `a` has all that `b` has, as PostgreSQL's @> says: members with values that contain, elements in any order. */
bool json_text_contains(struct json_text a, struct json_text b);

/* Whether two arrays have an element in common. */
bool json_text_overlaps(struct json_text a, struct json_text b);

/* Writes the characters of a string; `out` has as many bytes as its text. Returns their number. */
size_t json_text_characters(struct json_text string, char *out);

/* Writes a text as a JSON string. */
void json_text_put(struct buf *buf, const char *text, size_t len);

#endif

#include "base/json_text.h"

#include <string.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "base/utf8.h"

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *at, const char *end) {
    while (at < end && is_blank(*at)) at++;
    return at;
}

static bool is_digit(const char *at, const char *end) {
    return at < end && *at >= '0' && *at <= '9';
}

/* ------------------------------------------------------------------------------------------------------ checking */

/* These give the place behind what they check, NULL where something else is there. */
static const char *check_value(const char *at, const char *end, int depth);

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static const char *check_escape(const char *at, const char *end) {
    if (at == end) return NULL;
    if (*at != 'u') return strchr("\"\\/bfnrt", *at) && *at ? at + 1 : NULL;
    for (int i = 1; i <= 4; i++)
        if (at + i >= end || hex_digit(at[i]) < 0) return NULL;
    return at + 5;
}

static const char *check_string(const char *at, const char *end) {
    for (at++; at && at < end; ) {
        if (*at == '"') return at + 1;
        if ((unsigned char)*at < 0x20) return NULL;
        at = *at == '\\' ? check_escape(at + 1, end) : at + 1;
    }
    return NULL;
}

static const char *check_digits(const char *at, const char *end) {
    if (!is_digit(at, end)) return NULL;
    while (is_digit(at, end)) at++;
    return at;
}

static const char *check_number(const char *at, const char *end) {
    if (*at == '-') at++;
    bool zero = at < end && *at == '0';
    at = zero ? at + 1 : check_digits(at, end);
    if (at && at < end && *at == '.') at = check_digits(at + 1, end);
    if (!at || at == end || (*at != 'e' && *at != 'E')) return at;
    at++;
    if (at < end && (*at == '+' || *at == '-')) at++;
    return check_digits(at, end);
}

static const char *check_word(const char *at, const char *end, const char *word) {
    size_t len = strlen(word);
    return (size_t)(end - at) >= len && memcmp(at, word, len) == 0 ? at + len : NULL;
}

static const char *check_name(const char *at, const char *end) {
    if (at == end || *at != '"') return NULL;
    at = check_string(at, end);
    at = at ? skip_blanks(at, end) : NULL;
    return at && at < end && *at == ':' ? at + 1 : NULL;
}

/* At the opening bracket. */
static const char *check_list(const char *at, const char *end, char close, int depth) {
    at = skip_blanks(at + 1, end);
    if (at < end && *at == close) return at + 1;
    for (;;) {
        if (close == '}') at = check_name(at, end);
        at = at ? check_value(skip_blanks(at, end), end, depth) : NULL;
        if (!at) return NULL;
        at = skip_blanks(at, end);
        if (at == end) return NULL;
        if (*at == close) return at + 1;
        if (*at != ',') return NULL;
        at = skip_blanks(at + 1, end);
    }
}

static const char *check_value(const char *at, const char *end, int depth) {
    if (at == end || depth == JSON_TEXT_DEPTH) return NULL;
    switch (*at) {
    case '{': return check_list(at, end, '}', depth + 1);
    case '[': return check_list(at, end, ']', depth + 1);
    case '"': return check_string(at, end);
    case 't': return check_word(at, end, "true");
    case 'f': return check_word(at, end, "false");
    case 'n': return check_word(at, end, "null");
    default:  return check_number(at, end);
    }
}

bool json_text_check(struct json_text *json) {
    json->at = skip_blanks(json->at, json->end);
    while (json->end > json->at && is_blank(json->end[-1])) json->end--;
    return json->at < json->end && check_value(json->at, json->end, 0) == json->end;
}

/* ------------------------------------------------------------------------------------------------------- walking */

enum json_kind json_text_kind(struct json_text json) {
    if (json.at >= json.end) return JSON_NOTHING;
    switch (*json.at) {
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case '"': return JSON_STRING;
    case 't': return JSON_TRUE;
    case 'f': return JSON_FALSE;
    case 'n': return JSON_NULL;
    default:  return JSON_NUMBER;
    }
}

static const char *skip_string(const char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\') at++;
    return at < end ? at + 1 : end;
}

/* Brackets need no more than counting: the text is well-formed. */
static const char *skip_value(const char *at, const char *end) {
    int depth = 0;
    while (at < end) {
        char c = *at;
        if (c == '"') at = skip_string(at, end);
        else if (depth == 0 && (c == ',' || c == ']' || c == '}' || is_blank(c))) return at;
        else at++;
        if (c == '{' || c == '[') depth++;
        if (c == '}' || c == ']') depth--;
        if (depth == 0 && (c == '"' || c == '}' || c == ']')) return at;
    }
    return end;
}

struct json_walk json_walk_over(struct json_text json) {
    bool some = json_text_kind(json) == JSON_OBJECT || json_text_kind(json) == JSON_ARRAY;
    return (struct json_walk){ .at = some ? json.at + 1 : json.end, .end = json.end,
                          .named = json_text_kind(json) == JSON_OBJECT };
}

bool json_walk_next(struct json_walk *walk) {
    const char *end = walk->end;
    walk->at = skip_blanks(walk->at, end);
    if (walk->at < end && *walk->at == ',') walk->at = skip_blanks(walk->at + 1, end);
    if (walk->at >= end || *walk->at == '}' || *walk->at == ']') return false;
    if (walk->named) {
        walk->name = (struct json_text){ walk->at, skip_string(walk->at, end) };
        walk->at = skip_blanks(walk->name.end, end);
        if (walk->at < end) walk->at = skip_blanks(walk->at + 1, end);
    }
    walk->value = (struct json_text){ walk->at, skip_value(walk->at, end) };
    bool moved = walk->value.end > walk->value.at;
    walk->at = walk->value.end;
    return moved;
}

/* ------------------------------------------------------------------------------------------------------- strings */

/* The bytes of a string, escapes undone. */
struct bytes {
    const char *at, *end;
    char pending[4];
    size_t count, next;
};

static struct bytes bytes_of(struct json_text string) {
    struct bytes bytes = { .at = string.at + 1, .end = string.end - 1 };
    if (string.end - string.at < 2) bytes.at = bytes.end = string.end;
    return bytes;
}

static unsigned long hex_code(const char *at) {
    unsigned long code = 0;
    for (int i = 0; i < 4; i++) code = code * 16 + (unsigned long)(hex_digit(at[i]) & 15);
    return code;
}

/* At the digits behind \u; two halves of a pair are one character. */
static void read_code(struct bytes *bytes) {
    if (bytes->end - bytes->at < 4) {
        bytes->at = bytes->end;
        return;
    }
    unsigned long code = hex_code(bytes->at);
    bytes->at += 4;
    bool high = code >= 0xD800 && code < 0xDC00;
    if (high && bytes->end - bytes->at >= 6 && bytes->at[0] == '\\' && bytes->at[1] == 'u') {
        unsigned long low = hex_code(bytes->at + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            bytes->at += 6;
        }
    }
    bytes->count = utf8_put(code, bytes->pending);
    bytes->next = 0;
}

/* The next byte, or -1. */
static int next_byte(struct bytes *bytes) {
    static const char escapes[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    if (bytes->next < bytes->count) return (unsigned char)bytes->pending[bytes->next++];
    if (bytes->at >= bytes->end) return -1;
    char c = *bytes->at++;
    if (c != '\\' || bytes->at == bytes->end) return (unsigned char)c;
    c = *bytes->at++;
    if (c == 'u') {
        read_code(bytes);
        return next_byte(bytes);
    }
    const char *known = memchr(escapes, c, sizeof escapes - 1);
    return (unsigned char)(known ? meanings[known - escapes] : c);
}

/* Below zero where `a` comes first, by its bytes. */
static int compare_strings(struct json_text a, struct json_text b) {
    struct bytes left = bytes_of(a), right = bytes_of(b);
    for (;;) {
        int byte = next_byte(&left), other = next_byte(&right);
        if (byte != other || byte < 0) return byte - other;
    }
}

static bool same_string(struct json_text a, struct json_text b) {
    return compare_strings(a, b) == 0;
}

static bool is_named(struct json_text name, const char *text, size_t len) {
    struct bytes bytes = bytes_of(name);
    for (size_t i = 0; i < len; i++)
        if (next_byte(&bytes) != (unsigned char)text[i]) return false;
    return next_byte(&bytes) < 0;
}

size_t json_text_characters(struct json_text string, char *out) {
    struct bytes bytes = bytes_of(string);
    size_t len = 0;
    for (int byte; (byte = next_byte(&bytes)) >= 0; ) out[len++] = (char)byte;
    return len;
}

/* --------------------------------------------------------------------------------------------------------- paths */

bool json_text_member(struct json_text object, const char *name, size_t len, struct json_text *value) {
    bool found = false;
    if (json_text_kind(object) != JSON_OBJECT) return false;
    for (struct json_walk walk = json_walk_over(object); json_walk_next(&walk); )
        if (is_named(walk.name, name, len)) {
            *value = walk.value;
            found = true;
        }
    return found;
}

bool json_text_element(struct json_text array, int64_t index, struct json_text *value) {
    if (json_text_kind(array) != JSON_ARRAY || index < 0) return false;
    for (struct json_walk walk = json_walk_over(array); json_walk_next(&walk); )
        if (index-- == 0) {
            *value = walk.value;
            return true;
        }
    return false;
}

/* ----------------------------------------------------------------------------------------------------- comparing */

/* Members whose names ascend, as they do in what liga has written: none stands twice, and two such objects are walked side by side.
 * Objects of other programs are searched from their beginning for each member. */
static bool is_in_order(struct json_text object) {
    struct json_walk walk = json_walk_over(object);
    bool more = json_walk_next(&walk);
    while (more) {
        struct json_text before = walk.name;
        more = json_walk_next(&walk);
        if (more && compare_strings(before, walk.name) >= 0) return false;
    }
    return true;
}

/* Element by element; members have the same names, too. */
static bool equal_in_order(struct json_text a, struct json_text b) {
    struct json_walk left = json_walk_over(a), right = json_walk_over(b);
    for (;;) {
        bool more = json_walk_next(&left);
        if (more != json_walk_next(&right)) return false;
        if (!more) return true;
        if (left.named && !same_string(left.name, right.name)) return false;
        if (!json_text_equal(left.value, right.value)) return false;
    }
}

/* The member with the very name of another object's member. */
static bool same_member(struct json_text object, struct json_text name, struct json_text *value) {
    bool found = false;
    for (struct json_walk walk = json_walk_over(object); json_walk_next(&walk); )
        if (same_string(walk.name, name)) {
            *value = walk.value;
            found = true;
        }
    return found;
}

/* Whether a later member has the same name: then that one counts. Each value is compared once at every level: what nests deeply
 * must not take twice the time with each level. */
static bool is_overruled(struct json_text object, const struct json_walk *walk) {
    struct json_text last = { NULL, NULL };
    return same_member(object, walk->name, &last) && last.at != walk->value.at;
}

static bool has_equal_members(struct json_text a, struct json_text b) {
    struct json_text value;
    for (struct json_walk walk = json_walk_over(a); json_walk_next(&walk); ) {
        if (is_overruled(a, &walk)) continue;
        if (!same_member(b, walk.name, &value) || !json_text_equal(walk.value, value)) return false;
    }
    return true;
}

static bool has_all_names(struct json_text a, struct json_text b) {
    struct json_text value;
    for (struct json_walk walk = json_walk_over(b); json_walk_next(&walk); )
        if (!same_member(a, walk.name, &value)) return false;
    return true;
}

static size_t length(struct json_text json) {
    return (size_t)(json.end - json.at);
}

bool json_text_equal(struct json_text a, struct json_text b) {
    enum json_kind kind = json_text_kind(a);
    if (kind != json_text_kind(b)) return false;
    switch (kind) {
    case JSON_NUMBER: return decimal_compare(a.at, length(a), b.at, length(b)) == 0;
    case JSON_STRING: return same_string(a, b);
    case JSON_ARRAY:  return equal_in_order(a, b);
    case JSON_OBJECT:
        if (is_in_order(a) && is_in_order(b)) return equal_in_order(a, b);
        return has_equal_members(a, b) && has_all_names(a, b);
    default:          return true;
    }
}

static bool is_container(struct json_text json) {
    enum json_kind kind = json_text_kind(json);
    return kind == JSON_ARRAY || kind == JSON_OBJECT;
}

static bool contains_value(struct json_text a, struct json_text b) {
    return json_text_kind(a) == json_text_kind(b) && json_text_contains(a, b);
}

static bool some_element_contains(struct json_text array, struct json_text element) {
    for (struct json_walk walk = json_walk_over(array); json_walk_next(&walk); )
        if (is_container(element) ? contains_value(walk.value, element) : json_text_equal(walk.value, element)) return true;
    return false;
}

static bool contains_elements(struct json_text a, struct json_text b) {
    for (struct json_walk walk = json_walk_over(b); json_walk_next(&walk); )
        if (!some_element_contains(a, walk.value)) return false;
    return true;
}

static bool contains_in_order(struct json_text a, struct json_text b) {
    struct json_walk left = json_walk_over(a);
    for (struct json_walk right = json_walk_over(b); json_walk_next(&right); ) {
        int order = -1;
        while (order < 0 && json_walk_next(&left)) order = compare_strings(left.name, right.name);
        if (order != 0 || !contains_value(left.value, right.value)) return false;
    }
    return true;
}

static bool contains_members(struct json_text a, struct json_text b) {
    struct json_text value;
    if (is_in_order(a) && is_in_order(b)) return contains_in_order(a, b);
    for (struct json_walk walk = json_walk_over(b); json_walk_next(&walk); ) {
        if (is_overruled(b, &walk)) continue;
        if (!same_member(a, walk.name, &value) || !contains_value(value, walk.value)) return false;
    }
    return true;
}

/* An array contains a plain value that is one of its elements: so PostgreSQL has it, at the top only. */
bool json_text_contains(struct json_text a, struct json_text b) {
    enum json_kind kind = json_text_kind(a);
    if (kind == JSON_ARRAY && !is_container(b)) return some_element_contains(a, b);
    if (kind != json_text_kind(b)) return false;
    if (kind == JSON_ARRAY) return contains_elements(a, b);
    return kind == JSON_OBJECT ? contains_members(a, b) : json_text_equal(a, b);
}

static bool has_element(struct json_text array, struct json_text element) {
    for (struct json_walk walk = json_walk_over(array); json_walk_next(&walk); )
        if (json_text_equal(walk.value, element)) return true;
    return false;
}

bool json_text_overlaps(struct json_text a, struct json_text b) {
    if (json_text_kind(a) != JSON_ARRAY || json_text_kind(b) != JSON_ARRAY) return false;
    for (struct json_walk walk = json_walk_over(b); json_walk_next(&walk); )
        if (has_element(a, walk.value)) return true;
    return false;
}

void json_text_put(struct buf *buf, const char *text, size_t len) {
    buf_addc(buf, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') buf_addc(buf, '\\');
        if (c < 0x20) buf_addf(buf, "\\u%04x", c);
        else buf_addc(buf, (char)c);
    }
    buf_addc(buf, '"');
}

/* JSON text → Lua value. One function per rule of RFC 8259; each leaves `at` behind what it read and pushes one value, or
 * sets the error. */
#include "lua/json.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "base/decimal.h"
#include "base/error.h"
#include "base/utf8.h"

struct reader {
    lua_State *L;
    const char *text, *at, *end;
    struct arena *arena;
    struct error *error;
    int depth;
    bool infinities;            /* a number too large is one */
};

static bool read_value(struct reader *r);

static bool malformed(struct reader *r, const char *what) {
    return error_set(r->error, r->arena, ERROR_VALIDATION, "malformed JSON at position %zu: %s",
                     (size_t)(r->at - r->text) + 1, r->at < r->end ? what : "unexpected end");
}

static void skip_blanks(struct reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')) r->at++;
}

static bool next_is(const struct reader *r, char c) {
    return r->at < r->end && *r->at == c;
}

static bool take(struct reader *r, char c) {
    if (!next_is(r, c)) return false;
    r->at++;
    return true;
}

/* ---- words and numbers ---- */

static bool take_word(struct reader *r, const char *word) {
    size_t len = strlen(word);
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0) return malformed(r, "expected a value");
    r->at += len;
    return true;
}

static bool read_true(struct reader *r) {
    if (!take_word(r, "true")) return false;
    lua_pushboolean(r->L, 1);
    return true;
}

static bool read_false(struct reader *r) {
    if (!take_word(r, "false")) return false;
    lua_pushboolean(r->L, 0);
    return true;
}

static bool read_null(struct reader *r) {
    if (!take_word(r, "null")) return false;
    lua_pushlightuserdata(r->L, NULL);
    return true;
}

static bool next_is_digit(const struct reader *r) {
    return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

static bool skip_digits(struct reader *r) {
    if (!next_is_digit(r)) return malformed(r, "expected a digit");
    while (next_is_digit(r)) r->at++;
    return true;
}

/* Moves over `-12.5e+3`; *real becomes true if there is a point or an exponent. */
static bool skip_number(struct reader *r, bool *real) {
    take(r, '-');
    if (take(r, '0')) {
        if (next_is_digit(r)) return malformed(r, "a number begins with 0");
    } else if (!skip_digits(r)) {
        return false;
    }
    if (take(r, '.')) {
        *real = true;
        if (!skip_digits(r)) return false;
    }
    if (take(r, 'e') || take(r, 'E')) {
        *real = true;
        if (!take(r, '+')) take(r, '-');
        return skip_digits(r);
    }
    return true;
}

static bool read_number(struct reader *r) {
    const char *start = r->at;
    bool is_real = false;
    int64_t integer;
    if (!skip_number(r, &is_real)) return false;
    size_t len = (size_t)(r->at - start);
    if (!is_real && integer_read(start, len, &integer)) {
        lua_pushinteger(r->L, integer);
        return true;
    }
    double real = real_read(start, len);
    if (isinf(real) && !r->infinities) {
        r->at = start;
        return malformed(r, "a number too large for a float");
    }
    lua_pushnumber(r->L, real);
    return true;
}

/* ---- strings ---- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits behind `\u`. */
static bool take_hex4(struct reader *r, unsigned long *code) {
    *code = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        int digit = r->at < r->end ? hex_digit(*r->at) : -1;
        if (digit < 0) return malformed(r, "expected four hexadecimal digits");
        *code = *code * 16 + (unsigned long)digit;
    }
    return true;
}

/* `\uD83D\uDE00` is one character: a high and a low surrogate. Either of them alone is no text. */
static bool take_unicode(struct reader *r, unsigned long *code) {
    unsigned long low;
    if (!take_hex4(r, code)) return false;
    if (*code < 0xD800 || *code > 0xDFFF) return true;
    if (*code > 0xDBFF || !take(r, '\\') || !take(r, 'u')) return malformed(r, "half of a surrogate pair");
    if (!take_hex4(r, &low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return malformed(r, "half of a surrogate pair");
    *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

/* Reads what follows a backslash; writes at most four bytes, never more than it read. */
static bool take_escape(struct reader *r, char **out) {
    static const char marks[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const char *mark = r->at < r->end && *r->at ? strchr(marks, *r->at) : NULL;
    if (mark) {
        r->at++;
        *(*out)++ = bytes[mark - marks];
        return true;
    }
    unsigned long code;
    if (!take(r, 'u')) return malformed(r, "unknown escape");
    if (!take_unicode(r, &code)) return false;
    *out += utf8_put(code, *out);
    return true;
}

/* Moves over bytes that stand for themselves. The whole text is known to be UTF-8. */
static void skip_plain(struct reader *r) {
    while (r->at < r->end && *r->at != '"' && *r->at != '\\' && (unsigned char)*r->at >= 0x20) r->at++;
}

/* Length of the source of this string up to its closing quote, an upper bound of what it becomes. */
static size_t bound_string(const struct reader *r) {
    const char *at = r->at;
    while (at < r->end && *at != '"') at += *at == '\\' && r->end - at > 1 ? 2 : 1;
    return (size_t)(at - r->at);
}

/* The rest of a string that has escapes; `start` is its first byte. The buffer is a Lua string in the making, or a
 * userdata on the Lua stack: safe if anything raises. */
static bool read_escaped(struct reader *r, const char *start) {
    luaL_Buffer buffer;
    size_t plain = (size_t)(r->at - start);
    char *text = luaL_buffinitsize(r->L, &buffer, plain + bound_string(r)), *out = text;
    for (const char *from = start;; from = r->at) {
        skip_plain(r);
        memcpy(out, from, (size_t)(r->at - from));
        out += r->at - from;
        if (next_is(r, '"')) break;
        if (!take(r, '\\')) return malformed(r, "control character in a string");
        if (!take_escape(r, &out)) return false;
    }
    r->at++;
    luaL_pushresultsize(&buffer, (size_t)(out - text));
    return true;
}

static bool read_string(struct reader *r) {
    const char *start = ++r->at;
    skip_plain(r);
    if (next_is(r, '\\')) return read_escaped(r, start);
    if (!next_is(r, '"')) return malformed(r, "control character in a string");
    lua_pushlstring(r->L, start, (size_t)(r->at - start));
    r->at++;
    return true;
}

/* ---- arrays and objects ---- */

/* Enters one level: room on the Lua stack for a table, a key, a value and a buffer. */
static bool enter(struct reader *r) {
    if (++r->depth > JSON_DEPTH) return malformed(r, "nested too deep");
    luaL_checkstack(r->L, 8, "JSON");
    r->at++;
    skip_blanks(r);
    lua_newtable(r->L);
    return true;
}

static bool read_array(struct reader *r) {
    if (!enter(r)) return false;
    json_push_array_metatable(r->L);
    lua_setmetatable(r->L, -2);
    bool more = !next_is(r, ']');
    for (lua_Integer i = 1; more; i++) {
        if (!read_value(r)) return false;
        lua_rawseti(r->L, -2, i);
        more = take(r, ',');
    }
    r->depth--;
    return take(r, ']') || malformed(r, "expected , or ]");
}

static bool read_member(struct reader *r) {
    skip_blanks(r);
    if (!next_is(r, '"')) return malformed(r, "expected a key in double quotes");
    if (!read_string(r)) return false;
    skip_blanks(r);
    if (!take(r, ':')) return malformed(r, "expected :");
    if (!read_value(r)) return false;
    lua_rawset(r->L, -3);
    return true;
}

static bool read_object(struct reader *r) {
    if (!enter(r)) return false;
    bool more = !next_is(r, '}');
    while (more) {
        if (!read_member(r)) return false;
        more = take(r, ',');
    }
    r->depth--;
    return take(r, '}') || malformed(r, "expected , or }");
}

/* Reads a value and the blanks around it. */
static bool read_value(struct reader *r) {
    bool ok;
    skip_blanks(r);
    switch (r->at < r->end ? *r->at : '\0') {
    case '{': ok = read_object(r); break;
    case '[': ok = read_array(r); break;
    case '"': ok = read_string(r); break;
    case 't': ok = read_true(r); break;
    case 'f': ok = read_false(r); break;
    case 'n': ok = read_null(r); break;
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        ok = read_number(r);
        break;
    default: ok = malformed(r, "expected a value");
    }
    skip_blanks(r);
    return ok;
}

static bool check_utf8(struct reader *r) {
    if (utf8_is_valid(r->text, (size_t)(r->end - r->text))) return true;
    size_t at;
    while (utf8_check(r->at, (size_t)(r->end - r->at), &at) == UTF8_NUL) r->at += at + 1;
    r->at += at;
    return malformed(r, "a byte that is not UTF-8");
}

static bool push_json(struct reader *r) {
    lua_State *L = r->L;
    int below = lua_gettop(L);
    luaL_checkstack(L, 8, "JSON");
    bool ok = check_utf8(r) && read_value(r) && (r->at == r->end || malformed(r, "expected the end"));
    if (!ok) lua_settop(L, below);
    return ok;
}

bool json_push(lua_State *L, const char *text, size_t len, struct arena *arena, struct error *error) {
    struct reader r = { .L = L, .text = text, .at = text, .end = text + len, .arena = arena, .error = error };
    return push_json(&r);
}

bool json_push_reals(lua_State *L, const char *text, size_t len, struct arena *arena, struct error *error) {
    struct reader r = { .L = L, .text = text, .at = text, .end = text + len, .arena = arena, .error = error, .infinities = true };
    return push_json(&r);
}

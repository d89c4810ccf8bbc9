#include "lua/json.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/decimal.h"
#include "base/error.h"
#include "base/utf8.h"

/* -------------------------------------------------------------------------------------------------- array metatable */

void json_push_array_metatable(lua_State *L) {
    if (!luaL_newmetatable(L, JSON_ARRAY)) return;
    lua_pushliteral(L, "array");
    lua_setfield(L, -2, "__jsontype");
}

bool json_is_array(lua_State *L, int index) {
    if (!lua_getmetatable(L, index)) return false;
    lua_pushliteral(L, "__jsontype");
    lua_rawget(L, -2);
    size_t len;
    const char *word = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
    bool is = word && len == 5 && memcmp(word, "array", 5) == 0;
    lua_pop(L, 2);
    return is;
}

/* -------------------------------------------------------------------------------------------------------- decoding
 *
 * One function per rule of RFC 8259; each leaves `at` behind what it read and pushes one value, or sets the error. */

struct reader {
    lua_State *L;
    const char *text, *at, *end;
    struct arena *arena;
    struct error *error;
    int depth;
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
    if (isinf(real)) {
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

bool json_push(lua_State *L, const char *text, size_t len, struct arena *arena, struct error *error) {
    struct reader r = { .L = L, .text = text, .at = text, .end = text + len, .arena = arena, .error = error };
    int below = lua_gettop(L);
    luaL_checkstack(L, 8, "JSON");
    bool ok = check_utf8(&r) && read_value(&r) && (r.at == r.end || malformed(&r, "expected the end"));
    if (!ok) lua_settop(L, below);
    return ok;
}

/* -------------------------------------------------------------------------------------------------------- encoding */

/* Where in the value we are; the chain of steps is the path in a message, and finds cycles. */
struct step {
    const struct step *up;
    const void *table;              /* the table we are in */
    const char *key;                /* of the element we are at; NULL: `number` */
    size_t len;
    lua_Integer number;             /* 0: at none yet */
};

struct writer {
    lua_State *L;
    struct buf *out;
    struct error *error;
    const struct json_hook *hook;
    int depth;
};

static bool write_value(struct writer *w, int index, const struct step *up, bool replaced);

static void put_path(struct buf *path, const struct step *step) {
    if (!step) return;
    put_path(path, step->up);
    if (step->key && path->len) buf_addc(path, '.');
    if (step->key) buf_add(path, step->key, step->len);
    else if (step->number) buf_addf(path, "[%lld]", (long long)step->number);
}

/* Keys in the path were checked to be UTF-8 when they were written. */
static bool refuse(struct writer *w, const struct step *step, const char *what) {
    struct buf path;
    buf_init(&path, w->out->arena);
    put_path(&path, step);
    if (path.len) w->error->path = path.text;
    return error_set(w->error, w->out->arena, ERROR_VALIDATION, "%s%s%s", path.len ? path.text : "",
                     path.len ? ": " : "", what);
}

/* ---- scalars ---- */

static void put_escape(struct buf *out, unsigned char c) {
    static const char bytes[] = "\"\\\b\f\n\r\t", marks[] = "\"\\bfnrt";
    const char *found = c ? strchr(bytes, c) : NULL;
    if (!found) {
        buf_addf(out, "\\u%04x", c);
        return;
    }
    buf_addc(out, '\\');
    buf_addc(out, marks[found - bytes]);
}

static bool is_plain(unsigned char c) {
    return c >= 0x20 && c != '"' && c != '\\';
}

static void put_string(struct buf *out, const char *text, size_t len) {
    buf_addc(out, '"');
    for (size_t i = 0; i < len;) {
        size_t from = i;
        while (i < len && is_plain((unsigned char)text[i])) i++;
        buf_add(out, text + from, i - from);
        if (i < len) put_escape(out, (unsigned char)text[i++]);
    }
    buf_addc(out, '"');
}

static bool write_string(struct writer *w, int index, const struct step *step) {
    size_t len;
    const char *text = lua_tolstring(w->L, index, &len);
    if (!utf8_is_valid(text, len)) return refuse(w, step, "text that is not UTF-8 can't be written as JSON");
    put_string(w->out, text, len);
    return true;
}

static bool write_number(struct writer *w, int index, const struct step *step) {
    char text[REAL_TEXT];
    if (lua_isinteger(w->L, index)) {
        buf_add(w->out, text, integer_text(lua_tointeger(w->L, index), text));
        return true;
    }
    double real = lua_tonumber(w->L, index);
    if (!isfinite(real)) return refuse(w, step, "NaN and infinity can't be written as JSON");
    buf_add(w->out, text, real_text(real, text));
    return true;
}

static bool write_null(struct writer *w, int index, const struct step *step) {
    if (lua_touserdata(w->L, index)) return refuse(w, step, "userdata can't be written as JSON");
    buf_add(w->out, "null", 4);
    return true;
}

static bool refuse_kind(struct writer *w, int index, const struct step *step) {
    const char *kind = lua_typename(w->L, lua_type(w->L, index));
    return refuse(w, step, arena_printf(w->out->arena, "a %s can't be written as JSON", kind));
}

/* ---- tables ---- */

struct key {
    const char *text; /* a copy: Lua code (finalisers, hooks) may take the key out of the table meanwhile */
    size_t len;
};

/* What the keys of a table are: `numbers` positive integers up to `highest`, `texts` strings. */
struct census {
    lua_Integer numbers, highest;
    size_t texts;
};

static bool count_keys(struct writer *w, int index, const struct step *step, struct census *census) {
    *census = (struct census){ 0 };
    for (lua_pushnil(w->L); lua_next(w->L, index); lua_pop(w->L, 1)) {
        if (lua_type(w->L, -2) == LUA_TSTRING) {
            census->texts++;
        } else if (lua_isinteger(w->L, -2) && lua_tointeger(w->L, -2) > 0) {
            census->numbers++;
            if (lua_tointeger(w->L, -2) > census->highest) census->highest = lua_tointeger(w->L, -2);
        } else {
            return refuse(w, step, "a key that is neither text nor a positive integer");
        }
    }
    if (census->numbers && census->texts) return refuse(w, step, "text keys and numbers in one table");
    return census->numbers == census->highest || refuse(w, step, "a list with holes (liga.null stands for null)");
}

static bool write_list(struct writer *w, int index, lua_Integer count, struct step *step) {
    buf_addc(w->out, '[');
    for (lua_Integer i = 1; i <= count; i++) {
        step->number = i;
        if (i > 1) buf_addc(w->out, ',');
        lua_rawgeti(w->L, index, i);
        if (!write_value(w, lua_gettop(w->L), step, false)) return false;
        lua_pop(w->L, 1);
    }
    buf_addc(w->out, ']');
    return true;
}

static int compare_keys(const void *left, const void *right) {
    const struct key *a = left, *b = right;
    int order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* Copies the keys, sorted. Nothing here runs Lua code, so the table has still `count` of them. */
static struct key *sorted_keys(struct writer *w, int index, size_t count) {
    struct key *keys = arena_array(w->out->arena, struct key, count);
    size_t i = 0;
    for (lua_pushnil(w->L); lua_next(w->L, index); lua_pop(w->L, 1), i++) {
        const char *text = lua_tolstring(w->L, -2, &keys[i].len);
        keys[i].text = arena_text(w->out->arena, text, keys[i].len);
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    return keys;
}

static bool write_member(struct writer *w, int index, const struct key *key, struct step *step) {
    if (!utf8_is_valid(key->text, key->len)) return refuse(w, step, "a key that is not UTF-8 can't be written as JSON");
    *step = (struct step){ .up = step->up, .table = step->table, .key = key->text, .len = key->len };
    put_string(w->out, key->text, key->len);
    buf_addc(w->out, ':');
    lua_pushlstring(w->L, key->text, key->len);
    lua_rawget(w->L, index);
    if (!write_value(w, lua_gettop(w->L), step, false)) return false;
    lua_pop(w->L, 1);
    return true;
}

static bool write_object(struct writer *w, int index, size_t count, struct step *step) {
    const struct key *keys = count ? sorted_keys(w, index, count) : NULL;
    buf_addc(w->out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0) buf_addc(w->out, ',');
        if (!write_member(w, index, &keys[i], step)) return false;
    }
    buf_addc(w->out, '}');
    return true;
}

static bool is_cycle(const struct step *up, const void *table) {
    for (; up; up = up->up)
        if (up->table == table) return true;
    return false;
}

static bool write_plain_table(struct writer *w, int index, const struct step *up) {
    struct step step = { .up = up, .table = lua_topointer(w->L, index) };
    struct census census;
    if (is_cycle(up, step.table)) return refuse(w, up, "a table that contains itself");
    if (w->depth >= JSON_DEPTH) return refuse(w, up, "nested deeper than 200 levels");
    if (!count_keys(w, index, up, &census)) return false;
    bool array = json_is_array(w->L, index);
    if (array && census.texts) return refuse(w, up, "text keys in an array");
    w->depth++;
    bool ok = array || census.numbers ? write_list(w, index, census.numbers, &step)
                                      : write_object(w, index, census.texts, &step);
    w->depth--;
    return ok;
}

/* Asks the hook for the value to be written in place of a table with a metatable. */
static bool replace(struct writer *w, int index) {
    if (!w->hook || !w->hook->replace || !lua_getmetatable(w->L, index)) return false;
    lua_pop(w->L, 1);
    return w->hook->replace(w->L, index, w->hook->owner);
}

/* A replaced table stays in the chain of steps, so that an instance whose replacement holds it again is found to be a
 * cycle. */
static bool write_replacement(struct writer *w, int index, const struct step *up) {
    struct step step = { .up = up, .table = lua_topointer(w->L, index) };
    if (is_cycle(up, step.table)) return refuse(w, up, "a table that contains itself");
    bool ok = write_value(w, lua_gettop(w->L), &step, true);
    if (ok) lua_pop(w->L, 1);
    return ok;
}

static bool write_table(struct writer *w, int index, const struct step *up, bool replaced) {
    luaL_checkstack(w->L, LUA_MINSTACK, "JSON");
    if (!replaced && replace(w, index)) return write_replacement(w, index, up);
    return write_plain_table(w, index, up);
}

static bool write_value(struct writer *w, int index, const struct step *up, bool replaced) {
    switch (lua_type(w->L, index)) {
    case LUA_TNIL:           buf_add(w->out, "null", 4); return true;
    case LUA_TBOOLEAN:       buf_adds(w->out, lua_toboolean(w->L, index) ? "true" : "false"); return true;
    case LUA_TNUMBER:        return write_number(w, index, up);
    case LUA_TSTRING:        return write_string(w, index, up);
    case LUA_TLIGHTUSERDATA: return write_null(w, index, up);
    case LUA_TTABLE:         return write_table(w, index, up, replaced);
    default:                 return refuse_kind(w, index, up);
    }
}

bool json_write(lua_State *L, int index, const struct json_hook *hook, struct buf *out, struct error *error) {
    struct writer w = { .L = L, .out = out, .error = error, .hook = hook };
    int below = lua_gettop(L);
    bool ok = write_value(&w, lua_absindex(L, index), NULL, false);
    lua_settop(L, below);
    return ok;
}

/* ------------------------------------------------------------------------------------------ the functions Lua sees */

/* The memory of one call: freed at its end, or by the collector if the call was left by an error. */
struct box {
    struct arena arena;
    struct error error;
};

static void raise_oom(void *owner) {
    lua_State *L = owner;
    lua_pushliteral(L, "not enough memory");
    lua_error(L);
}

static int box_gc(lua_State *L) {
    struct box *box = lua_touserdata(L, 1);
    arena_free(&box->arena);
    return 0;
}

static struct box *push_box(lua_State *L) {
    struct box *box = lua_newuserdatauv(L, sizeof *box, 0);
    memset(box, 0, sizeof *box);
    arena_init(&box->arena, raise_oom, L);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_setmetatable(L, -2);
    return box;
}

static const struct json_binding *binding_of(lua_State *L) {
    return lua_touserdata(L, lua_upvalueindex(1));
}

static int finish(lua_State *L, struct box *box, bool ok) {
    if (!ok) return binding_of(L)->raise(L, &box->error);
    arena_free(&box->arena);
    return 1;
}

static int encode(lua_State *L) {
    struct buf out;
    lua_settop(L, 1);
    struct box *box = push_box(L);
    buf_init(&out, &box->arena);
    bool ok = json_write(L, 1, &binding_of(L)->hook, &out, &box->error);
    if (ok) lua_pushlstring(L, out.text, out.len);
    return finish(L, box, ok);
}

static int decode(lua_State *L) {
    size_t len;
    lua_settop(L, 1);
    struct box *box = push_box(L);
    bool ok = lua_type(L, 1) == LUA_TSTRING;
    if (!ok) {
        error_set(&box->error, &box->arena, ERROR_USAGE, "json.decode expects a text, not a %s", luaL_typename(L, 1));
    } else {
        const char *text = lua_tolstring(L, 1, &len);
        ok = json_push(L, text, len, &box->arena, &box->error);
    }
    return finish(L, box, ok);
}

static int array(lua_State *L) {
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    if (!lua_istable(L, 1)) {
        struct box *box = push_box(L);
        bool ok =
            error_set(&box->error, &box->arena, ERROR_USAGE, "array expects a table, not a %s", luaL_typename(L, 1));
        return finish(L, box, ok);
    }
    json_push_array_metatable(L);
    lua_setmetatable(L, 1);
    return 1;
}

void json_open(lua_State *L, const struct json_binding *binding) {
    static const luaL_Reg functions[] = {
        { "encode", encode }, { "decode", decode }, { "array", array }, { NULL, NULL }
    };
    luaL_newlibtable(L, functions);
    lua_pushlightuserdata(L, (void *)binding);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, box_gc);
    lua_setfield(L, -2, "__gc");
    luaL_setfuncs(L, functions, 2);
}

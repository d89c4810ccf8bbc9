/* Lua value → JSON text. */
#include "lua/json.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/decimal.h"
#include "base/error.h"
#include "base/utf8.h"

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

const struct json_hook json_stored = { .refuses_nul = true };
const struct json_hook json_stored_reals = { .refuses_nul = true, .infinities = true };

static bool has_refused_nul(const struct writer *w, const char *text, size_t len) {
    return w->hook && w->hook->refuses_nul && memchr(text, 0, len);
}

static bool write_string(struct writer *w, int index, const struct step *step) {
    size_t len;
    const char *text = lua_tolstring(w->L, index, &len);
    if (!utf8_is_valid(text, len)) return refuse(w, step, "text that is not UTF-8 can't be written as JSON");
    if (has_refused_nul(w, text, len)) return refuse(w, step, "text with a NUL byte");
    put_string(w->out, text, len);
    return true;
}

/* As real_text, but a number that an integer could hold has no exponent: JSONB writes numbers out, and one without a point would
 * be read as an integer. */
static size_t number_text(double real, char *text) {
    size_t len = real_text(real, text);
    if (!memchr(text, 'e', len) || fabs(real) >= 0x1p63 || real != floor(real)) return len;
    return (size_t)snprintf(text, REAL_TEXT, "%.0f.0", real);
}

static bool write_number(struct writer *w, int index, const struct step *step) {
    char text[REAL_TEXT];
    if (lua_isinteger(w->L, index)) {
        buf_add(w->out, text, integer_text(lua_tointeger(w->L, index), text));
        return true;
    }
    double real = lua_tonumber(w->L, index);
    if (isinf(real) && w->hook && w->hook->infinities) {
        buf_adds(w->out, real > 0 ? "9e999" : "-9e999");
        return true;
    }
    if (!isfinite(real)) return refuse(w, step, "NaN and infinity can't be written as JSON");
    buf_add(w->out, text, number_text(real, text));
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
    if (has_refused_nul(w, key->text, key->len)) return refuse(w, step, "a key with a NUL byte");
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

#define _POSIX_C_SOURCE 200809L

#include "lua/value.h"

#include <limits.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/datetime.h"
#include "base/utf8.h"
#include "lua/json.h"

void push_value(lua_State *L, struct value value) {
    switch (value.kind) {
    case VALUE_NULL: lua_pushnil(L); break;
    case VALUE_BOOL: lua_pushboolean(L, value.as.boolean); break;
    case VALUE_INT:  lua_pushinteger(L, value.as.integer); break;
    case VALUE_REAL: lua_pushnumber(L, value.as.real); break;
    case VALUE_TEXT:
    case VALUE_BLOB: lua_pushlstring(L, value.as.text, value.len); break;
    case VALUE_LIST: push_values(L, value.as.items, (int)value.len); break;
    }
}

void push_values(lua_State *L, const struct value *values, int count) {
    lua_createtable(L, count, 0);
    for (int i = 0; i < count; i++) {
        if (values[i].kind == VALUE_NULL) lua_pushlightuserdata(L, NULL);
        else push_value(L, values[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

static void show_field(lua_State *L, const struct type *type, const char *name) {
    push_field(L, -1, name);
    show_instants(L, type);
    lua_pushstring(L, name);
    lua_insert(L, -2);
    lua_rawset(L, -3);
}

void show_instants(lua_State *L, const struct type *type) {
    int64_t micros;
    size_t len;
    if (type->id == TYPE_DATE && lua_type(L, -1) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, -1, &len);
        if (!datetime_read(text, len, &micros)) return;
        lua_pushnumber(L, (lua_Number)micros / 1e6);
        lua_replace(L, -2);
    } else if (type->id == TYPE_RANGE && lua_istable(L, -1)) {
        show_field(L, type->element, "lower");
        show_field(L, type->element, "upper");
    } else if (type->id == TYPE_ARRAY && lua_istable(L, -1)) {
        for (lua_Integer i = 1, count = (lua_Integer)lua_rawlen(L, -1); i <= count; i++) {
            lua_rawgeti(L, -1, i);
            show_instants(L, type->element);
            lua_rawseti(L, -2, i);
        }
    }
}

/* True for lists of floats, in lists or not. */
static bool lists_reals(const struct type *type) {
    while (type->id == TYPE_ARRAY) type = type->element;
    return type_info(type->id)->logical == VALUE_REAL;
}

bool push_logical(lua_State *L, const struct db *db, const struct attr *attr, struct value value, struct arena *arena,
                  struct error *error) {
    int64_t micros;
    if (value.kind == VALUE_TEXT && type_is_table(&attr->type)) {
        if ((lists_reals(&attr->type) ? json_push_reals : json_push)(L, value.as.text, value.len, arena, error)) {
            if (db->dates_epoch) show_instants(L, &attr->type);
            return true;
        }
        error->model = attr->model->name;
        error->attribute = attr->name;
        error->message = arena_printf(arena, "%s.%s: %s", error->model, error->attribute, error->message);
        error->value = value_text(arena_text(arena, value.as.text, value.len), value.len);
        error->has_value = true;
        return false;
    }
    if (db->dates_epoch && attr->type.id == TYPE_DATE && value.kind == VALUE_TEXT
        && datetime_read(value.as.text, value.len, &micros))
        lua_pushnumber(L, (lua_Number)micros / 1e6);
    else
        push_value(L, value);
    return true;
}

bool is_null(lua_State *L, int index) {
    return lua_isnil(L, index) || (lua_islightuserdata(L, index) && !lua_touserdata(L, index));
}

int push_field(lua_State *L, int index, const char *key) {
    if (index < 0) index = lua_absindex(L, index);
    lua_pushstring(L, key);
    return lua_rawget(L, index);
}

const char *name_at(lua_State *L, int index) {
    size_t len;
    const char *name = lua_tolstring(L, index, &len);
    return strlen(name) == len ? name : "(a name with a NUL byte)";
}

const char *kind_text(lua_State *L, int index) {
    static const char *const texts[] = {
        [LUA_TNIL] = "nil", [LUA_TBOOLEAN] = "a boolean", [LUA_TLIGHTUSERDATA] = "liga.null", [LUA_TNUMBER] = "a number",
        [LUA_TSTRING] = "a string", [LUA_TTABLE] = "a table", [LUA_TFUNCTION] = "a function", [LUA_TUSERDATA] = "a userdata",
        [LUA_TTHREAD] = "a thread",
    };
    return texts[lua_type(L, index)];
}

/* ------------------------------------------------------------------------------------------------------ reading */

/* Raw field of an os.date table into *field, which keeps its value where there is none. False: it is no integer. */
static bool date_field(lua_State *L, int index, const char *key, int *field) {
    enum { LARGEST = 1000000000 };
    push_field(L, index, key);
    int isnum;
    bool given = !lua_isnil(L, -1);
    lua_Integer number = lua_tointegerx(L, -1, &isnum);
    lua_pop(L, 1);
    if (!given) return true;
    if (!isnum || number < -LARGEST || number > LARGEST) return false;
    *field = (int)number;
    return true;
}

static int date_flag(lua_State *L, int index, const char *key) {
    push_field(L, index, key);
    int flag = lua_isnil(L, -1) ? -1 : lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

/* {hour = 9, min = 30}: a time of day needs no day. */
static bool read_time_table(lua_State *L, int index, struct value *value, struct arena *arena) {
    int hour = -1, min = -1, sec = 0;
    if (!date_field(L, index, "hour", &hour) || !date_field(L, index, "min", &min) || !date_field(L, index, "sec", &sec))
        return false;
    if (hour < 0 || min < 0 || sec < 0) return false;
    const char *text = arena_printf(arena, "%02d:%02d:%02d", hour, min, sec);
    *value = value_text(text, strlen(text));
    return true;
}

/* An os.date table is local time, as os.time reads it. */
static bool read_date_table(lua_State *L, int index, const struct attr *attr, struct value *value, struct arena *arena) {
    struct tm tm = { .tm_hour = 12 };
    int year = INT_MIN, month = INT_MIN, day = INT_MIN;
    index = lua_absindex(L, index);
    if (!date_field(L, index, "year", &year) || !date_field(L, index, "month", &month) || !date_field(L, index, "day", &day)
        || !date_field(L, index, "hour", &tm.tm_hour) || !date_field(L, index, "min", &tm.tm_min)
        || !date_field(L, index, "sec", &tm.tm_sec)) return false;
    bool dayless = year == INT_MIN && month == INT_MIN && day == INT_MIN;
    if (dayless && attr->type.id == TYPE_TIME) return read_time_table(L, index, value, arena);
    if (year == INT_MIN || month == INT_MIN || day == INT_MIN) return false;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    tm.tm_isdst = date_flag(L, index, "isdst");
    time_t time = mktime(&tm);
    if (attr->type.id == TYPE_DATE) {
        *value = value_int((int64_t)time);
        return true;
    }
    const char *text = attr->type.id == TYPE_DATEONLY
                     ? arena_printf(arena, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday)
                     : arena_printf(arena, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
    *value = value_text(text, strlen(text));
    return true;
}

/* The sentence goes on behind the name of the attribute. */
static bool refuse_json(struct error *error, struct arena *arena) {
    error->message = arena_printf(arena, "can't be stored: %s", error->message);
    return false;
}

static bool read_json(lua_State *L, int index, const struct type *type, struct value *value, struct arena *arena,
                      struct error *error) {
    struct buf buf;
    buf_init(&buf, arena);
    if (!json_write(L, index, lists_reals(type) ? &json_stored_reals : &json_stored, &buf, error)) return refuse_json(error, arena);
    *value = value_text(buf.text, buf.len);
    return true;
}

/* A range: {lower = 1, upper = 10, bounds = "[)"}, or its bounds by place: {1, 10}. */
static bool read_range(lua_State *L, int index, struct value *value, struct arena *arena, struct error *error) {
    static const char *const places[] = { NULL, "lower", "upper" };
    struct buf buf;
    buf_init(&buf, arena);
    index = lua_absindex(L, index);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        lua_Integer place = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
        const char *name = place == 1 || place == 2 ? places[place] : lua_type(L, -2) == LUA_TSTRING ? name_at(L, -2) : "?";
        buf_adds(&buf, buf.len ? ",\"" : "{\"");
        buf_adds(&buf, strpbrk(name, "\"\\") ? "?" : name);
        buf_adds(&buf, "\":");
        if (!json_write(L, lua_gettop(L), &json_stored, &buf, error)) return refuse_json(error, arena);
    }
    buf_adds(&buf, buf.len ? "}" : "{}");
    *value = value_text(buf.text, buf.len);
    return true;
}

static bool is_date_like(const struct attr *attr) {
    return attr->type.id == TYPE_DATE || attr->type.id == TYPE_DATEONLY || attr->type.id == TYPE_TIME;
}

/* A table or userdata where a value is expected. */
static bool read_compound(lua_State *L, int index, const struct attr *attr, struct value *value, struct arena *arena,
                          struct error *error) {
    if (lua_istable(L, index) && is_date_like(attr) && read_date_table(L, index, attr, value, arena)) return true;
    return error_set(error, arena, ERROR_VALIDATION, "expects %s, got %s", type_text(&attr->type, arena), kind_text(L, index));
}

bool borrow_plain(lua_State *L, int index, struct value *value) {
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN: *value = value_bool(lua_toboolean(L, index)); return true;
    case LUA_TNUMBER:
        *value = lua_isinteger(L, index) ? value_int(lua_tointeger(L, index)) : value_real(lua_tonumber(L, index));
        return true;
    case LUA_TSTRING: {
        size_t len;
        const char *text = lua_tolstring(L, index, &len);
        *value = value_text(text, len);
        return true;
    }
    default: return false;
    }
}

bool read_plain(lua_State *L, int index, struct value *value, struct arena *arena, struct error *error) {
    *value = value_null();
    if (is_null(L, index)) return true;
    if (!borrow_plain(L, index, value))
        return error_set(error, arena, ERROR_VALIDATION, "expects a plain value, got %s", kind_text(L, index));
    if (value->kind == VALUE_TEXT) value->as.text = arena_text(arena, value->as.text, value->len);
    return true;
}

static void blame(struct error *error, const struct attr *attr, struct arena *arena, struct value given) {
    if (error->code == ERROR_VALIDATION && !error->attribute) {
        error->message = arena_printf(arena, "%s.%s %s", attr->model->name, attr->name, error->message);
        error->model = attr->model->name;
        error->attribute = attr->name;
        error->value = given;
        error->has_value = given.kind != VALUE_NULL;
    }
}

bool attr_has_room(const struct attr *attr, const struct value *value, struct arena *arena, struct error *error) {
    if (type_has_room(&attr->type, value, arena, error)) return true;
    blame(error, attr, arena, *value);
    return false;
}

bool borrow_attr_value(lua_State *L, int index, const struct attr *attr, struct value *value, struct arena *arena,
                       struct error *error) {
    struct value given = value_null();
    *value = given;
    if (is_null(L, index)) return true;
    bool fine;
    if (type_is_table(&attr->type)) {
        bool range = attr->type.id == TYPE_RANGE && lua_istable(L, index);
        fine = range ? read_range(L, index, value, arena, error) : read_json(L, index, &attr->type, value, arena, error);
        fine = fine && type_accept(&attr->type, value, arena, error);
    } else {
        fine = borrow_plain(L, index, value) || read_compound(L, index, attr, value, arena, error);
        given = *value;
        fine = fine && type_accept(&attr->type, value, arena, error);
    }
    if (!fine) blame(error, attr, arena, given);
    return fine;
}

bool read_attr_value(lua_State *L, int index, const struct attr *attr, struct value *value, struct arena *arena,
                     struct error *error) {
    bool fine = borrow_attr_value(L, index, attr, value, arena, error);
    if (lua_type(L, index) != LUA_TSTRING) return fine;
    if (value->kind == VALUE_TEXT || value->kind == VALUE_BLOB) value->as.text = arena_text(arena, value->as.text, value->len);
    if (!fine && error->has_value) error->value.as.text = arena_text(arena, error->value.as.text, error->value.len);
    return fine;
}

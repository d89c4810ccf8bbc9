#define _POSIX_C_SOURCE 200809L

#include "lua/call.h"

#include <stdarg.h>
#include <string.h>

#include "lua/fault.h"
#include "lua/handler.h"
#include "lua/hydrate.h"
#include "lua/pool.h"
#include "lua/value.h"

static void out_of_memory(void *owner) {
    struct call *call = owner;
    luaL_error(call->L, "not enough memory");
}

/* -------------------------------------------------------------------------------------------- opening, closing */

/* A box that is not in use waits on the database, the spare one at hand, others in a list; one in use hangs on the stack only, so
 * that a longjmp leaves it to the collector. */
static struct call *take_spare(lua_State *L, struct db *db, int db_index) {
    struct call *spare = db->spare;
    lua_getiuservalue(L, db_index, DB_SPARE);
    lua_pushnil(L);
    lua_setiuservalue(L, db_index, DB_SPARE);
    db->spare = NULL;
    return spare;
}

static struct call *take_box(lua_State *L, struct db *db, int db_index) {
    if (db->spare) return take_spare(L, db, db_index);
    lua_getiuservalue(L, db_index, DB_CALLS);
    lua_Integer free = (lua_Integer)lua_rawlen(L, -1);
    if (free == 0) {
        lua_pop(L, 1);
        struct call *call = userdata_new(L, USERDATA_CALL, sizeof *call, CALL_VALUES);
        arena_init(&call->arena, out_of_memory, call);
        lua_pushvalue(L, db_index);
        lua_setiuservalue(L, -2, CALL_DB);
        return call;
    }
    lua_rawgeti(L, -1, free);
    lua_pushnil(L);
    lua_rawseti(L, -3, free);
    lua_remove(L, -2);
    return lua_touserdata(L, -1);
}

static void give_box_back(lua_State *L, struct call *call) {
    lua_getiuservalue(L, call->self, CALL_DB);
    if (!call->db->spare) {
        lua_pushvalue(L, call->self);
        lua_setiuservalue(L, -2, DB_SPARE);
        call->db->spare = call;
    } else {
        lua_getiuservalue(L, -1, DB_CALLS);
        lua_pushvalue(L, call->self);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

struct call *call_open(lua_State *L, struct db *db, int db_index) {
    db_index = lua_absindex(L, db_index);
    if (db->closed) raise_usage(L, "the database is closed");
    luaL_checkstack(L, 40, "too many nested calls");
    struct call *call = take_box(L, db, db_index);
    call->L = L;
    call->self = lua_gettop(L);
    call->db = db;
    db->open_calls++;
    return call;
}

/* A model whose forward references are open can't be used: the handler raises, naming the missing model. */
static void check_pending(lua_State *L, int class_index) {
    push_handler(L, HANDLER_CHECK_PENDING);
    lua_pushvalue(L, class_index);
    lua_call(L, 1, 0);
}

/* The model userdata is on the top; the call's box takes the place at `place`. */
static struct call *open_for(lua_State *L, const struct model_box *box, int place) {
    lua_getiuservalue(L, -1, MODEL_DB);
    struct call *call = call_open(L, box->db, -1);
    lua_replace(L, place);
    lua_settop(L, place);
    call->self = place;
    call->model = box->model;
    return call;
}

struct call *call_open_model(lua_State *L, struct model_box *box, int class_index) {
    int place = lua_gettop(L) + 1;
    if (box->pending) check_pending(L, class_index);
    lua_getmetatable(L, class_index);
    lua_rawgeti(L, -1, 1);                      /* the model userdata, which the caller has checked */
    return open_for(L, box, place);
}

struct call *call_open_class(lua_State *L, int class_index) {
    const struct model_box *box = push_class_model(L, class_index);
    if (box->pending) check_pending(L, class_index);
    return open_for(L, box, lua_gettop(L));
}

int push_model_names(lua_State *L, struct call *call) {
    push_call_value(L, call, CALL_DB);
    push_model(L, call->db, lua_gettop(L), call->model);
    lua_remove(L, -2);
    push_attr_names(L, lua_gettop(L));
    return lua_gettop(L) - 1;
}

/* Lets go of statements and connection; safe to call twice, and from __gc. */
void call_release(struct call *call) {
    call_drop_flights(call);
    pool_leave_queue(call);
    if (call->link) pool_release(call->db, call->link, call);
    call->link = NULL;
}

static void clear(struct call *call) {
    arena_reset(&call->arena);
    struct arena arena = call->arena;
    memset(call, 0, sizeof *call);
    call->arena = arena;
}

void call_close(lua_State *L, struct call *call) {
    struct db *db = call->db;
    if (!db) return;
    call_release(call);
    for (int value = CALL_RESULT; value <= CALL_VALUES; value++) {
        if (!(call->hung & 1u << value)) continue;
        lua_pushnil(L);
        lua_setiuservalue(L, call->self, value);
    }
    give_box_back(L, call);             /* may raise: then the collector ends the call */
    db->open_calls--;
    clear(call);
}

/* ------------------------------------------------------------------------------------------------------ errors */

int call_raise(lua_State *L, struct call *call) {
    if (call->forget) call->forget(L, call);
    push_call_error(L, call);
    call_close(L, call);
    return lua_error(L);
}

int call_fail(lua_State *L, struct call *call, enum error_code code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    error_vset(&call->error, &call->arena, code, format, args);
    va_end(args);
    return call_raise(L, call);
}

int most_params(const struct call *call) {
    enum { USUAL = 32766 };             /* SQLite's own default; without a connection the call is not run, only written */
    const struct conn *conn = call->link ? call->link->conn : NULL;
    return conn ? conn->driver->max_params(conn) : USUAL;
}

void push_call_table(lua_State *L, struct call *call, enum call_value value) {
    push_call_value(L, call, value);
    if (!lua_isnil(L, -1)) return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    set_call_value(L, call, value);
}

/* ----------------------------------------------------------------------------------------------------- options */

/* `transaction = t`: t is a table whose [1] is the lease; it must belong to this database and not be over. */
static void read_transaction(lua_State *L, struct call *call) {
    struct lease *lease = NULL;
    if (lua_istable(L, -1)) {
        lua_rawgeti(L, -1, 1);
        lease = userdata_test(L, -1, USERDATA_LEASE);
        lua_pop(L, 1);
    }
    if (!lease) call_fail(L, call, ERROR_USAGE, "transaction must be a transaction object of this database");
    if (!lease_of(lease, call->db)) call_fail(L, call, ERROR_USAGE, "transaction belongs to another database");
    if (!lease_alive(L, -1)) call_fail(L, call, ERROR_USAGE, "the transaction is finished");
    call->lease = lease;
}

static void read_logging(lua_State *L, struct call *call) {
    int type = lua_type(L, -1);
    if (type != LUA_TFUNCTION && type != LUA_TBOOLEAN) call_fail(L, call, ERROR_USAGE, "logging must be a function or a boolean");
    lua_pushvalue(L, -1);
    set_call_value(L, call, CALL_LOGGER);
    call->driven = true;
}

bool read_call_option(lua_State *L, struct call *call, const char *key) {
    if (strcmp(key, "transaction") == 0) read_transaction(L, call);
    else if (strcmp(key, "logging") == 0) read_logging(L, call);
    else return false;
    return true;
}

const char *option_hint(struct call *call, struct nearest *nearest) {
    nearest_offer(nearest, "transaction");
    nearest_offer(nearest, "logging");
    return nearest->best ? arena_printf(&call->arena, " (did you mean \"%s\"?)", nearest->best) : "";
}

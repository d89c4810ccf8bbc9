/* The box as operation.lua sees it, which drives the job: its steps, its events, its end. */
#include <string.h>

#include "base/clock.h"
#include "lua/fault.h"
#include "lua/job.h"
#include "lua/pool.h"
#include "lua/value.h"

static const char *kind_name(enum statement_kind kind) {
    static const char *const names[] = {
        [STATEMENT_READ] = "query", [STATEMENT_WRITE] = "query",
        [STATEMENT_TRANSACTION] = "transaction", [STATEMENT_SCHEMA] = "schema",
    };
    return names[kind];
}

/* The text and {ms, params, rows, kind, model, error} of the statement that just ended. */
static int push_event(lua_State *L, struct call *call) {
    const struct statement *statement = call->running;
    lua_pushliteral(L, "event");
    lua_pushlstring(L, statement->text, statement->len);
    lua_createtable(L, 0, 6);
    lua_pushnumber(L, (lua_Number)(clock_ns() - call->started) / 1e6);
    lua_setfield(L, -2, "ms");
    push_values(L, statement->params, statement->param_count);
    lua_setfield(L, -2, "params");
    bool control = statement->kind == STATEMENT_TRANSACTION;
    lua_pushinteger(L, control ? 0 : statement->kind == STATEMENT_WRITE && call->affected ? call->affected : call->rows);
    lua_setfield(L, -2, "rows");
    lua_pushstring(L, kind_name(statement->kind));
    lua_setfield(L, -2, "kind");
    if (call->model) {
        lua_pushstring(L, call->model->name);
        lua_setfield(L, -2, "model");
    }
    if (error_is_set(&call->error) && !call->failed_logged) {
        call->failed_logged = true;
        push_call_error(L, call);
        lua_setfield(L, -2, "error");
    }
    return 3;
}

/* "query" and the statement that is about to be sent: text, {params, kind, model} */
static int push_announced(lua_State *L, const struct call *call) {
    const struct statement *statement = call->announced;
    lua_pushliteral(L, "query");
    lua_pushlstring(L, statement->text, statement->len);
    lua_createtable(L, 0, 3);
    push_values(L, statement->params, statement->param_count);
    lua_setfield(L, -2, "params");
    lua_pushstring(L, kind_name(statement->kind));
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, call->model ? call->model->name : NULL);
    lua_setfield(L, -2, "model");
    return 3;
}

static struct call *check_call(lua_State *L) {
    struct call *call = userdata_check(L, 1, USERDATA_CALL, "a job");
    if (!call->db) raise_usage(L, "the job is over");
    lua_settop(L, 1);
    luaL_checkstack(L, 40, "too many nested calls");
    call->L = L;
    call->self = 1;
    return call;
}

/* What the server said beside its results goes to the logger too. */
static int push_notice(lua_State *L, const char *text) {
    lua_pushliteral(L, "event");
    lua_pushstring(L, text);
    lua_createtable(L, 0, 4);
    lua_pushnumber(L, 0);
    lua_setfield(L, -2, "ms");
    lua_pushinteger(L, 0);
    lua_setfield(L, -2, "rows");
    lua_newtable(L);
    lua_setfield(L, -2, "params");
    lua_pushliteral(L, "notice");
    lua_setfield(L, -2, "kind");
    return 3;
}

static const char *next_notice(const struct call *call) {
    struct conn *conn = call->aboard && call->link ? call->link->conn : NULL;
    return conn && conn->driver->notice ? conn->driver->notice(conn) : NULL;
}

/* "wait", what to wait for: descriptor (nil: a plain pause), "r", "w" or "rw", seconds (nil: for ever) */
static int push_wait(lua_State *L, const struct call *call) {
    struct waiting waiting = job_waits_for(call);
    lua_Number left = (lua_Number)(waiting.deadline - clock_ms()) / 1000;
    lua_pushliteral(L, "wait");
    if (waiting.fd < 0) lua_pushnil(L);
    else lua_pushinteger(L, waiting.fd);
    if (waiting.fd < 0) lua_pushnil(L);
    else lua_pushstring(L, waiting.read && waiting.write ? "rw" : waiting.write ? "w" : "r");
    if (!waiting.deadline) lua_pushnil(L);
    else lua_pushnumber(L, left > 0 ? left : 0);
    return 4;
}

static int job_step(lua_State *L) {
    struct call *call = check_call(L);
    pool_check_process(L, call);
    const char *notice = next_notice(call);
    if (notice) return push_notice(L, notice);
    enum step reached = job_advance(L, call);
    if (reached == STEP_EVENT) return push_event(L, call);
    if (reached == STEP_WAIT) return push_wait(L, call);
    if (reached == STEP_QUERY) return push_announced(L, call);
    if (reached == STEP_OPENING || reached == STEP_OPENED) {
        lua_pushstring(L, reached == STEP_OPENING ? "connect" : "connected");
        return 1;
    }
    if (reached == STEP_CLOSED) {
        lua_pushliteral(L, "closed");
        return 1;
    }
    if ((notice = next_notice(call))) return push_notice(L, notice);
    if (error_is_set(&call->error)) return call_raise(L, call);
    lua_pushliteral(L, "done");
    return 1;
}

static int job_results(lua_State *L) {
    return job_finish(L, check_call(L));
}

static int job_logger(lua_State *L) {
    userdata_check(L, 1, USERDATA_CALL, "a job");
    lua_getiuservalue(L, 1, CALL_LOGGER);
    lua_getiuservalue(L, 1, CALL_DB);
    if (lua_isnil(L, -1)) return 2;
    lua_getiuservalue(L, -1, DB_OBJECT);
    lua_remove(L, -2);
    return 2;
}

static int job_close(lua_State *L) {
    struct call *call = userdata_test(L, 1, USERDATA_CALL);
    if (!call || !call->db) return 0;
    lua_settop(L, 1);
    call->L = L;
    call->self = 1;
    job_undo(L, call);
    call_close(L, call);
    return 0;
}

/* The box at index 1 is collected: its bracket is undone. */
static int undo_collected(lua_State *L) {
    struct call *call = lua_touserdata(L, 1);
    call->L = L;
    call->self = 1;
    job_undo(L, call);
    return 0;
}

/* A collector must neither wait for a server nor leave a box half cleared when memory is out: then the connection goes. */
static void undo_or_break(lua_State *L, struct call *call) {
    if (!job_is_open(call)) return;
    struct conn *conn = call->link->conn;
    lua_pushcfunction(L, undo_collected);
    lua_pushvalue(L, 1);
    if (conn->driver->waits_for || lua_pcall(L, 1, 0, 0) != LUA_OK) conn->broken = true;
    lua_settop(L, 1);
}

/* A box that a longjmp left behind. */
static int job_gc(lua_State *L) {
    struct call *call = userdata_test(L, 1, USERDATA_CALL);
    if (!call) return 0;
    if (call->db) {
        undo_or_break(L, call);
        call_release(call);
        call->db->open_calls--;
        call->db = NULL;
    }
    arena_free(&call->arena);
    return 0;
}

int open_calls(lua_State *L) {
    static const luaL_Reg methods[] = {
        { "step", job_step }, { "results", job_results }, { "logger", job_logger },
        { "__close", job_close }, { "__gc", job_gc }, { NULL, NULL },
    };
    lua_rawgetp(L, LUA_REGISTRYINDEX, core_of(L)->metatable[USERDATA_CALL]);
    add_functions(L, methods);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    return 0;
}

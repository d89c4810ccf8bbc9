#define _POSIX_C_SOURCE 200809L

#include "lua/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lua/fault.h"
#include "lua/handler.h"
#include "lua/pool.h"
#include "lua/value.h"

static void out_of_memory(void *owner) {
    struct call *call = owner;
    luaL_error(call->L, "not enough memory");
}

/* -------------------------------------------------------------------------------------------- opening, closing */

/* Boxes that are not in use wait in a list that hangs on the database; one in use hangs on the stack only, so that a longjmp
 * leaves it to the collector. */
static struct call *take_box(lua_State *L, int db_index) {
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

static void give_box_back(lua_State *L, const struct call *call) {
    lua_getiuservalue(L, call->self, CALL_DB);
    lua_getiuservalue(L, -1, DB_CALLS);
    lua_pushvalue(L, call->self);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 2);
}

struct call *call_open(lua_State *L, struct db *db, int db_index) {
    db_index = lua_absindex(L, db_index);
    if (db->closed) raise_usage(L, "the database is closed");
    luaL_checkstack(L, 40, "too many nested calls");
    struct call *call = take_box(L, db_index);
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

struct call *call_open_model(lua_State *L, struct model_box *box, int class_index) {
    if (box->pending) check_pending(L, class_index);
    class_model(L, class_index);
    lua_getiuservalue(L, -1, MODEL_DB);
    lua_remove(L, -2);
    struct call *call = call_open(L, box->db, -1);
    lua_remove(L, call->self - 1);
    call->self--;
    call->model = box->model;
    return call;
}

/* Lets go of cursor and connection; safe to call twice, and from __gc. */
static void release(struct call *call) {
    if (call->link && call->cursor) call->link->conn->driver->finish(call->link->conn, call->cursor);
    call->cursor = NULL;
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
    release(call);
    db->open_calls--;
    bool used = false;
    for (int value = CALL_RESULT; value <= CALL_VALUES; value++) {
        used = lua_getiuservalue(L, call->self, value) > LUA_TNIL;
        lua_pop(L, 1);
        if (!used) continue;
        lua_pushnil(L);
        lua_setiuservalue(L, call->self, value);
    }
    give_box_back(L, call);
    clear(call);
}

/* ------------------------------------------------------------------------------------------------------ errors */

int call_raise(lua_State *L, struct call *call) {
    push_call_error(L, call);
    call_close(L, call);
    return lua_error(L);
}

int call_fail(lua_State *L, struct call *call, enum error_code code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char message[1024];
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    error_set(&call->error, &call->arena, code, "%s", message);
    return call_raise(L, call);
}

int most_params(const struct call *call) {
    enum { USUAL = 32766 };             /* SQLite's own default; without a connection the call is not run, only written */
    const struct conn *conn = call->link ? call->link->conn : NULL;
    return conn ? conn->driver->max_params(conn) : USUAL;
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

/* ------------------------------------------------------------------------------------------------- the machine */

static long long now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000000000 + time.tv_nsec;
}

static const struct statement *control(struct call *call, const char *text) {
    struct statement *statement = arena_new(&call->arena, struct statement);
    statement->text = text;
    statement->len = strlen(text);
    statement->kind = STATEMENT_TRANSACTION;
    return statement;
}

static const struct statement *begin_statement(struct call *call) {
    enum begin_mode mode = call->atomic ? BEGIN_DEFAULT : call->locks ? BEGIN_DEFERRED : BEGIN_SNAPSHOT;
    if (!call->link->lease) return control(call, call->db->dialect->begin[mode]);
    call->savepoint = ++call->link->savepoints;
    return control(call, arena_printf(&call->arena, "SAVEPOINT liga_%d", call->savepoint));
}

static const struct statement *commit_statement(struct call *call) {
    if (!call->savepoint) return control(call, "COMMIT");
    return control(call, arena_printf(&call->arena, "RELEASE liga_%d", call->savepoint));
}

/* ROLLBACK; in a transaction the savepoint is rolled back first, then released. NULL: nothing is left to undo. */
static const struct statement *rollback_statement(struct call *call) {
    struct conn *conn = call->link->conn;
    if (conn->broken || !conn->driver->in_transaction(conn)) return NULL;
    if (!call->savepoint) return control(call, "ROLLBACK");
    const char *format = call->undone ? "RELEASE liga_%d" : "ROLLBACK TO liga_%d";
    return control(call, arena_printf(&call->arena, format, call->savepoint));
}

/* The next statement of the job's transaction bracket or of its body; NULL: the job is over. */
static const struct statement *next_statement(lua_State *L, struct call *call) {
    if (call->stage == STAGE_BEGIN) {
        call->stage = STAGE_BODY;
        bool alone = call->snapshot && !call->link->lease;
        if (call->atomic || alone) return begin_statement(call);
    }
    if (call->stage == STAGE_BODY) {
        if (!error_is_set(&call->error) && call->next(L, call)) return call->statement;
        call->stage = !call->begun ? STAGE_OVER : error_is_set(&call->error) ? STAGE_ROLLBACK : STAGE_COMMIT;
    }
    if (call->stage == STAGE_COMMIT) return commit_statement(call);
    if (call->stage == STAGE_ROLLBACK) {
        const struct statement *statement = rollback_statement(call);
        if (statement) return statement;
    }
    call->stage = STAGE_OVER;
    return NULL;
}

/* What the bracket learns from the statement that just ended. */
static void note_end(struct call *call, bool failed) {
    if (call->control || call->statement->kind != STATEMENT_TRANSACTION) {
        if (failed && call->stage == STAGE_BODY) call->stage = call->begun ? STAGE_ROLLBACK : STAGE_OVER;
        return;
    }
    switch (call->stage) {
    case STAGE_BODY:     call->begun = !failed; if (failed) call->stage = STAGE_OVER; break;
    case STAGE_COMMIT:   call->stage = failed ? STAGE_ROLLBACK : STAGE_OVER; break;
    case STAGE_ROLLBACK: if (failed || !call->savepoint || call->undone) call->stage = STAGE_OVER; call->undone = true; break;
    default: break;
    }
}

static enum drive skip_rows(struct call *call) {
    struct conn *conn = call->link->conn;
    enum drive drive;
    while ((drive = conn->driver->step(conn, call->cursor, &call->arena, &call->error)) == DRIVE_ROW) call->rows++;
    return drive;
}

static bool start(struct call *call) {
    struct conn *conn = call->link->conn;
    call->rows = 0;
    if (call->driven) call->started = now_ns();
    call->cursor = conn->driver->start(conn, call->statement, &call->arena, &call->error);
    return call->cursor != NULL;
}

static enum drive run_statement(lua_State *L, struct call *call) {
    if (!call->cursor && !start(call)) return DRIVE_FAILED;
    bool body = call->statement->kind != STATEMENT_TRANSACTION;
    return body && call->take ? call->take(L, call) : skip_rows(call);
}

static void end_statement(struct call *call, enum drive drive) {
    struct conn *conn = call->link->conn;
    if (call->cursor) {
        if (drive == DRIVE_DONE && call->statement->kind != STATEMENT_TRANSACTION) {
            call->affected = call->cursor->affected;
            call->last_id = call->cursor->last_id;
        }
        conn->driver->finish(conn, call->cursor);
    }
    call->cursor = NULL;
    if (call->statement->kind == STATEMENT_SCHEMA) pool_clear_caches(call->db);
    note_end(call, drive == DRIVE_FAILED);
}

/* Rolling back must not hide the first error, and its own error is none of the user's. */
static enum drive run_bracketed(lua_State *L, struct call *call) {
    if (call->stage != STAGE_ROLLBACK) return run_statement(L, call);
    struct error first = call->error;
    error_clear(&call->error);
    enum drive drive = run_statement(L, call);
    if (drive == DRIVE_FAILED) call->link->conn->broken = true;
    call->error = first;
    return drive;
}

static void settle_outcome(struct call *call) {
    if (!error_is_set(&call->error) || !call->link) return;
    if (call->begun && call->error.outcome == OUTCOME_NONE) call->error.outcome = OUTCOME_ROLLED_BACK;
}

static enum step step(lua_State *L, struct call *call) {
    if (!call->link) {
        call->link = pool_acquire(L, call);
        call->link->user = call;
    }
    while (call->stage != STAGE_OVER) {
        if (!call->cursor) call->statement = next_statement(L, call);
        if (!call->statement) break;
        enum drive drive = run_bracketed(L, call);
        if (drive == DRIVE_WAIT) return STEP_WAIT;
        end_statement(call, drive);
        if (call->driven) return STEP_EVENT;
    }
    settle_outcome(call);
    return STEP_DONE;
}

/* --------------------------------------------------------------------------------------------------- blocking */

static void push_params(lua_State *L, const struct statement *statement) {
    lua_createtable(L, statement->param_count, 0);
    for (int i = 0; i < statement->param_count; i++) {
        push_value(L, statement->params[i]);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            lua_pushlightuserdata(L, NULL);
        }
        lua_rawseti(L, -2, i + 1);
    }
}


static int finish(lua_State *L, struct call *call) {
    if (error_is_set(&call->error)) return call_raise(L, call);
    release(call);
    int count = call->results ? call->results(L, call) : 0;
    call_close(L, call);
    return count;
}

static int after_drive(lua_State *L, int status, lua_KContext context) {
    (void)status;
    return lua_gettop(L) - (int)context;
}

/* Somebody has to be called between statements: operation.lua drives the box. */
static int drive_from_lua(lua_State *L, struct call *call) {
    int before = lua_gettop(L);
    push_core_value(L, CORE_DRIVE);
    lua_pushvalue(L, call->self);
    lua_callk(L, 1, LUA_MULTRET, before, after_drive);
    return after_drive(L, LUA_OK, before);
}

/* What the job would send first: its text and parameters; nothing where it has nothing to send. */
static int dry_run(lua_State *L, struct call *call) {
    bool some = call->next(L, call);
    if (error_is_set(&call->error)) return call_raise(L, call);
    if (some) {
        lua_pushlstring(L, call->statement->text, call->statement->len);
        push_params(L, call->statement);
    }
    call_close(L, call);
    return some ? 2 : 0;
}

int call_run(lua_State *L, struct call *call) {
    if (call->db->dry) return dry_run(L, call);
    if (call->db->driven) call->driven = true;
    if (call->driven) return drive_from_lua(L, call);
    step(L, call);
    return finish(L, call);
}

/* --------------------------------------------------------------------------------------------- driven from Lua */

static const char *kind_name(enum statement_kind kind) {
    static const char *const names[] = {
        [STATEMENT_READ] = "query", [STATEMENT_WRITE] = "query",
        [STATEMENT_TRANSACTION] = "transaction", [STATEMENT_SCHEMA] = "schema",
    };
    return names[kind];
}

/* The text and {ms, params, rows, kind, model, error} of the statement that just ended. */
static int push_event(lua_State *L, struct call *call) {
    const struct statement *statement = call->statement;
    lua_pushliteral(L, "event");
    lua_pushlstring(L, statement->text, statement->len);
    lua_createtable(L, 0, 6);
    lua_pushnumber(L, (lua_Number)(now_ns() - call->started) / 1e6);
    lua_setfield(L, -2, "ms");
    push_params(L, statement);
    lua_setfield(L, -2, "params");
    lua_pushinteger(L, statement->kind == STATEMENT_WRITE && call->affected ? call->affected : call->rows);
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

static struct call *check_call(lua_State *L) {
    struct call *call = userdata_check(L, 1, USERDATA_CALL, "a job");
    if (!call->db) raise_usage(L, "the job is over");
    lua_settop(L, 1);
    luaL_checkstack(L, 40, "too many nested calls");
    call->L = L;
    call->self = 1;
    return call;
}

static int job_step(lua_State *L) {
    struct call *call = check_call(L);
    enum step reached = step(L, call);
    if (reached == STEP_EVENT) return push_event(L, call);
    if (error_is_set(&call->error)) return call_raise(L, call);
    lua_pushstring(L, reached == STEP_DONE ? "done" : "wait");
    return 1;
}

static int job_results(lua_State *L) {
    return finish(L, check_call(L));
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

/* A job that is left before its end (error in a logger, closed coroutine): its transaction bracket is undone. */
static void undo(lua_State *L, struct call *call) {
    if (!call->begun || call->stage == STAGE_OVER || !call->link) return;
    struct conn *conn = call->link->conn;
    if (call->cursor) conn->driver->finish(conn, call->cursor);
    call->cursor = NULL;
    call->driven = false;
    call->stage = STAGE_ROLLBACK;
    step(L, call);
}

static int job_close(lua_State *L) {
    struct call *call = userdata_test(L, 1, USERDATA_CALL);
    if (!call || !call->db) return 0;
    lua_settop(L, 1);
    call->L = L;
    call->self = 1;
    undo(L, call);
    call_close(L, call);
    return 0;
}

/* A box that a longjmp left behind. */
static int job_gc(lua_State *L) {
    struct call *call = userdata_test(L, 1, USERDATA_CALL);
    if (!call) return 0;
    if (call->db) {
        call->L = L;
        call->self = 1;
        undo(L, call);
        release(call);
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

/* The machine that runs a job: its statements in their bracket, started, fetched and ended. */
#include "lua/job.h"

#include <string.h>

#include "base/clock.h"
#include "lua/hydrate.h"
#include "lua/pool.h"
#include "lua/value.h"

static struct statement *control(struct call *call, const char *text) {
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

/* Writes of several statements always; reads of several, unless a transaction is open already. */
static bool is_bracketed(const struct call *call) {
    return call->atomic || ((call->snapshot || call->search_path) && !call->link->lease);
}

/* The path holds until the transaction ends, or is put back. */
static const struct statement *path_statement(struct call *call, const char *path) {
    struct value *param = arena_new(&call->arena, struct value);
    struct statement *statement = control(call, "SELECT current_setting('search_path'), set_config('search_path', $1, true)");
    *param = value_text(path, strlen(path));
    statement->params = param;
    statement->param_count = 1;
    return statement;
}

static enum drive take_path(lua_State *L, struct call *call) {
    enum drive drive;
    (void)L;
    while ((drive = call_step(call)) == DRIVE_ROW)
        if (!call->path_before)
            call->path_before = arena_text(&call->arena, call->cursor->cells[0].as.text, call->cursor->cells[0].len);
    return drive;
}

static enum stage after_body(const struct call *call) {
    bool open = call->begun || (is_bracketed(call) && call->flights);     /* begun, or about to be */
    if (!open && call->path_before && !error_is_set(&call->error)) return STAGE_PATH_BACK;
    return !open ? STAGE_OVER : error_is_set(&call->error) ? STAGE_ROLLBACK : STAGE_COMMIT;
}

/* COMMIT may be on its way together with the last statement: nothing is planned behind it. */
static const struct statement *take_commit(struct call *call) {
    call->stage = STAGE_OVER;
    return commit_statement(call);
}

/* A statement that was started. */
struct flight {
    struct flight *next;
    const struct statement *statement;
    struct cursor *cursor;              /* NULL: it could not even be started */
    enum stage stage;                   /* what it is for */
    enum drive (*take)(lua_State *L, struct call *call);
    long long started;                  /* ns; when it was sent, or the one before it was told of; 0: not yet */
};

static void append(struct flight **list, struct flight *flight) {
    while (*list) list = &(*list)->next;
    *list = flight;
    flight->next = NULL;
}

static const struct statement *take_again(struct call *call) {
    const struct flight *flight = call->again;
    call->take = flight->take;
    call->again = flight->next;
    call->ahead = call->again != NULL;
    return flight->statement;
}

/* The next statement of the job's transaction bracket or of its body; NULL: the job is over. */
static const struct statement *next_statement(lua_State *L, struct call *call) {
    call->planned = call->stage;
    if (call->stage == STAGE_BEGIN) {
        call->stage = call->search_path ? STAGE_PATH : STAGE_BODY;
        call->ahead = true;
        if (is_bracketed(call)) return begin_statement(call);
    }
    if (call->stage == STAGE_PATH) {
        call->planned = STAGE_PATH;
        call->stage = STAGE_BODY;
        call->ahead = true;
        return path_statement(call, call->search_path);
    }
    if (call->stage == STAGE_BODY) {
        call->planned = STAGE_BODY;
        call->ahead = false;
        if (call->again) return take_again(call);
        if (!error_is_set(&call->error) && call->next(L, call)) return call->statement;
        if (error_is_set(&call->error) && call->flights) return NULL;        /* it is known later whether there is a transaction */
        call->planned = call->stage = after_body(call);
    }
    call->ahead = false;
    if (call->stage == STAGE_COMMIT) return take_commit(call);
    if (call->stage == STAGE_PATH_BACK) {
        call->stage = STAGE_OVER;
        return path_statement(call, call->path_before);
    }
    const struct statement *statement = call->stage == STAGE_ROLLBACK ? rollback_statement(call) : NULL;
    if (!statement) call->stage = STAGE_OVER;
    return statement;
}

/* Whether the Lua side has hooks that see what is about to be sent. */
static bool announces(const struct call *call) {
    return call->driven && call->db->announces;
}

/* … that see connections come and go. */
static bool is_watched(const struct call *call) {
    return call->driven && call->db->watched;
}

/* Starts the next statement; NULL: there is none now (or an error). */
static struct flight *start_next(lua_State *L, struct call *call) {
    struct conn *conn = call->link->conn;
    call->ahead = false;
    const struct statement *statement = call->announced ? call->announced : next_statement(L, call);
    call->announced = NULL;
    if (!statement) return NULL;
    struct flight *flight = arena_new(&call->arena, struct flight);
    flight->statement = statement;
    flight->stage = call->planned;
    flight->take = call->planned == STAGE_BODY ? call->take : call->planned == STAGE_PATH ? take_path : NULL;
    if (call->driven) flight->started = clock_ns();
    flight->cursor = conn->driver->start(conn, statement, &call->arena, &call->error);
    append(&call->flights, flight);
    return flight;
}

/* What to wait for: the server, or (no descriptor) a pause before the pool is asked again. */
struct waiting job_waits_for(const struct call *call) {
    if (!call->link) return pool_pause(call);
    return call->link->conn->driver->waits_for(call->link->conn);
}

/* The window of a job is known with its first statement. */
static int most_flights(const struct call *call) {
    return announces(call) ? 1 : call->window ? call->window : call->link->conn->driver->pipeline;
}

static int count_flights(const struct call *call) {
    int count = 0;
    for (const struct flight *flight = call->flights; flight; flight = flight->next) count++;
    return count;
}

/* Whether the last of a window of statements is not sent as a whole: more would only wait with it. */
static bool is_sending(const struct call *call) {
    return call->window && job_waits_for(call).write;
}

/* Starts as many statements as can be on their way together: those whose `next` does not ask what became of the one before. */
static void start_flights(lua_State *L, struct call *call) {
    for (int i = count_flights(call); i < most_flights(call); i++) {
        const struct flight *flight = start_next(L, call);
        if (!flight || !flight->cursor || !call->ahead || is_sending(call)) return;
    }
}

/* Another statement can follow while others are on their way: once these are all sent, it is made while the server works. */
static bool goes_on(const struct call *call) {
    bool fine = call->stage == STAGE_BODY && !call->failing && !error_is_set(&call->error);
    return fine && call->window && !is_sending(call);
}

static enum drive skip_rows(struct call *call) {
    enum drive drive;
    while ((drive = call_step(call)) == DRIVE_ROW) call->rows++;
    return drive;
}

static enum drive run_flight(lua_State *L, struct call *call, struct flight *flight) {
    struct conn *conn = call->link->conn;
    if (call->driven && !flight->started) flight->started = clock_ns();
    call->running = flight->statement;
    call->cursor = flight->cursor;
    call->started = flight->started;
    if (flight->stage == STAGE_BODY) call->rows = 0;        /* what the body gave is asked for when the bracket is closed */
    if (!flight->cursor) return DRIVE_FAILED;
    enum drive drive = conn->driver->fetch ? conn->driver->fetch(conn, call->cursor, &call->arena, &call->error) : DRIVE_DONE;
    if (drive != DRIVE_DONE) return drive;
    return flight->take ? flight->take(L, call) : skip_rows(call);
}

/* Rolling back must not hide the first error, and its own error is none of the user's. */
static enum drive run_bracketed(lua_State *L, struct call *call, struct flight *flight) {
    if (flight->stage != STAGE_ROLLBACK) return run_flight(L, call, flight);
    struct error first = call->error;
    error_clear(&call->error);
    enum drive drive = run_flight(L, call, flight);
    if (drive == DRIVE_FAILED) call->link->conn->broken = true;
    call->error = first;
    return drive;
}

static void drop_flight(struct call *call) {
    struct flight *flight = call->flights;
    struct conn *conn = call->link->conn;
    call->flights = flight->next;
    if (flight->cursor) conn->driver->finish(conn, flight->cursor);
    call->cursor = NULL;
}

void call_drop_flights(struct call *call) {
    if (call->flights && pool_forked(call->db)) call->flights = NULL;        /* the parent waits for these answers */
    while (call->link && call->link->conn && call->flights) drop_flight(call);
    call->flights = NULL;
}

/* Inside a transaction a stale statement can be sent once more when the bracket is undone, if nothing was done before it; those that
 * went along with it and were dropped, too. */
static void plan_again(struct call *call, struct flight *flight, bool dropped) {
    bool first = !call->repeated && call->begun && !call->taken && call->error.stale;
    if (dropped ? !call->again : !first) return;
    append(&call->again, flight);
    call->repeated = true;
}

/* The bracket is undone: the job is over, or begins once more. */
static void end_rollback(struct call *call) {
    call->stage = STAGE_OVER;
    if (!call->again) return;
    error_clear(&call->error);
    call->stage = STAGE_BEGIN;
    call->begun = false;
}

/* What comes next, now that a statement has ended. */
static void note_end(struct call *call, enum stage stage, bool failed) {
    switch (stage) {
    case STAGE_BEGIN:
        call->begun = !failed;
        if (failed) call->stage = STAGE_OVER;
        break;
    case STAGE_PATH:
    case STAGE_PATH_BACK:
    case STAGE_BODY:
        if (failed) call->stage = call->begun ? STAGE_ROLLBACK : STAGE_OVER;
        break;
    case STAGE_COMMIT:
        call->stage = failed ? STAGE_ROLLBACK : STAGE_OVER;
        break;
    case STAGE_ROLLBACK:
        call->undone = !failed && call->savepoint && !call->undone;      /* ROLLBACK TO is done, RELEASE comes */
        if (!call->undone) end_rollback(call);
        break;
    case STAGE_OVER:
        break;
    }
}

/* Ends the first flight. False: it was dropped, as one before it has failed; nobody needs to hear of it. */
static bool end_flight(struct call *call, enum drive drive) {
    struct flight *flight = call->flights;
    bool failed = drive == DRIVE_FAILED, dropped = call->failing, body = flight->stage == STAGE_BODY;
    if (failed && !dropped && flight->stage != STAGE_ROLLBACK && !error_is_set(&call->error))
        error_set(&call->error, &call->arena, ERROR_DATABASE, "the statement was not run, as the connection was in disorder");
    if (!failed && body) {
        call->taken = true;
        call->affected = call->cursor->affected;
        call->last_id = call->cursor->last_id;
    }
    if (flight->statement->kind == STATEMENT_SCHEMA) pool_clear_caches(call->db);
    drop_flight(call);
    if (failed && body) plan_again(call, flight, dropped);
    if (!dropped) note_end(call, flight->stage, failed);
    call->failing = call->flights && (failed || dropped);
    if (call->flights) call->flights->started = 0;
    return !dropped;
}

static void settle_outcome(struct call *call) {
    if (!error_is_set(&call->error) || !call->link) return;
    if (call->begun && !call->guarded && call->error.outcome == OUTCOME_NONE) call->error.outcome = OUTCOME_ROLLED_BACK;
    if (call->kept && !call->begun && !call->link->lease) call->error.outcome = OUTCOME_UNKNOWN;
}

/* A write of one statement inside a transaction: where the engine would abort the transaction with it, it gets a savepoint. */
static bool wants_savepoint(const struct call *call) {
    const struct lease *lease = call->link->lease;
    return lease && !lease->unguarded && call->writes && !call->unguarded && call->db->dialect->errors_abort;
}

/* Takes a connection and makes it ready. DRIVE_WAIT: for another one to give it back, or for the server. */
static enum drive board(lua_State *L, struct call *call) {
    if (!call->link) {
        call->link = pool_acquire(L, call);
        if (!call->link) return DRIVE_WAIT;
        call->link->user = call;
        if (is_watched(call) && !call->link->conn) call->opening = OPENING_ASKED;
    }
    if (call->opening == OPENING_ASKED) return DRIVE_WAIT;
    enum drive drive = pool_ready(call);
    if (drive == DRIVE_FAILED && !error_is_set(&call->error)) return board(L, call);        /* elsewhere */
    if (drive == DRIVE_DONE && !call->aboard) {
        call->aboard = true;
        if (!call->atomic && wants_savepoint(call)) call->atomic = call->guarded = true;
    }
    return drive;
}

/* A read whose replica was lost is started again on another server. */
static bool move(struct call *call) {
    struct flight *flight = call->flights;
    if (flight->stage != STAGE_BODY || flight->next || flight->statement->kind != STATEMENT_READ || call->begun) return false;
    struct cursor *cursor = flight->cursor;
    flight->cursor = NULL;
    if (cursor) call->link->conn->driver->finish(call->link->conn, cursor);
    if (!pool_moves(call)) return false;
    call->aboard = false;
    call->moved = true;
    return true;
}

/* Starts the statement that a lost server did not answer on the one that took its place. */
static void start_again(struct call *call) {
    struct conn *conn = call->link->conn;
    call->flights->cursor = conn->driver->start(conn, call->flights->statement, &call->arena, &call->error);
    call->moved = false;
}

/* Runs the flights until one has ended that somebody wants to hear of. */
static enum step run(lua_State *L, struct call *call) {
    if (call->moved) start_again(call);
    while (call->flights || call->announced || call->stage != STAGE_OVER) {
        if (!call->flights && announces(call) && !call->announced) {
            call->announced = next_statement(L, call);
            if (call->announced) return STEP_QUERY;
            continue;
        }
        if (!call->flights || goes_on(call)) start_flights(L, call);
        if (!call->flights) continue;
        enum drive drive = run_bracketed(L, call, call->flights);
        if (drive == DRIVE_WAIT) return STEP_WAIT;
        if (drive == DRIVE_FAILED && call->db->site_count > 1 && move(call)) return STEP_WAIT;
        bool heard = end_flight(call, drive);
        if (heard && call->driven) return STEP_EVENT;
    }
    settle_outcome(call);
    return STEP_DONE;
}

static void wait_blocking(const struct call *call) {
    struct waiting waiting = job_waits_for(call);
    wait_for(&waiting, call->link && call->db->busy_poll ? &call->link->habit : NULL);
}

/* Once for each call, and never between the user's own statements and the end of their transaction. */
static bool tells_of_closed(struct call *call) {
    if (!is_watched(call) || !call->link || call->boarded || call->control) return false;
    call->boarded = true;
    return call->db->lost_sight > 0;
}

enum step job_advance(lua_State *L, struct call *call) {
    for (;;) {
        enum drive drive = call->aboard ? DRIVE_DONE : board(L, call);
        if (drive == DRIVE_FAILED) return STEP_DONE;
        if (tells_of_closed(call)) return STEP_CLOSED;
        if (call->opening == OPENING_ASKED) {
            call->opening = OPENING_TOLD;
            return STEP_OPENING;
        }
        if (call->opening == OPENING_TOLD && call->aboard) {
            call->opening = OPENING_UNTOLD;
            return STEP_OPENED;
        }
        enum step reached = drive == DRIVE_WAIT ? STEP_WAIT : run(L, call);
        if (reached != STEP_WAIT || call->yields) return reached;
        wait_blocking(call);
    }
}

bool job_is_open(const struct call *call) {
    bool over = call->stage == STAGE_OVER && !call->flights && !call->announced;
    return call->begun && !over && call->link && !pool_forked(call->db);
}

/* A job that is left before its end (error in a logger, closed coroutine): its transaction bracket is undone. */
void job_undo(lua_State *L, struct call *call) {
    if (!job_is_open(call)) return;
    call_drop_flights(call);
    call->driven = call->yields = call->failing = false;
    call->announced = NULL;
    call->stage = STAGE_ROLLBACK;
    job_advance(L, call);
}

/* -------------------------------------------------------------------------------------------------- to its end */

int job_finish(lua_State *L, struct call *call) {
    if (error_is_set(&call->error)) return call_raise(L, call);
    call_release(call);
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

/* What the job would send first: its text and parameters, and what includes add to it; nothing where it has nothing to send. */
static int dry_run(lua_State *L, struct call *call) {
    bool some = call->next(L, call);
    if (error_is_set(&call->error)) return call_raise(L, call);
    if (some) {
        lua_pushlstring(L, call->statement->text, call->statement->len);
        push_values(L, call->statement->params, call->statement->param_count);
        if (!push_parts(L, call)) return call_raise(L, call);
    }
    call_close(L, call);
    return some ? 3 : 0;
}

int call_run(lua_State *L, struct call *call) {
    if (call->db->dry) return dry_run(L, call);
    call->yields = call->db->waits && lua_isyieldable(L);
    if (call->db->driven || call->yields) call->driven = true;
    if (call->driven) return drive_from_lua(L, call);
    job_advance(L, call);
    return job_finish(L, call);
}

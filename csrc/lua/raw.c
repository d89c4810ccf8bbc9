#define _POSIX_C_SOURCE 200809L

#include "lua/raw.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/names.h"
#include "base/utf8.h"
#include "lua/hydrate.h"
#include "lua/marker.h"
#include "lua/value.h"
#include "lua/where.h"
#include "sql/scan.h"

enum placeholders { PLACEHOLDERS_NONE, PLACEHOLDERS_BIND, PLACEHOLDERS_REPLACEMENTS };

struct command {
    struct command *next;
    size_t start, end;
    struct statement statement;
    bool inserts;               /* an INSERT, perhaps behind WITH */
    bool sets;                  /* SET, RESET: what they change is the session's, no row */
    bool defines;               /* $1 in it may belong to what it makes: the body of a function */
};

struct raw {
    bool inserts;               /* the last command that was sent does */
    const char *text;
    size_t len;
    enum placeholders placeholders;
    int values;                     /* stack index of bind or replacements */
    int list_length;                /* -1: a map */
    bool multiple, nest, map_to_model;
    struct command *commands, *at;
    struct value *params;
    int param_count, param_size;
    const struct model *model;
    int used;                       /* list: values used so far, or the largest $n */
    const char **names;             /* of the result's columns */
    int column_count;
};

static bool wrong(struct call *call, const char *what, const char *sentence) {
    return error_set(&call->error, &call->arena, ERROR_USAGE, "%s: %s", what, sentence);
}

/* ----------------------------------------------------------------------------------------------------- commands */

static struct sql_scan scan_of(const struct call *call, const struct raw *raw, size_t start, size_t end) {
    return (struct sql_scan){ .text = raw->text, .len = end, .at = start,
                              .dollar_quotes = call->db->dialect->dollar_quotes };
}

/* The body of CREATE TRIGGER holds semicolons; it ends with END. */
struct splitting {
    int words;
    bool creates, trigger, after_end;
    int cases;
};

static void note_word(struct splitting *state, const struct sql_scan *scan) {
    state->words++;
    if (state->words == 1) state->creates = sql_is_word(scan, "CREATE");
    if (state->creates && state->words <= 3 && sql_is_word(scan, "TRIGGER")) state->trigger = true;
    if (sql_is_word(scan, "CASE")) state->cases++;
    state->after_end = sql_is_word(scan, "END") && state->cases == 0;
    if (sql_is_word(scan, "END") && state->cases > 0) state->cases--;
}

static void add_command(struct call *call, struct raw *raw, size_t start, size_t end) {
    struct command **link = &raw->commands;
    while (*link) link = &(*link)->next;
    *link = arena_new(&call->arena, struct command);
    (*link)->start = start;
    (*link)->end = end;
}

static bool split(struct call *call, struct raw *raw) {
    struct sql_scan scan = scan_of(call, raw, 0, raw->len);
    struct splitting state = { 0 };
    size_t start = 0;
    bool content = false;
    for (enum sql_token token; (token = sql_next(&scan)) != SQL_END;) {
        if (token == SQL_UNFINISHED) return wrong(call, "query", "a string, quoted name or comment does not end");
        if (token == SQL_WORD) note_word(&state, &scan);
        bool ends = token == SQL_SEMICOLON && (!state.trigger || state.after_end);
        if (ends && content) add_command(call, raw, start, scan.start);
        if (ends) start = scan.at, state = (struct splitting){ 0 }, content = false;
        else if (token != SQL_BLANK) content = true;
        if (token != SQL_WORD && token != SQL_BLANK) state.after_end = false;
    }
    if (content) add_command(call, raw, start, raw->len);
    if (!raw->commands) return wrong(call, "query", "the SQL is empty");
    if (raw->commands->next && !raw->multiple) return wrong(call, "query", "several commands need multiple = true");
    return true;
}

static bool first_word_is(const struct sql_scan *scan, const char *const *words) {
    for (; *words; words++)
        if (sql_is_word(scan, *words)) return true;
    return false;
}

/* SET, LISTEN, CREATE TEMP …: what the next user of the connection must not notice. Looks ahead in a copy. */
static bool changes_session(const struct sql_scan *first) {
    static const char *const always[] = { "SET", "RESET", "LISTEN", "LOAD", NULL };
    static const char *const temporary[] = { "TEMP", "TEMPORARY", NULL };
    struct sql_scan scan = *first;
    if (first_word_is(&scan, always)) return true;
    if (!sql_is_word(&scan, "CREATE")) return false;
    while (sql_next(&scan) == SQL_BLANK) {}
    return first_word_is(&scan, temporary);
}

/* Whether one of the words stands somewhere in the rest of the command. */
static bool has_word(const struct sql_scan *from, const char *const *words) {
    struct sql_scan scan = *from;
    for (enum sql_token token; (token = sql_next(&scan)) != SQL_END;)
        if (token == SQL_WORD && first_word_is(&scan, words)) return true;
    return false;
}

/* WITH … is what its words say: rows may be written in any of its parts. */
static bool reads_only(const struct sql_scan *first) {
    static const char *const reads[] = { "SELECT", "VALUES", "TABLE", "EXPLAIN", "PRAGMA", "SHOW", NULL };
    static const char *const writes[] = { "INSERT", "UPDATE", "DELETE", "MERGE", "INTO", NULL };
    return first_word_is(first, reads) || (sql_is_word(first, "WITH") && !has_word(first, writes));
}

/* Whether SET or RESET may let a session write that may not. */
static bool lifts_read_only(const struct sql_scan *first) {
    static const char *const words[] = { "transaction_read_only", "default_transaction_read_only", "WRITE", "ALL", NULL };
    return has_word(first, words);
}

static bool classify(struct call *call, const struct raw *raw, struct command *command) {
    static const char *const transaction[] = { "BEGIN", "START", "COMMIT", "ROLLBACK", "END", "ABORT", "SAVEPOINT", "RELEASE",
                                               "PREPARE", NULL };
    static const char *const schema[] = { "CREATE", "DROP", "ALTER", "REINDEX", "VACUUM", "ANALYZE", "COMMENT", "GRANT", "REVOKE", NULL };
    static const char *const session[] = { "SET", "RESET", NULL };
    static const char *const inserts[] = { "INSERT", "REPLACE", "WITH", NULL };
    struct sql_scan scan = scan_of(call, raw, command->start, command->end);
    enum sql_token token;
    while ((token = sql_next(&scan)) == SQL_BLANK) {}
    command->statement.soils = token == SQL_WORD && changes_session(&scan);
    command->inserts = token == SQL_WORD && first_word_is(&scan, inserts);
    if (token == SQL_WORD && first_word_is(&scan, transaction))
        return wrong(call, "query", "transaction commands are not sent raw: use db:transaction");
    bool lifts = token == SQL_WORD && first_word_is(&scan, session) && lifts_read_only(&scan);
    if (lifts && call->db->options.read_only) return wrong(call, "query", "the database was connected with readOnly, which stays");
    command->sets = token == SQL_WORD && first_word_is(&scan, session) && !lifts;
    command->statement.kind = token != SQL_WORD ? STATEMENT_READ : reads_only(&scan) ? STATEMENT_READ
                            : first_word_is(&scan, schema) ? STATEMENT_SCHEMA : STATEMENT_WRITE;
    command->defines = command->statement.kind == STATEMENT_SCHEMA;
    return true;
}

/* ------------------------------------------------------------------------------------------------- placeholders */

static bool add_param(lua_State *L, struct call *call, struct raw *raw, int index, const char *what) {
    struct value value;
    if (lua_istable(L, index) || marker_test(L, index)) return wrong(call, what, "a plain value expected");
    if (!read_plain(L, index, &value, &call->arena, &call->error)) return false;
    if (value.kind == VALUE_TEXT && utf8_check(value.as.text, value.len, NULL) != UTF8_FINE)
        return error_set(&call->error, &call->arena, ERROR_VALIDATION, "%s: a text with NUL or invalid UTF-8 can't be sent", what);
    if (raw->param_count == raw->param_size) {
        int size = raw->param_size ? raw->param_size * 2 : 16;
        struct value *params = arena_array(&call->arena, struct value, size);
        if (raw->param_count) memcpy(params, raw->params, sizeof *params * (size_t)raw->param_count);
        raw->params = params;
        raw->param_size = size;
    }
    raw->params[raw->param_count++] = value;
    return true;
}

static void put_mark(const struct call *call, const struct raw *raw, struct buf *out) {
    if (call->db->dialect->mark == MARK_DOLLAR) buf_addf(out, "$%d", raw->param_count);
    else buf_addc(out, '?');
}

/* A list in the place of one value becomes as many marks: IN (:ids). */
static bool put_value(lua_State *L, struct call *call, struct raw *raw, struct buf *out, int index, const char *what) {
    struct where_reader reader = where_reader(call, NULL, what);
    if (!lua_istable(L, index)) {
        if (!add_param(L, call, raw, index, what)) return false;
        put_mark(call, raw, out);
        return true;
    }
    if (raw->placeholders == PLACEHOLDERS_BIND) return wrong(call, what, "a plain value expected, got a table");
    int length = list_length(L, &reader, index);
    if (length < 0) return false;
    if (!length) buf_adds(out, "NULL");
    for (int i = 1; i <= length; i++) {
        lua_rawgeti(L, index, i);
        bool fine = add_param(L, call, raw, lua_gettop(L), what);
        lua_pop(L, 1);
        if (!fine) return false;
        if (i > 1) buf_adds(out, ", ");
        put_mark(call, raw, out);
    }
    return true;
}

static bool put_named(lua_State *L, struct call *call, struct raw *raw, struct buf *out, const struct sql_scan *scan) {
    const char *what = raw->placeholders == PLACEHOLDERS_BIND ? "bind" : "replacements";
    const char *name = arena_text(&call->arena, sql_token_text(scan, 1), scan->size - 1);
    push_field(L, raw->values, name);
    if (lua_isnil(L, -1))
        return wrong(call, what, arena_printf(&call->arena, "no value for \"%s\" (liga.null is SQL's NULL)", name));
    bool fine = put_value(L, call, raw, out, lua_gettop(L), what);
    lua_pop(L, 1);
    return fine;
}

static bool put_numbered(lua_State *L, struct call *call, struct raw *raw, struct buf *out, lua_Integer number, const char *what) {
    if (number > raw->used) raw->used = (int)number;
    if (number < 1 || number > raw->list_length)
        return wrong(call, what, arena_printf(&call->arena, "the list has %d values, but the SQL asks for more", raw->list_length));
    lua_rawgeti(L, raw->values, number);
    bool fine = put_value(L, call, raw, out, lua_gettop(L), what);
    lua_pop(L, 1);
    return fine;
}

static lua_Integer number_of(const struct sql_scan *scan) {
    lua_Integer number = 0;
    for (size_t i = 1; i < scan->size && number < 1000000; i++) number = number * 10 + (sql_token_text(scan, i)[0] - '0');
    return number;
}

static bool put_token(lua_State *L, struct call *call, struct raw *raw, struct buf *out, enum sql_token token,
                      const struct sql_scan *scan, bool defines) {
    bool bind = raw->placeholders == PLACEHOLDERS_BIND, replace = raw->placeholders == PLACEHOLDERS_REPLACEMENTS;
    bool map = raw->list_length < 0;
    if (bind && token == SQL_DOLLAR_NUMBER && !map) return put_numbered(L, call, raw, out, number_of(scan), "bind");
    if (bind && token == SQL_DOLLAR_NUMBER) return wrong(call, "bind", "$1 … need a list of values");
    if (bind && token == SQL_DOLLAR_NAME && map) return put_named(L, call, raw, out, scan);
    if (bind && token == SQL_DOLLAR_NAME) return wrong(call, "bind", "$name needs a table of named values");
    if (replace && token == SQL_QUESTION && !map) return put_numbered(L, call, raw, out, raw->used + 1, "replacements");
    if (replace && token == SQL_QUESTION) return wrong(call, "replacements", "? needs a list of values");
    if (replace && token == SQL_COLON_NAME && map) return put_named(L, call, raw, out, scan);
    if (replace && token == SQL_COLON_NAME) return wrong(call, "replacements", ":name needs a table of named values");
    if (!bind && !defines && (token == SQL_DOLLAR_NUMBER || token == SQL_DOLLAR_NAME))
        return wrong(call, "bind", arena_printf(&call->arena, "the SQL asks for %.*s, but no bind is given", (int)scan->size,
                                                sql_token_text(scan, 0)));
    buf_add(out, sql_token_text(scan, 0), scan->size);
    return true;
}

/* SELECT … FOR UPDATE (SHARE, NO KEY UPDATE, KEY SHARE): no replica does that. */
static bool locks(struct call *call, const struct raw *raw, const struct command *command) {
    static const char *const modes[] = { "UPDATE", "SHARE", "NO", "KEY", NULL };
    struct sql_scan scan = scan_of(call, raw, command->start, command->end);
    bool after_for = false;
    for (enum sql_token token; (token = sql_next(&scan)) != SQL_END;) {
        if (token == SQL_BLANK) continue;
        if (after_for && token == SQL_WORD && first_word_is(&scan, modes)) return true;
        after_for = token == SQL_WORD && sql_is_word(&scan, "FOR");
    }
    return false;
}

static bool write_command(lua_State *L, struct call *call, struct raw *raw, struct command *command) {
    struct sql_scan scan = scan_of(call, raw, command->start, command->end);
    struct buf out;
    buf_init(&out, &call->arena);
    raw->params = NULL;
    raw->param_count = raw->param_size = 0;
    for (enum sql_token token; (token = sql_next(&scan)) != SQL_END;)
        if (!put_token(L, call, raw, &out, token, &scan, command->defines)) return false;
    struct statement *statement = &command->statement;
    statement->text = out.text;
    statement->len = out.len;
    statement->params = raw->params;
    statement->param_count = raw->param_count;
    statement->one_off = statement->kind == STATEMENT_SCHEMA;
    statement->typed = true;
    return true;
}

static bool write_commands(lua_State *L, struct call *call, struct raw *raw) {
    for (struct command *command = raw->commands; command; command = command->next)
        if (!classify(call, raw, command)) return false;
    for (struct command *command = raw->commands; command; command = command->next)
        if (!write_command(L, call, raw, command)) return false;
    if (raw->list_length > 0 && raw->used < raw->list_length)
        return wrong(call, raw->placeholders == PLACEHOLDERS_BIND ? "bind" : "replacements",
                     arena_printf(&call->arena, "%d values given, but the SQL uses %d", raw->list_length, raw->used));
    for (const struct command *command = raw->commands; command; command = command->next) {
        if (command->sets) call->primary = true;
        else if (command->statement.kind != STATEMENT_READ) call->writes = true;
        if (locks(call, raw, command)) call->locks = true;
    }
    return true;
}

/* ----------------------------------------------------------------------------------------------------- options */

static bool read_values(lua_State *L, struct call *call, struct raw *raw, int index, enum placeholders placeholders,
                        const char *name) {
    struct where_reader reader = where_reader(call, NULL, name);
    if (raw->placeholders) return wrong(call, name, "give bind or replacements, not both");
    if (!lua_istable(L, index)) return wrong(call, name, "a list or a table of named values expected");
    raw->placeholders = placeholders;
    raw->values = index;
    lua_pushnil(L);
    bool empty = !lua_next(L, index), named = !empty && lua_type(L, -2) == LUA_TSTRING;
    if (!empty) lua_pop(L, 2);
    raw->list_length = named ? -1 : list_length(L, &reader, index);
    if (!named && raw->list_length < 0) return false;
    for (lua_pushnil(L); named && lua_next(L, index); lua_pop(L, 1))
        if (lua_type(L, -2) != LUA_TSTRING) return wrong(call, name, "a list or a table of named values expected, not a mixture");
    return true;
}

static bool read_flag(lua_State *L, struct call *call, int index, const char *name, bool *into) {
    if (!lua_isboolean(L, index)) return wrong(call, name, "true or false expected");
    *into = lua_toboolean(L, index);
    return true;
}

static bool read_type(lua_State *L, struct call *call, int index) {
    static const char *const types[] = { "select", "insert", "update", "delete", "upsert", "raw", "bulkUpdate", "bulkDelete", NULL };
    const char *type = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
    for (int i = 0; types[i]; i++)
        if (strcasecmp(types[i], type) == 0) return true;
    return wrong(call, "type", "one of select, insert, update, delete, raw expected");
}

static bool read_model(lua_State *L, struct call *call, struct raw *raw, int index) {
    struct model_box *box = class_model(L, index);
    if (!box) return wrong(call, "model", "a model expected");
    lua_pop(L, 1);
    if (box->db != call->db) return wrong(call, "model", "the model belongs to another database");
    raw->model = box->model;
    return true;
}

static bool read_option(lua_State *L, struct call *call, struct raw *raw, const char *name, int index) {
    static const char *const names[] = { "bind", "replacements", "type", "model", "mapToModel", "nest", "raw", "multiple",
                                         "transaction", "logging", NULL };
    bool plain;
    if (read_call_option(L, call, name)) return true;
    if (strcmp(name, "bind") == 0 || strcmp(name, "replacements") == 0) return true;    /* read after the others */
    if (strcmp(name, "type") == 0) return read_type(L, call, index);
    if (strcmp(name, "model") == 0) return read_model(L, call, raw, index);
    if (strcmp(name, "mapToModel") == 0) return read_flag(L, call, index, name, &raw->map_to_model);
    if (strcmp(name, "nest") == 0) return read_flag(L, call, index, name, &raw->nest);
    if (strcmp(name, "raw") == 0) return read_flag(L, call, index, name, &plain);
    if (strcmp(name, "multiple") == 0) return read_flag(L, call, index, name, &raw->multiple);
    struct nearest nearest = { .word = name };
    for (int i = 0; names[i]; i++) nearest_offer(&nearest, names[i]);
    const char *hint = nearest.best ? arena_printf(&call->arena, " (did you mean \"%s\"?)", nearest.best) : "";
    return error_set(&call->error, &call->arena, ERROR_USAGE, "query: unknown option \"%s\"%s", name, hint);
}

/* bind and replacements stay on the stack: their values are read while the text is written. */
static bool read_value_tables(lua_State *L, struct call *call, struct raw *raw, int index) {
    push_field(L, index, "bind");
    int bind = lua_gettop(L);
    push_field(L, index, "replacements");
    int replacements = lua_gettop(L);
    return (lua_isnil(L, bind) || read_values(L, call, raw, bind, PLACEHOLDERS_BIND, "bind"))
        && (lua_isnil(L, replacements) || read_values(L, call, raw, replacements, PLACEHOLDERS_REPLACEMENTS, "replacements"));
}

static bool read_options(lua_State *L, struct call *call, struct raw *raw, int index) {
    if (lua_isnoneornil(L, index)) return true;
    if (!lua_istable(L, index)) return wrong(call, "query", "a table of options expected");
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) return wrong(call, "query", "keys are option names; there is one that is none");
        if (!read_option(L, call, raw, name_at(L, -2), lua_gettop(L))) return false;
    }
    return read_value_tables(L, call, raw, index);
}

/* --------------------------------------------------------------------------------------------------------- rows */

static const struct attr *attr_of_result(const struct raw *raw, const char *name) {
    if (!raw->model) return NULL;
    const struct attr *attr = raw->map_to_model ? attr_of_column(raw->model, name) : NULL;
    return attr ? attr : attr_find(raw->model, name);
}

/* A column that is an attribute of the model is one; every other is a plain value under its own name. */
static void plan_result(struct call *call, struct raw *raw) {
    struct conn *conn = call->link->conn;
    call->plan = plan_new(&call->arena, raw->model);
    call->plan->raw = raw->model == NULL;
    raw->column_count = call->cursor->columns;
    raw->names = arena_array(&call->arena, const char *, raw->column_count + 1);
    for (int i = 0; i < raw->column_count; i++) {
        const char *name = conn->driver->column_name(conn, call->cursor, i);
        raw->names[i] = arena_text(&call->arena, name, strlen(name));
        const struct attr *attr = attr_of_result(raw, raw->names[i]);
        if (attr) plan_attr(&call->arena, call->plan, attr, 0);
        else plan_expression(&call->arena, call->plan, NULL, raw->names[i], NULL);
    }
}

/* The columns are looked at after the first step: a statement of the cache may have been made anew by then. */
static enum drive take_raw(lua_State *L, struct call *call) {
    struct raw *raw = call->data;
    enum drive first = call_step(call);
    if (first == DRIVE_FAILED || first == DRIVE_WAIT) return first;
    plan_result(call, raw);
    hydrate_returned(L, call);
    call->take = take_raw;
    return first == DRIVE_DONE ? first : hydrate_from_row(L, call);
}

static bool raw_next(lua_State *L, struct call *call) {
    struct raw *raw = call->data;
    (void)L;
    if (raw->at && raw->at->statement.kind != STATEMENT_READ) call->kept = true;
    raw->at = raw->at ? raw->at->next : raw->commands;
    if (!raw->at) return false;
    call->statement = &raw->at->statement;
    raw->inserts = raw->at->inserts;
    return true;
}

/* The table under a key of the one on the top, made where there is none, in its place. */
static void enter_key(lua_State *L, const char *key, size_t len) {
    lua_pushlstring(L, key, len);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -5);
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* "a.b.c" → {a = {b = {c = …}}} */
static void nest_key(lua_State *L, int row, const char *name) {
    push_field(L, row, name);
    lua_pushnil(L);
    lua_setfield(L, row, name);
    lua_pushvalue(L, row);
    for (const char *dot; (dot = strchr(name, '.')); name = dot + 1) enter_key(L, name, (size_t)(dot - name));
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 2);
}

static void nest_rows(lua_State *L, const struct raw *raw, int list) {
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, list); i++) {
        lua_rawgeti(L, list, i);
        for (int c = 0; c < raw->column_count; c++)
            if (strchr(raw->names[c], '.')) nest_key(L, lua_gettop(L), raw->names[c]);
        lua_pop(L, 1);
    }
}

static void push_info(lua_State *L, const struct call *call, const struct raw *raw, lua_Integer rows) {
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, rows);
    lua_setfield(L, -2, "rows");
    lua_pushinteger(L, call->affected);
    lua_setfield(L, -2, "affected");
    if (call->last_id && call->affected > 0 && raw->inserts) {
        lua_pushinteger(L, call->last_id);
        lua_setfield(L, -2, "lastId");
    }
    lua_createtable(L, raw->column_count, 0);
    for (int i = 0; i < raw->column_count; i++) {
        lua_pushstring(L, raw->names[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "columns");
}

static int raw_results(lua_State *L, struct call *call) {
    struct raw *raw = call->data;
    push_call_value(L, call, CALL_RESULT);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        push_list(L, 0);
    }
    if (raw->nest) nest_rows(L, raw, lua_gettop(L));
    push_info(L, call, raw, (lua_Integer)lua_rawlen(L, -1));
    return 2;
}

/* core.query(db, sql, options) → rows, info */
static int query(lua_State *L) {
    struct db *db = userdata_check(L, 1, USERDATA_DB, "a database");
    lua_settop(L, 3);
    struct call *call = call_open(L, db, 1);
    struct raw *raw = arena_new(&call->arena, struct raw);
    size_t len;
    const char *text = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &len) : NULL;
    call->data = raw;
    call->unguarded = true;
    if (!text) return call_fail(L, call, ERROR_USAGE, "query: an SQL string expected, got %s", kind_text(L, 2));
    if (utf8_check(text, len, NULL) != UTF8_FINE)
        return call_fail(L, call, ERROR_USAGE, "query: the SQL holds NUL or invalid UTF-8");
    raw->text = arena_text(&call->arena, text, len);
    raw->len = len;
    bool fine = read_options(L, call, raw, 3) && split(call, raw) && write_commands(L, call, raw);
    if (!fine) return call_raise(L, call);
    call->model = raw->model;
    call->next = raw_next;
    call->take = take_raw;
    call->results = raw_results;
    return call_run(L, call);
}

/* core.execute(db, sql, options): one schema statement that liga made. */
static bool execute_next(lua_State *L, struct call *call) {
    (void)L;
    return call->phase++ == 0;
}

static int execute(lua_State *L) {
    struct db *db = userdata_check(L, 1, USERDATA_DB, "a database");
    size_t len;
    const char *text = luaL_checklstring(L, 2, &len);
    lua_settop(L, 3);
    struct call *call = call_open(L, db, 1);
    struct statement *statement = arena_new(&call->arena, struct statement);
    statement->text = arena_text(&call->arena, text, len);
    statement->len = len;
    statement->kind = STATEMENT_SCHEMA;
    statement->one_off = true;
    for (lua_pushnil(L); lua_istable(L, 3) && lua_next(L, 3); lua_pop(L, 1))
        if (lua_type(L, -2) == LUA_TSTRING) read_call_option(L, call, lua_tostring(L, -2));
    call->statement = statement;
    call->writes = call->unguarded = true;
    call->next = execute_next;
    return call_run(L, call);
}

void open_raw(lua_State *L) {
    static const luaL_Reg functions[] = { { "query", query }, { "execute", execute }, { NULL, NULL } };
    add_functions(L, functions);
}

#include "lua/fault.h"

#include <string.h>

#include "base/buf.h"
#include "sql/ddl.h"
#include "lua/instance.h"
#include "lua/value.h"

/* ------------------------------------------------------------------------------------------------- of validation */

struct fault {
    struct fault *next;
    const struct attr *attr;
    const char *validator, *message;
    struct value value;
};

void add_fault(struct call *call, const struct attr *attr, const char *validator, const char *message, struct value value) {
    struct fault **link = &call->faults;
    while (*link) link = &(*link)->next;
    *link = arena_new(&call->arena, struct fault);
    **link = (struct fault){ NULL, attr, validator, message, value };
}

/* A value hangs on the box under the address of what it is the reason for: its fault, or the error. */
static void keep_value(lua_State *L, struct call *call, int index, const void *reason_for) {
    index = lua_absindex(L, index);
    push_call_table(L, call, CALL_AUX);
    lua_pushvalue(L, index);
    lua_rawsetp(L, -2, reason_for);
    lua_pop(L, 1);
}

void keep_fault_value(lua_State *L, struct call *call, int index) {
    const struct fault *fault = call->faults;
    while (fault->next) fault = fault->next;
    keep_value(L, call, index, fault);
}

void keep_error_value(lua_State *L, struct call *call, int index) {
    keep_value(L, call, index, &call->error);
}

static bool names_anew(const struct error *error, const char *attribute) {
    for (int i = 0; i < error->column_count; i++)
        if (error->columns[i] == attribute) return false;
    return error->column_count < ERROR_COLUMNS;
}

bool no_faults(struct call *call) {
    const struct fault *first = call->faults;
    if (!first) return !error_is_set(&call->error);
    struct buf message;
    buf_init(&message, &call->arena);
    for (const struct fault *fault = first; fault; fault = fault->next) {
        if (fault != first) buf_adds(&message, "; ");
        buf_adds(&message, fault->message);
    }
    struct error *error = &call->error;
    error_set(error, &call->arena, ERROR_VALIDATION, "%s", message.text);
    error->model = first->attr->model->name;
    error->value = first->value;
    error->has_value = true;
    for (const struct fault *fault = first; fault; fault = fault->next)
        if (names_anew(error, fault->attr->name)) error->columns[error->column_count++] = fault->attr->name;
    return false;
}

/* Pushes {attribute, validator, message, value}. */
static void push_fault(lua_State *L, const char *attribute, const char *validator, const char *message, struct value value) {
    lua_createtable(L, 0, 4);
    lua_pushstring(L, attribute);
    lua_setfield(L, -2, "attribute");
    lua_pushstring(L, validator);
    lua_setfield(L, -2, "validator");
    lua_pushstring(L, message);
    lua_setfield(L, -2, "message");
    push_value(L, value);
    lua_setfield(L, -2, "value");
}

/* Puts the value that was kept into the table on the top, if one was; a plain one is there already. */
static void set_kept_value(lua_State *L, const struct call *call, const void *reason_for) {
    int into = lua_gettop(L);
    push_call_value(L, call, CALL_AUX);
    if (lua_istable(L, -1) && lua_rawgetp(L, -1, reason_for) != LUA_TNIL) lua_setfield(L, into, "value");
    lua_settop(L, into);
}

/* A value that was refused outside of a row (in a where) is the only fault. */
void push_faults(lua_State *L, const struct call *call) {
    int count = 0;
    const struct error *error = &call->error;
    lua_newtable(L);
    for (const struct fault *fault = call->faults; fault; fault = fault->next) {
        push_fault(L, fault->attr->name, fault->validator, fault->message, fault->value);
        set_kept_value(L, call, fault);
        lua_rawseti(L, -2, ++count);
    }
    if (count) return;
    push_fault(L, error->attribute, "type", error->message, error->has_value ? error->value : value_null());
    set_kept_value(L, call, error);
    lua_rawseti(L, -2, 1);
}

/* ---------------------------------------------------------------------------------------------- of the database */

/* How well a model fits the table of an error; 0: not. A model without a schema has its table where the connection looks for it. */
static int fitness(const struct call *call, const struct model *model) {
    const char *schema = call->error.table_schema;
    bool named = schema && model->table_schema;
    bool fits = strcmp(model->table, call->error.table) == 0 && (!named || strcmp(model->table_schema, schema) == 0);
    return fits ? 1 + (model == call->model) + 2 * named : 0;
}

static const struct model *model_of_table(const struct call *call) {
    const struct model *best = NULL;
    int most = 0;
    for (const struct model *model = call->db->schema.models; model; model = model->next) {
        int now = fitness(call, model);
        if (now > most) best = model, most = now;
    }
    return best;
}

static bool names_attrs(const struct error *error, struct attr_list attrs) {
    bool same = error->column_count == attrs.count;
    for (int k = 0; same && k < attrs.count; k++) same = strcmp(error->columns[k], attrs.items[k]->column) == 0;
    return same;
}

static bool names_fields(const struct error *error, const struct index *index) {
    bool same = index->unique && index->field_count == error->column_count;
    for (int i = 0; same && i < index->field_count; i++)
        same = index->fields[i].attr && strcmp(index->fields[i].attr->column, error->columns[i]) == 0;
    return same;
}

/* SQLite tells the columns of what must be unique: its name, as PostgreSQL says it, is that of the only index over them, or
 * the primary key's. */
static void name_unique(struct call *call, const struct model *model) {
    struct error *error = &call->error;
    int count = names_attrs(error, model->key);
    if (count) error->constraint = arena_printf(&call->arena, "%s_pkey", model->table);
    for (const struct index *index = model->indexes; index; index = index->next)
        if (names_fields(error, index) && ++count == 1) error->constraint = index->name;
    if (count > 1) error->constraint = NULL;
}

/* Of an index over expressions there are no attributes to name. */
static void name_attributes(struct error *error, const struct model *model) {
    for (int i = 0; i < error->column_count; i++) {
        const struct attr *attr = attr_of_column(model, error->columns[i]);
        if (attr) error->columns[i] = attr->name;
        else if (strchr(error->columns[i], '(')) error->column_count = 0;
    }
}

static const char *joined(struct arena *arena, const struct error *error) {
    struct buf buf;
    buf_init(&buf, arena);
    for (int i = 0; i < error->column_count; i++) {
        if (i) buf_adds(&buf, ", ");
        buf_adds(&buf, error->columns[i]);
    }
    return buf.text;
}

static const char *constraint_sentence(struct arena *arena, const struct error *error) {
    const char *model = error->model ? error->model : error->table ? error->table : "the table";
    const char *attributes = joined(arena, error);
    const char *constraint = error->constraint ? error->constraint : "";
    switch (error->code) {
    case ERROR_UNIQUE:
        if (!error->column_count) return arena_printf(arena, "%s: the unique index %s has this value already", model, constraint);
        return arena_printf(arena, "%s: %s must be unique, and another row has %s already", model, attributes,
                            error->column_count == 1 ? "this value" : "these values");
    case ERROR_NOT_NULL:                                            /* a domain's: PostgreSQL does not tell the column */
        if (!error->column_count) return arena_printf(arena, "%s: %s", model, error->message);
        return arena_printf(arena, "%s.%s must not be NULL", model, attributes);
    case ERROR_EXCLUSION:
        return arena_printf(arena, "%s: the row conflicts with another one, by the constraint %s", model, constraint);
    case ERROR_CHECK:
        if (!error->model && !error->table) return arena_printf(arena, "the check %s does not hold", constraint);
        return arena_printf(arena, "%s: the check %s does not hold", model, constraint);
    default:
        return error->message;
    }
}

/* The foreign key that an error is about. */
struct violation {
    const struct model *holder;
    const struct foreign_key *key;      /* NULL: it can't be told */
    bool still_referred;                /* the row that others refer to was to go; else there is none to refer to */
};

static bool follows(const char *action) {
    return action && (strcmp(action, "CASCADE") == 0 || strncmp(action, "SET ", 4) == 0);
}

/* Whether the key can keep a row of the model from going, or its key from changing. */
static bool holds(const struct foreign_key *key, const struct model *model) {
    bool refers = key->target ? key->target == model : strcmp(key->table, model->table) == 0;
    return refers && !(follows(key->on_delete) && follows(key->on_update));
}

static const struct model *written_model(const struct call *call) {
    return call->effect.written ? call->effect.written : call->model;
}

/* The values of a key in a row of the statement; false: there is no such row, or it refers to nothing. */
static bool read_given(const struct call *call, const struct foreign_key *key, int row, struct value *values) {
    for (int k = 0; k < key->attrs.count; k++) {
        const struct value *given = call->effect.given(call, key->attrs.items[k], row);
        if (!given || given->kind == VALUE_NULL) return false;
        values[k] = *given;
    }
    return true;
}

static bool has_row(const struct call *call, const struct foreign_key *key, int row) {
    return call->effect.given(call, key->attrs.items[0], row) != NULL;
}

static bool gives_key(const struct call *call, const struct foreign_key *key) {
    struct value values[KEY_PARTS];
    bool gives = false;
    for (int row = 0; !gives && has_row(call, key, row); row++) gives = read_given(call, key, row, values);
    return gives;
}

/* Whether the table has a row with these values. A question that can't be asked counts as answered: yes. */
static bool has_referred(struct call *call, const struct foreign_key *key, const struct value *values) {
    struct conn *conn = call->link ? call->link->conn : NULL;
    struct error error = { .code = ERROR_NONE };
    const struct attr *attrs[KEY_PARTS];
    if (!conn || conn->broken || conn->driver->fetch || !key->target) return true;
    for (int k = 0; k < key->attrs.count; k++)
        if (!(attrs[k] = attr_of_column(key->target, key->columns[k]))) return true;
    struct select *select = select_new(&call->arena, key->target, 0);
    output_add(&call->arena, &select->outputs, expr_text(&call->arena, "1"), NULL);
    select_where(&call->arena, select, keys_are(&call->arena, (struct attr_list){ attrs, key->attrs.count }, values));
    const struct statement *statement = render_select(&call->arena, call->db->dialect, select, &error);
    struct cursor *cursor = statement ? conn->driver->start(conn, statement, &call->arena, &error) : NULL;
    if (!cursor) return true;
    enum drive drive = conn->driver->step(conn, cursor, &call->arena, &error);
    conn->driver->finish(conn, cursor);
    return drive != DRIVE_DONE;
}

/* Whether a row of the statement refers to one that is not there. */
static bool is_broken(struct call *call, const struct foreign_key *key) {
    struct value values[KEY_PARTS];
    for (int row = 0; has_row(call, key, row); row++)
        if (read_given(call, key, row, values) && !has_referred(call, key, values)) return true;
    return false;
}

/* SQLite does not say which one it was. Of the keys that the statement gave values it is the only one, or the first that refers to
 * nothing; where it gave none, the only one that holds its rows. */
static struct violation guess_violation(struct call *call) {
    const struct model *written = written_model(call);
    struct violation found = { .holder = written };
    const struct foreign_key *broken = NULL;
    int count = 0;
    for (const struct foreign_key *key = written->foreign_keys; key; key = key->next)
        if (gives_key(call, key) && ++count) found.key = key;
    for (const struct foreign_key *key = written->foreign_keys; count > 1 && key && !broken; key = key->next)
        if (is_broken(call, key)) broken = key;
    if (broken) return (struct violation){ .holder = written, .key = broken };
    found.still_referred = !count && call->effect.removes;
    const struct model *model = found.still_referred ? call->db->schema.models : NULL;
    for (; model; model = model->next)
        for (const struct foreign_key *key = model->foreign_keys; key; key = key->next)
            if (holds(key, written) && ++count) found.key = key, found.holder = model;
    if (count != 1) found = (struct violation){ .holder = written };
    return found;
}

static bool names_target(const struct error *error, const struct foreign_key *key) {
    bool same = error->column_count == key->attrs.count;
    for (int k = 0; same && k < key->attrs.count; k++) same = strcmp(error->columns[k], key->columns[k]) == 0;
    return same;
}

/* PostgreSQL names the constraint, and the columns of its key, or those that it refers to where the row is still referred to. For a
 * COMMIT on SQLite table and columns are known. */
static struct violation find_violation(struct call *call, const struct model *holder) {
    const struct error *error = &call->error;
    struct violation found = { .holder = holder };
    const struct foreign_key *by_columns = NULL;
    for (const struct foreign_key *key = holder->foreign_keys; key; key = key->next) {
        const char *name = error->constraint ? ddl_foreign_key_name(&call->arena, holder, key) : NULL;
        if (name && strcmp(name, error->constraint) == 0) found.key = key;
        if (names_attrs(error, key->attrs)) by_columns = key;
    }
    if (!found.key) found.key = by_columns;
    if (!found.key) return found;
    bool either = names_attrs(error, found.key->attrs) && names_target(error, found.key);
    found.still_referred = either ? call->model && call->model != holder : !names_attrs(error, found.key->attrs);
    return found;
}

static const char *violation_sentence(struct arena *arena, const struct violation *found, const struct error *error) {
    const struct foreign_key *key = found->key;
    const char *model = error->model ? error->model : error->table;
    if (!key)
        return arena_printf(arena, "%s%sa foreign key has no row to refer to, or a row is still referred to", model ? model : "",
                            model ? ": " : "");
    const char *target = key->target ? key->target->name : key->table, *attributes = joined(arena, error);
    if (found->still_referred)
        return arena_printf(arena, "%s: the row is still referred to by %s of %s", target, attributes, model);
    return arena_printf(arena, "%s: there is no row of %s that %s could refer to", model, target, attributes);
}

static void explain_foreign_key(struct call *call, const struct model *model) {
    struct error *error = &call->error;
    struct violation found = { .holder = model };
    if (model && (error->constraint || error->column_count)) found = find_violation(call, model);
    else if (call->model && call->effect.given) found = guess_violation(call);
    if (found.holder) error->model = found.holder->name;
    if (found.holder) error->table = found.holder->table;
    error->column_count = found.key ? found.key->attrs.count : 0;
    if (error->column_count > ERROR_COLUMNS) error->column_count = ERROR_COLUMNS;
    for (int k = 0; k < error->column_count; k++) error->columns[k] = found.key->attrs.items[k]->name;
    if (!error->constraint && found.key) error->constraint = ddl_foreign_key_name(&call->arena, found.holder, found.key);
    error->message = violation_sentence(&call->arena, &found, error);
}

static void explain(struct call *call) {
    struct error *error = &call->error;
    const struct model *model = error->table ? model_of_table(call) : written_model(call);
    if (error->code == ERROR_FOREIGN_KEY) {
        explain_foreign_key(call, model);
        return;
    }
    if (!error->table && model) error->table = model->table;
    if (model && !error->model) error->model = model->name;
    if (model && error->code == ERROR_UNIQUE && !error->constraint && error->column_count) name_unique(call, model);
    if (model) name_attributes(error, model);
    error->message = constraint_sentence(&call->arena, error);
}

/* The engines don't say which number it was. */
static void blame_counter(struct call *call) {
    const struct attr *attr = call->counted;
    call->error.attribute = attr->name;
    call->error.message = arena_printf(&call->arena, "%s.%s: %s", attr->model->name, attr->name, call->error.message);
}

/* What the only row that was to be written gives the attribute that a constraint's error names first becomes its `value`. The error
 * is on the top. */
static void add_blamed_value(lua_State *L, struct call *call) {
    const struct error *error = &call->error;
    const struct model *model = written_model(call);
    struct error failure = { .code = ERROR_NONE };
    bool own = model && call->effect.given && error->column_count && error->model && strcmp(error->model, model->name) == 0;
    const struct attr *attr = own ? attr_find(model, error->columns[0]) : NULL;
    const struct value *given = attr ? call->effect.given(call, attr, 0) : NULL;
    if (!given || given->kind == VALUE_NULL || call->effect.given(call, attr, 1)) return;
    if (!push_logical(L, call->db, attr, *given, &call->arena, &failure)) lua_pushnil(L);
    lua_setfield(L, -2, "value");
}

void push_call_error(lua_State *L, struct call *call) {
    struct error *error = &call->error;
    bool constraint = error->code >= ERROR_UNIQUE && error->code <= ERROR_EXCLUSION;
    if (constraint && !call->explained) explain(call);
    call->explained = true;
    if (error->code == ERROR_VALIDATION && !error->attribute && call->counted) blame_counter(call);
    if (error->code != ERROR_USAGE && !error->model && call->model) error->model = call->model->name;
    push_error(L, error);
    if (constraint) add_blamed_value(L, call);
    if (error->code != ERROR_VALIDATION) return;
    push_faults(L, call);
    lua_rawgeti(L, -1, 1);
    lua_getfield(L, -1, "value");
    lua_setfield(L, -4, "value");
    lua_pop(L, 1);
    lua_setfield(L, -2, "errors");
}

#include "lua/fault.h"

#include <string.h>

#include "base/buf.h"
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

bool no_faults(struct call *call) {
    const struct fault *first = call->faults;
    if (!first) return !error_is_set(&call->error);
    struct buf message;
    buf_init(&message, &call->arena);
    for (const struct fault *fault = first; fault; fault = fault->next) {
        if (fault != first) buf_adds(&message, "; ");
        buf_adds(&message, fault->message);
    }
    error_set(&call->error, &call->arena, ERROR_VALIDATION, "%s", message.text);
    call->error.model = first->attr->model->name;
    call->error.attribute = first->attr->name;
    call->error.value = first->value;
    call->error.has_value = true;
    return false;
}

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

/* A value that was refused outside of a row (in a where) is the only fault. */
void push_faults(lua_State *L, const struct call *call) {
    int count = 0;
    const struct error *error = &call->error;
    lua_newtable(L);
    for (const struct fault *fault = call->faults; fault; fault = fault->next) {
        push_fault(L, fault->attr->name, fault->validator, fault->message, fault->value);
        lua_rawseti(L, -2, ++count);
    }
    if (count) return;
    push_fault(L, error->attribute, "type", error->message, error->has_value ? error->value : value_null());
    lua_rawseti(L, -2, 1);
}

/* ---------------------------------------------------------------------------------------------- of the database */

static const struct model *model_of_table(const struct db *db, const char *table) {
    const struct model *model = db->schema.models;
    while (model && strcmp(model->table, table) != 0) model = model->next;
    return model;
}

static const struct attr *attr_of_column(const struct model *model, const char *column) {
    for (int i = 0; i < model->attr_count; i++)
        if (strcmp(model->attrs[i]->column, column) == 0) return model->attrs[i];
    return NULL;
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

/* SQLite does not say which foreign key failed; the model of the statement is the best it can be. */
static const char *constraint_sentence(struct arena *arena, const struct error *error) {
    const char *model = error->model ? error->model : error->table ? error->table : "the table";
    const char *attributes = joined(arena, error);
    const char *constraint = error->constraint ? error->constraint : "";
    switch (error->code) {
    case ERROR_UNIQUE:
        if (!error->column_count) return arena_printf(arena, "%s: the unique index %s has this value already", model, constraint);
        return arena_printf(arena, "%s: %s must be unique, and another row has %s already", model, attributes,
                            error->column_count == 1 ? "this value" : "these values");
    case ERROR_NOT_NULL:
        return arena_printf(arena, "%s.%s must not be NULL", model, attributes);
    case ERROR_FOREIGN_KEY:
        return arena_printf(arena, "%s: a foreign key has no row to refer to, or the row is still referred to", model);
    case ERROR_CHECK:
        return arena_printf(arena, "%s: the check %s does not hold", model, constraint);
    default:
        return error->message;
    }
}

static void explain(struct call *call) {
    struct error *error = &call->error;
    const struct model *model = error->table ? model_of_table(call->db, error->table) : call->model;
    if (!error->table && model) error->table = model->table;
    if (model && !error->model) error->model = model->name;
    if (model) name_attributes(error, model);
    error->message = constraint_sentence(&call->arena, error);
}

void push_call_error(lua_State *L, struct call *call) {
    struct error *error = &call->error;
    bool constraint = error->code >= ERROR_UNIQUE && error->code <= ERROR_CHECK;
    if (constraint && !call->explained) explain(call);
    call->explained = true;
    if (error->code != ERROR_USAGE && !error->model && call->model) error->model = call->model->name;
    push_error(L, error);
    if (error->code != ERROR_VALIDATION) return;
    push_faults(L, call);
    lua_setfield(L, -2, "errors");
}

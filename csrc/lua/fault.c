#include "lua/fault.h"

#include <string.h>

#include "base/buf.h"
#include "lua/write.h"

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

static void name_attributes(struct error *error, const struct model *model) {
    for (int i = 0; i < error->column_count; i++) {
        const struct attr *attr = attr_of_column(model, error->columns[i]);
        if (attr) error->columns[i] = attr->name;
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

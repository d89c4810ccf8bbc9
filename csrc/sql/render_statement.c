/* The clauses of a SELECT, and the four statements. */
#include "sql/ddl.h"
#include "sql/render.h"

/* ---------------------------------------------------------------------------------------------------- clauses */

static void put_outputs(struct out *out, const struct output *outputs) {
    for (const struct output *output = outputs; output; output = output->next) {
        if (output != outputs) put_text(out, ", ");
        put_expr(out, output->expr);
        if (!output->name) continue;
        put_text(out, " AS ");
        put_name(out, output->name);
    }
}

static void put_all_columns(struct out *out, const struct model *model, int alias) {
    for (int i = 0; i < model->attr_count; i++) {
        if (i) put_text(out, ", ");
        put_column(out, model->attrs[i], alias);
    }
    if (!model->attr_count) put_text(out, "1");
}

static void put_source(struct out *out, const struct model *model, int alias) {
    put_table(out, model);
    if (!out->qualified) return;
    put_text(out, " AS ");
    put_alias(out, alias);
}

static void put_from(struct out *out, const struct select *select) {
    if (!select->from && !select->from_select) return;
    put_text(out, " FROM ");
    if (!select->from_select) {
        put_source(out, select->from, select->alias);
        return;
    }
    put_text(out, "(");
    put_select(out, select->from_select);
    put_text(out, ") AS ");
    put_alias(out, select->alias);
}

static void put_joins(struct out *out, const struct join *joins);

/* What is joined: a table, a subquery, or tables that are joined among themselves first. */
static void put_joined(struct out *out, const struct join *join) {
    if (join->from_select) {
        put_text(out, out->dialect->lateral);
        put_text(out, "(");
        put_select(out, join->from_select);
        put_text(out, ") AS ");
        put_alias(out, join->alias);
        return;
    }
    if (join->inside) put_text(out, "(");
    put_source(out, join->model, join->alias);
    put_joins(out, join->inside);
    if (join->inside) put_text(out, ")");
}

static void put_joins(struct out *out, const struct join *joins) {
    static const char *const words[] = {
        [JOIN_INNER] = " INNER JOIN ", [JOIN_LEFT] = " LEFT OUTER JOIN ", [JOIN_CROSS] = " CROSS JOIN ",
    };
    for (const struct join *join = joins; join; join = join->next) {
        enum join_kind kind = join->kind == JOIN_CROSS && !out->dialect->cross_join_order ? JOIN_INNER : join->kind;
        put_text(out, words[kind]);
        put_joined(out, join);
        put_text(out, " ON ");
        put_expr(out, join->on);
    }
}

static void put_condition(struct out *out, const char *word, const struct expr *condition) {
    if (!condition) return;
    put_text(out, word);
    put_expr(out, condition);
}

static void put_group_by(struct out *out, const struct select *select) {
    for (const struct output *group = select->group; group; group = group->next) {
        put_text(out, group == select->group ? " GROUP BY " : ", ");
        put_expr(out, group->expr);
    }
}

/* Without a word of the user's NULL counts as the largest value on every engine. */
static const char *nulls_text(const struct out *out, const struct order_term *term) {
    bool last = term->nulls == NULLS_LARGEST ? !term->descending : term->nulls == NULLS_LAST;
    bool last_by_itself = out->dialect->nulls_smallest ? term->descending : !term->descending;
    if (term->never_null || last == last_by_itself) return "";
    return last ? " NULLS LAST" : " NULLS FIRST";
}

static void put_order_by(struct out *out, const struct order_term *terms) {
    for (const struct order_term *term = terms; term; term = term->next) {
        put_text(out, term == terms ? " ORDER BY " : ", ");
        put_ordered(out, term->expr);
        put_text(out, term->descending ? " DESC" : "");
        put_text(out, nulls_text(out, term));
    }
}

static void put_limit(struct out *out, const struct select *select) {
    if (select->limit < 0 && select->offset < 0) return;
    if (select->limit >= 0 || out->dialect->offset_needs_limit) {
        put_text(out, " LIMIT ");
        put_param(out, value_int(select->limit));
    }
    if (select->offset < 0) return;
    put_text(out, " OFFSET ");
    put_param(out, value_int(select->offset));
}

static bool has_outer_join(const struct select *select) {
    for (const struct join *join = select->joins; join; join = join->next)
        if (join->kind == JOIN_LEFT) return true;
    return false;
}

/* A row that an outer join may lack can't be locked: then it is those of the one table that are asked for. */
static void put_lock(struct out *out, const struct select *select) {
    if (!out->dialect->lock_clause || select->lock == LOCK_NONE) return;
    put_text(out, out->dialect->lock[select->lock]);
    if (has_outer_join(select)) {
        put_text(out, " OF ");
        put_alias(out, select->here);
    }
    if (select->skip_locked) put_text(out, " SKIP LOCKED");
}

void put_select(struct out *out, const struct select *select) {
    bool qualified_before = out->qualified, regroups_before = out->regroups;
    int here_before = out->here;
    out->regroups = out->regroups || select->group || select->distinct;
    if (select->joins || select->qualified) out->qualified = true;
    out->here = select->here;
    put_text(out, select->distinct ? "SELECT DISTINCT " : "SELECT ");
    if (select->outputs) put_outputs(out, select->outputs);
    else put_all_columns(out, select->from, select->alias);
    put_from(out, select);
    put_joins(out, select->joins);
    put_condition(out, " WHERE ", select->where);
    put_group_by(out, select);
    put_condition(out, " HAVING ", select->having);
    put_order_by(out, select->order);
    put_limit(out, select);
    put_lock(out, select);
    out->qualified = qualified_before;
    out->regroups = regroups_before;
    out->here = here_before;
}

/* ------------------------------------------------------------------------------------------------- statements */

struct statement *render_select(struct arena *arena, const struct dialect *dialect, const struct select *select,
                                struct error *error) {
    struct out out;
    out_init(&out, arena, dialect, error);
    put_select(&out, select);
    return out_finish(&out, STATEMENT_READ);
}

static void put_columns(struct out *out, const struct attr *const *attrs, int count) {
    put_text(out, " (");
    for (int i = 0; i < count; i++) {
        if (i) put_text(out, ", ");
        put_name(out, attrs[i]->column);
    }
    put_text(out, ")");
}

static void put_row(struct out *out, const struct expr *const *cells, int count) {
    put_text(out, "(");
    for (int i = 0; i < count; i++) {
        if (i) put_text(out, ", ");
        if (cells[i]) put_expr(out, cells[i]);
        else put_text(out, "DEFAULT");
    }
    put_text(out, ")");
}

static void put_value_row(struct out *out, const struct value *values, int count) {
    put_text(out, "(");
    for (int i = 0; i < count; i++) {
        if (i) put_text(out, ", ");
        put_param(out, values[i]);
    }
    put_text(out, ")");
}

/* SELECT unnest($1::BIGINT[]), unnest($2::TEXT[]): one text for any number of rows. As outputs the arrays are walked in step; in FROM the
 * server would write each to a store of its own first. */
static void put_arrays(struct out *out, const struct insert *insert) {
    put_text(out, " SELECT ");
    for (int i = 0; i < insert->attr_count; i++) {
        put_text(out, i ? ", unnest(" : "unnest(");
        put_array(out, insert->attrs[i], insert->values + i * insert->rows, insert->rows);
        put_text(out, ")");
    }
}

static void put_values(struct out *out, const struct insert *insert) {
    put_text(out, " VALUES ");
    for (int row = 0; row < insert->rows; row++) {
        int at = row * insert->attr_count;
        if (row) put_text(out, ", ");
        if (insert->values) put_value_row(out, insert->values + at, insert->attr_count);
        else put_row(out, insert->cells + at, insert->attr_count);
    }
}

/* A value of another ENUM goes from type to type over its text. */
static void put_assigned(struct out *out, const struct attr *attr, const struct expr *expr) {
    struct expr text = { .kind = EXPR_CAST, .text = enum_text_type(attr), .first = (struct expr *)(uintptr_t)expr };
    struct expr own = { .kind = EXPR_CAST, .first = &text };
    bool over = enums_differ(out->dialect, attr, operand_attr(expr));
    if (over) own.text = ddl_type(out->arena, out->dialect, &attr->type);
    put_expr(out, over ? &own : expr);
}

static void put_assignments(struct out *out, const struct assignment *set) {
    put_text(out, " SET ");
    for (const struct assignment *assignment = set; assignment; assignment = assignment->next) {
        if (assignment != set) put_text(out, ", ");
        put_name(out, assignment->attr->column);
        put_text(out, " = ");
        put_assigned(out, assignment->attr, assignment->expr);
    }
}

/* SQLite reads "… FROM t ON CONFLICT" as the beginning of a join condition. */
static bool ends_with_tables(const struct select *select) {
    return !select->where && !select->group && !select->having && !select->order && select->limit < 0 && select->offset < 0;
}

/* Engines find a partial index by its condition as it stands there: its values are written out. */
static void put_index_condition(struct out *out, const struct expr *condition) {
    bool literals_before = out->literals;
    out->literals = true;
    put_condition(out, " WHERE ", condition);
    out->literals = literals_before;
}

static void put_conflict(struct out *out, const struct insert *insert) {
    if (insert->conflict == CONFLICT_ERROR) return;
    if (insert->select && ends_with_tables(insert->select)) put_text(out, " WHERE true");
    put_text(out, " ON CONFLICT");
    if (insert->target.count) put_columns(out, insert->target.items, insert->target.count);
    put_index_condition(out, insert->target_where);
    put_text(out, insert->conflict == CONFLICT_NOTHING ? " DO NOTHING" : " DO UPDATE");
    if (insert->conflict == CONFLICT_NOTHING) return;
    put_assignments(out, insert->update);
    put_condition(out, " WHERE ", insert->update_where);
}

/* What comes back is of the one table that was written. */
static void put_returning(struct out *out, const struct output *returning) {
    out->qualified = false;
    if (!returning) return;
    put_text(out, " RETURNING ");
    put_outputs(out, returning);
}

struct statement *render_insert(struct arena *arena, const struct dialect *dialect, const struct insert *insert,
                                struct error *error) {
    struct out out;
    out_init(&out, arena, dialect, error);
    put_text(&out, "INSERT INTO ");
    put_table(&out, insert->into);
    if (insert->attr_count) put_columns(&out, insert->attrs, insert->attr_count);
    if (insert->select) {
        put_text(&out, " ");
        put_select(&out, insert->select);
    } else if (insert->attr_count && insert->by_column) {
        put_arrays(&out, insert);
    } else if (insert->attr_count) {
        put_values(&out, insert);
    } else {
        put_text(&out, dialect->no_values);
    }
    put_conflict(&out, insert);
    put_returning(&out, insert->returning);
    return out_finish(&out, STATEMENT_WRITE);
}

struct statement *render_update(struct arena *arena, const struct dialect *dialect, const struct update *update,
                                struct error *error) {
    struct out out;
    out_init(&out, arena, dialect, error);
    out.qualified = update->aliased;
    put_text(&out, "UPDATE ");
    put_source(&out, update->model, 0);
    put_assignments(&out, update->set);
    put_condition(&out, " WHERE ", update->where);
    put_returning(&out, update->returning);
    return out_finish(&out, STATEMENT_WRITE);
}

struct statement *render_delete(struct arena *arena, const struct dialect *dialect, const struct delete *delete,
                                struct error *error) {
    struct out out;
    out_init(&out, arena, dialect, error);
    out.qualified = delete->aliased;
    put_text(&out, "DELETE FROM ");
    put_source(&out, delete->from, 0);
    put_condition(&out, " WHERE ", delete->where);
    put_returning(&out, delete->returning);
    return out_finish(&out, STATEMENT_WRITE);
}

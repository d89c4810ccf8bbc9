#include "load/path.h"

#include "base/arena.h"

/* ---------------------------------------------------------------------------------------------------- following */

/* SELECT 1 FROM (SELECT 1): the row that outer joins start from. */
static struct select *lone_row(struct arena *arena, const struct path_base *base) {
    struct select *one = select_new(arena, NULL, 0), *rows = select_new(arena, NULL, (*base->next_alias)++);
    output_add(arena, &one->outputs, expr_text(arena, "1"), NULL);
    output_add(arena, &rows->outputs, expr_text(arena, "1"), NULL);
    rows->from_select = one;
    rows->qualified = true;
    base->select->qualified = true;
    return rows;
}

static struct select *row_select(struct arena *arena, const struct path_base *base, struct path_row *row) {
    if (!row->select) row->select = lone_row(arena, base);
    row->used = true;
    return row->select;
}

int path_follow(struct arena *arena, const struct path_base *base, struct path_row *row, struct select **in,
                const struct assoc *assoc, int near) {
    bool outside = *in == base->select;
    if (outside && (base->apart || (!base->multiplies && !assoc_single(assoc)))) {
        if (!row) return -1;
        *in = row_select(arena, base, row);
    } else if (!outside) {
        row->used = true;
    }
    const struct join *join = walk_find_join(*in, assoc, near);
    if (!join) join = walk_join(arena, *in, base->next_alias, JOIN_LEFT, assoc, near);
    return join->target;
}

/* -------------------------------------------------------------------------------------------------- conditions */

/* Operators that are not true of a NULL operand: those that compare it with something. */
static bool operator_rejects_null(enum op op) {
    switch (op_table[op].operand) {
    case OPERAND_VALUE: case OPERAND_PAIR: case OPERAND_TEXT: case OPERAND_PLAIN: return true;
    default: return false;
    }
}

static bool rejects_null(const struct expr *expr, const struct select *rows);

static bool some_reject_null(const struct expr *child, const struct select *rows) {
    for (; child; child = child->next)
        if (rejects_null(child, rows)) return true;
    return false;
}

static bool all_reject_null(const struct expr *child, const struct select *rows) {
    for (const struct expr *each = child; each; each = each->next)
        if (!rejects_null(each, rows)) return false;
    return child != NULL;
}

static bool joins_alias(const struct join *join, int alias) {
    for (; join; join = join->next)
        if (join->alias == alias || joins_alias(join->inside, alias)) return true;
    return false;
}

static bool is_row_column(const struct expr *expr, const struct select *rows) {
    return expr->kind == EXPR_COLUMN && joins_alias(rows->joins, expr->alias);
}

/* True if the condition can't be true where the subquery's tables have no row. */
static bool rejects_null(const struct expr *expr, const struct select *rows) {
    switch (expr->kind) {
    case EXPR_AT:       return rejects_null(expr->first, rows);
    case EXPR_AND:      return some_reject_null(expr->first, rows);
    case EXPR_OR:       return all_reject_null(expr->first, rows);
    case EXPR_OPERATOR: return operator_rejects_null(expr->op) && is_row_column(expr->first, rows);
    case EXPR_LIST:     return expr->op == OP_IN && expr->value_count && is_row_column(expr->first, rows);
    default:            return false;
    }
}

/* FROM (SELECT 1) LEFT JOIN a ON x … becomes FROM a … WHERE x: engines know better how to look that up. */
static void start_at_first_join(struct arena *arena, struct select *rows) {
    const struct join *first = rows->joins;
    struct join *rest = first->next;
    rows->from_select = NULL;
    rows->from = first->model;
    rows->alias = first->alias;
    rows->joins = first->inside;
    struct join **end = &rows->joins;
    while (*end) end = &(*end)->next;
    *end = rest;
    rows->where = expr_and(arena, first->on, rows->where);
}

static int outer_joins_of(const struct select *rows, int alias) {
    int count = 0;
    for (const struct join *join = rows->joins; join; join = join->next) count += join->near == alias;
    return count;
}

const struct expr *path_row_condition(struct arena *arena, const struct path_base *base, struct path_row *row,
                                      const struct expr *condition) {
    struct select *rows = row->select;
    int from = rows->joins->near;
    bool lone = outer_joins_of(rows, from) == 1;
    rows->here = base->alias;
    rows->where = condition;
    if (lone && rejects_null(condition, rows)) start_at_first_join(arena, rows);
    return expr_exists(arena, rows);
}

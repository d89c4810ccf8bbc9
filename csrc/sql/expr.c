#include "sql/expr.h"

#include <string.h>

#include "base/arena.h"

const struct op_info op_table[OP_COUNT] = {
#define X(id, name, operand, text) { OP_##id, name, operand, text },
    OPERATORS(X)
#undef X
};

struct expr *expr_new(struct arena *arena, enum expr_kind kind) {
    struct expr *expr = arena_new(arena, struct expr);
    expr->kind = kind;
    return expr;
}

struct expr *expr_column(struct arena *arena, const struct attr *attr, int alias) {
    struct expr *expr = expr_new(arena, EXPR_COLUMN);
    expr->attr = attr;
    expr->alias = alias;
    return expr;
}

struct expr *expr_of_upsert(struct arena *arena, enum expr_kind kind, const struct attr *attr) {
    struct expr *expr = expr_new(arena, kind);
    expr->attr = attr;
    return expr;
}

struct expr *expr_raised(struct arena *arena, struct expr *number) {
    static const char *const pieces[] = { "", " + 1" };
    struct expr *expr = expr_new(arena, EXPR_RAW);
    expr->pieces = pieces;
    expr->first = number;
    return expr;
}

struct expr *expr_param(struct arena *arena, struct value value) {
    struct expr *expr = expr_new(arena, EXPR_PARAM);
    expr->value = value;
    return expr;
}

struct expr *expr_text(struct arena *arena, const char *text) {
    struct expr *expr = expr_new(arena, EXPR_RAW);
    const char **pieces = arena_array(arena, const char *, 1);
    pieces[0] = text;
    expr->pieces = pieces;
    return expr;
}

struct expr *expr_field(struct arena *arena, int alias, const char *name) {
    struct expr *expr = expr_new(arena, EXPR_FIELD);
    expr->alias = alias;
    expr->text = name;
    return expr;
}

struct expr *expr_tuple(struct arena *arena, struct attr_list attrs, int alias) {
    if (attrs.count == 1) return expr_column(arena, attrs.items[0], alias);
    struct expr *tuple = expr_new(arena, EXPR_RAW);
    const char **pieces = arena_array(arena, const char *, attrs.count + 1);
    struct expr **link = &tuple->first;
    for (int k = 0; k < attrs.count; k++, link = &(*link)->next) {
        pieces[k] = k ? ", " : "(";
        *link = expr_column(arena, attrs.items[k], alias);
    }
    pieces[attrs.count] = ")";
    tuple->pieces = pieces;
    return tuple;
}

struct expr *expr_exists(struct arena *arena, const struct select *select) {
    struct expr *expr = expr_new(arena, EXPR_EXISTS);
    expr->select = select;
    return expr;
}

struct expr *expr_in_select(struct arena *arena, struct expr *left, const struct select *select) {
    struct expr *expr = expr_new(arena, EXPR_SELECT);
    expr->op = OP_IN;
    expr->first = left;
    expr->select = select;
    return expr;
}

struct expr *expr_const(struct arena *arena, bool boolean) {
    struct expr *expr = expr_new(arena, EXPR_CONST);
    expr->value = value_bool(boolean);
    return expr;
}

struct expr *expr_operator(struct arena *arena, enum op op, struct expr *left, struct expr *right) {
    struct expr *expr = expr_new(arena, EXPR_OPERATOR);
    expr->op = op;
    expr->first = left;
    left->next = right;
    return expr;
}

struct expr *expr_list(struct arena *arena, enum op op, struct expr *left, const struct value *values, int count) {
    struct expr *expr = expr_new(arena, EXPR_LIST);
    expr->op = op;
    expr->first = left;
    expr->values = values;
    expr->value_count = count;
    return expr;
}

struct expr *expr_not(struct arena *arena, struct expr *child) {
    struct expr *expr = expr_new(arena, EXPR_NOT);
    expr->first = child;
    return expr;
}

struct expr *expr_at(struct arena *arena, int alias, const struct expr *child) {
    struct expr *expr = expr_new(arena, EXPR_AT);
    expr->alias = alias;
    expr->first = (struct expr *)(uintptr_t)child;
    return expr;
}

struct expr *expr_keys(struct arena *arena, struct attr_list attrs, const struct value *values, int tuples) {
    struct expr *expr = expr_new(arena, EXPR_KEYS);
    expr->alias = ALIAS_HERE;
    expr->attrs = attrs;
    expr->values = values;
    expr->value_count = tuples * attrs.count;
    return expr;
}

struct expr *expr_template(struct arena *arena, const char *text, struct expr *left, struct expr *right) {
    struct expr *expr = expr_new(arena, EXPR_TEMPLATE);
    expr->text = text;
    expr->first = left;
    left->next = right;
    return expr;
}

static const struct expr *inner_of(const struct expr *expr) {
    while (expr->kind == EXPR_AT) expr = expr->first;
    return expr;
}

bool expr_is_json(const struct expr *expr, const struct expr **json) {
    expr = inner_of(expr);
    if (expr->kind == EXPR_TEMPLATE && !expr->first->next) expr = inner_of(expr->first);
    *json = expr;
    return expr->kind == EXPR_JSON;
}

struct expr *expr_attr_is(struct arena *arena, const struct attr *attr, struct value logical) {
    struct expr *column = expr_column(arena, attr, ALIAS_HERE);
    if (logical.kind == VALUE_NULL) return expr_operator(arena, OP_IS, column, expr_param(arena, logical));
    type_store(&attr->type, &logical, arena);
    return expr_operator(arena, OP_EQ, column, expr_param(arena, logical));
}

struct expr *expr_group(struct arena *arena, enum expr_kind kind) {
    return expr_new(arena, kind);
}

void expr_push(struct arena *arena, struct expr *group, const struct expr *child) {
    if (!child) return;
    struct expr **link = group->last ? &group->last->next : &group->first;
    while (*link) link = &(*link)->next;
    *link = group->last = expr_at(arena, ALIAS_HERE, child);
}

const struct expr *expr_and(struct arena *arena, const struct expr *a, const struct expr *b) {
    if (!a || !b) return a ? a : b;
    struct expr *both = expr_group(arena, EXPR_AND);
    both->first = expr_at(arena, ALIAS_HERE, a);
    both->first->next = expr_at(arena, ALIAS_HERE, b);
    return both;
}

/* Conditions that hold together, one of which holds, or which do not hold: AND, OR, NOT. */
#include "sql/render.h"

#include "base/arena.h"

enum { LONGEST_CHAIN = 200 };

static bool is_group(const struct expr *expr) {
    return expr->kind == EXPR_AND || expr->kind == EXPR_OR;
}

static int count_children(const struct expr *expr) {
    int count = 0;
    for (const struct expr *child = expr->first; child; child = child->next) count++;
    return count;
}

/* Writes `count` children from `child` on. Long chains become a balanced tree: SQLite counts a chain of ANDs as depth. */
static const struct expr *put_chain(struct out *out, const struct expr *child, int count, const char *between) {
    if (count > LONGEST_CHAIN) {
        put_text(out, "(");
        child = put_chain(out, child, count / 2, between);
        put_text(out, ")");
        put_text(out, between);
        put_text(out, "(");
        child = put_chain(out, child, count - count / 2, between);
        put_text(out, ")");
        return child;
    }
    for (int i = 0; i < count; i++, child = child->next) {
        if (i) put_text(out, between);
        const struct expr *inner = child;
        while (inner->kind == EXPR_AT) inner = inner->first;
        bool nested = is_group(inner) && count > 1;
        if (nested) put_text(out, "(");
        put_expr(out, child);
        if (nested) put_text(out, ")");
    }
    return child;
}

void put_constant(struct out *out, bool boolean) {
    put_text(out, boolean ? "1 = 1" : "1 = 0");
}

/* Groups within groups, at most. */
static int height(const struct expr *expr) {
    int highest = 0;
    if (!is_group(expr) && expr->kind != EXPR_NOT && expr->kind != EXPR_AT) return 0;
    for (const struct expr *child = expr->first; child; child = child->next) {
        int high = height(child);
        if (high > highest) highest = high;
    }
    return highest + (expr->kind != EXPR_AT);
}

/* The children of a group. SQLite's parser has a stack of 100 places and keeps what stands before a parenthesis on it: of very deep
 * conditions the deepest goes first. */
static const struct expr *children_in_order(struct out *out, const struct expr *expr) {
    enum { DEEP = 8 };
    const struct expr *deepest = expr->first;
    struct expr *front = NULL, **end = &front;
    int highest = DEEP;
    for (const struct expr *child = expr->first; child; child = child->next) {
        int high = height(child);
        if (high > highest) highest = high, deepest = child;
    }
    if (deepest == expr->first) return expr->first;
    *(end = &(front = arena_copy(out->arena, deepest, sizeof *deepest))->next) = NULL;
    for (const struct expr *child = expr->first; child; child = child->next) {
        if (child == deepest) continue;
        *end = arena_copy(out->arena, child, sizeof *child);
        *(end = &(*end)->next) = NULL;
    }
    return front;
}

void put_group(struct out *out, const struct expr *expr) {
    int count = count_children(expr);
    const char *between = op_table[expr->kind == EXPR_AND ? OP_AND : OP_OR].text;
    if (count) put_chain(out, count > 1 ? children_in_order(out, expr) : expr->first, count, between);
    else put_constant(out, expr->kind == EXPR_AND);
}

/* What a condition is the negation of; NULL: it is none. */
static const struct expr *negated(struct arena *arena, const struct expr *expr) {
    if (expr->kind == EXPR_NOT) return expr->first;
    bool alone = is_group(expr) && expr->first && !expr->first->next;
    const struct expr *inner = alone || expr->kind == EXPR_AT ? negated(arena, expr->first) : NULL;
    return inner && expr->kind == EXPR_AT ? expr_at(arena, expr->alias, inner) : inner;
}

/* NOT NOT x is x, in three-valued logic too. */
void put_not(struct out *out, const struct expr *expr) {
    const struct expr *twice = negated(out->arena, expr->first);
    put_text(out, twice ? "(" : "NOT (");
    put_expr(out, twice ? twice : expr->first);
    put_text(out, ")");
}

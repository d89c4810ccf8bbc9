#include "sql/query.h"

#include "base/arena.h"

/* Appends a fresh zeroed node to a list linked by `next`. */
#define append(arena, type, list)                           \
    do {                                                    \
        while (*(list)) (list) = &(*(list))->next;          \
        *(list) = arena_new((arena), type);                 \
    } while (0)

struct select *select_new(struct arena *arena, const struct model *from, int alias) {
    struct select *select = arena_new(arena, struct select);
    select->from = from;
    select->alias = select->here = alias;
    select->limit = select->offset = -1;
    return select;
}

struct join *select_join(struct arena *arena, struct select *select, enum join_kind kind, const struct model *model, int alias,
                         const struct expr *on) {
    return join_add(arena, &select->joins, kind, model, alias, on);
}

struct join *join_add(struct arena *arena, struct join **list, enum join_kind kind, const struct model *model, int alias,
                      const struct expr *on) {
    append(arena, struct join, list);
    (*list)->kind = kind;
    (*list)->model = model;
    (*list)->alias = alias;
    (*list)->on = on;
    return *list;
}

void select_where(struct arena *arena, struct select *select, const struct expr *condition) {
    select->where = expr_and(arena, select->where, condition);
}

struct output *output_add(struct arena *arena, struct output **list, const struct expr *expr, const char *name) {
    append(arena, struct output, list);
    (*list)->expr = expr;
    (*list)->name = name;
    return *list;
}

struct order_term *order_add(struct arena *arena, struct order_term **list, const struct expr *expr) {
    append(arena, struct order_term, list);
    (*list)->expr = expr;
    return *list;
}

struct order_term *order_copy(struct arena *arena, const struct order_term *order) {
    struct order_term *first = NULL, **link = &first;
    for (; order; order = order->next, link = &(*link)->next) {
        *link = arena_copy(arena, order, sizeof *order);
        (*link)->next = NULL;
    }
    return first;
}

static bool of_link(const struct order_term *term) {
    bool placed = term->expr->kind == EXPR_COLUMN || term->expr->kind == EXPR_AT;
    return placed && term->expr->alias == ALIAS_LINK;
}

static const struct expr *expr_moved(struct arena *arena, const struct expr *expr, int alias) {
    return expr->kind == EXPR_COLUMN ? expr_column(arena, expr->attr, alias) : expr_at(arena, alias, expr->first);
}

const struct order_term *order_of_links(struct arena *arena, const struct order_term *order, int link) {
    const struct order_term *first = order;
    while (first && !of_link(first)) first = first->next;
    if (!first) return order;
    struct order_term *copy = order_copy(arena, order);
    for (struct order_term *term = copy; term; term = term->next)
        if (of_link(term)) term->expr = expr_moved(arena, term->expr, link);
    return copy;
}

struct assignment *assign(struct arena *arena, struct assignment **list, const struct attr *attr, const struct expr *expr) {
    append(arena, struct assignment, list);
    (*list)->attr = attr;
    (*list)->expr = expr;
    return *list;
}
